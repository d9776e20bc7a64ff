"""Reading the access keys of many users: a bounded pool of threads, one list a user, one question a key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.aws.threads import call_all
from iamcreds.errors import AccessDeniedError, NoSuchUserError
from iamcreds.model import AccessKey, Status
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_iam import IAMClient

    from iamcreds.progress import Progress


def read_access_keys(
    iam: IAMClient, users: Iterable[str], progress: Progress = no_progress
) -> dict[str, list[AccessKey] | None]:
    """The access keys of each of the users, oldest first; None of a user who does not exist.

    Raises:
        AccountError: as AWS answers.
    """
    return call_all(lambda user: _read_user(iam, user), sorted(set(users)), "reading access keys", progress)


def _read_user(iam: IAMClient, user: str) -> list[AccessKey] | None:
    try:
        found = (read_last_use(iam, key) for key in _list(iam, user))
        return sorted((key for key in found if key is not None), key=lambda key: (key.created, key.id))
    except NoSuchUserError:
        return None


def _list(iam: IAMClient, user: str) -> list[AccessKey]:
    with translate_errors(f"listing the access keys of user {user}"), reading_answers():
        pages = client.pages(iam.list_access_keys, UserName=user)
        return [to_access_key(item) for page in pages for item in page["AccessKeyMetadata"]]


def to_access_key(item: Mapping[str, Any]) -> AccessKey:
    """An access key out of an answer to ListAccessKeys, which does not tell when it was used."""
    return AccessKey(
        id=item["AccessKeyId"],
        user=item["UserName"],
        status=Status(item["Status"]),
        created=item["CreateDate"].astimezone(UTC),
    )


def read_last_use(iam: IAMClient, key: AccessKey) -> AccessKey | None:
    """The key with its last use; None of one that was deleted since it was listed."""
    try:
        with (
            translate_errors(f"asking when access key {key.id} of user {key.user} was last used"),
            reading_answers(),
        ):
            used = client.read(iam.get_access_key_last_used, AccessKeyId=key.id)["AccessKeyLastUsed"]
            return replace(
                key,
                last_used=used["LastUsedDate"].astimezone(UTC) if "LastUsedDate" in used else None,
                service=_unless_never(used.get("ServiceName")),
                region=_unless_never(used.get("Region")),
            )
    except AccessDeniedError:  # also what AWS says of a key that does not exist
        if key.id in {listed.id for listed in _list(iam, key.user)}:
            raise
        return None


def _unless_never(word: str | None) -> str | None:
    """IAM says N/A of the service and region of a key that was never used."""
    return None if word == "N/A" else word
