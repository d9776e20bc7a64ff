"""Access keys and their last use: one list call per user, one more call per key, several users at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.aws.listing import EVERYTHING, Page, Window, describe_owner, read_list
from iamcreds.aws.threads import call_all
from iamcreds.aws.users import list_users
from iamcreds.errors import AccessDeniedError, NoSuchUserError
from iamcreds.model import AccessKey, Status
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_iam import IAMClient

    from iamcreds.progress import Progress

ROOT_USER = "<root_account>"
"""Owner of access keys that AWS lists without a user name; the credential report uses the same name."""


class AccessKeys:
    """The access keys of the account, read on each call. Every method raises AccountError if a call to AWS fails.

    Args:
        iam: a boto3 client of IAM.
    """

    def __init__(self, iam: IAMClient) -> None:
        self._iam = iam

    def of_users(self, users: Iterable[str], progress: Progress = no_progress) -> dict[str, list[AccessKey] | None]:
        """Return the access keys of each user, oldest first; None for a user who does not exist."""
        return call_all(self._of_user, sorted(set(users)), "reading access keys", progress)

    def read_page(self, window: Window, *, user: str | None = None) -> Page[AccessKey]:
        """Return a page of the access keys of a user (None: the caller), oldest first.

        Raises:
            NoSuchUserError
        """
        page = self._list(window, user)
        keys = map(self._read_last_use, page.items)
        return Page(_sort(key for key in keys if key is not None), page.marker)

    def read_page_of_all(self, window: Window, progress: Progress) -> Page[AccessKey]:
        """Return the access keys of a page of users, sorted by user, oldest first. The window selects the users."""
        users = list_users(self._iam, window)
        keys_by_user = self.of_users((user.name for user in users.items), progress)
        return Page(_sort(key for keys in keys_by_user.values() for key in keys or ()), users.marker)

    def _of_user(self, user: str) -> list[AccessKey] | None:
        try:
            return list(self.read_page(EVERYTHING, user=user).items)
        except NoSuchUserError:
            return None

    def _list(self, window: Window, user: str | None) -> Page[AccessKey]:
        """List access keys without their last use, which ListAccessKeys does not return."""
        arguments = {} if user is None else {"UserName": user}
        with translate_errors(f"listing the access keys of {describe_owner(user)}"):
            return read_list(
                self._iam.list_access_keys,
                "AccessKeyMetadata",
                lambda item: _to_access_key({"UserName": user or ROOT_USER, **item}),
                window,
                **arguments,
            )

    def _read_last_use(self, key: AccessKey) -> AccessKey | None:
        """Return the key with its last use; None if it was deleted after the list call."""
        doing = f"reading the last use of access key {key.id} of user {key.user}"
        try:
            with translate_errors(doing), reading_answers():
                usage = client.read(self._iam.get_access_key_last_used, AccessKeyId=key.id)["AccessKeyLastUsed"]
                return replace(
                    key,
                    last_used=usage["LastUsedDate"].astimezone(UTC) if "LastUsedDate" in usage else None,
                    service=_unless_never(usage.get("ServiceName")),
                    region=_unless_never(usage.get("Region")),
                )
        except AccessDeniedError:  # AWS also denies access to a key that does not exist
            if key.id in {listed.id for listed in self._list(EVERYTHING, key.user).items}:
                raise
            return None


def _to_access_key(item: Mapping[str, Any]) -> AccessKey:
    return AccessKey(
        id=item["AccessKeyId"],
        user=item["UserName"],
        status=Status(item["Status"]),
        created=item["CreateDate"].astimezone(UTC),
    )


def _sort(keys: Iterable[AccessKey]) -> tuple[AccessKey, ...]:
    return tuple(sorted(keys, key=lambda key: (key.user, key.created, key.id)))


def _unless_never(value: str | None) -> str | None:
    """Return None for N/A, which IAM returns as the service and region of a key that was never used."""
    return None if value == "N/A" else value
