"""The list operations as AWS has them: of one user, of the caller or of all, from a marker on, whole or one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from iamcreds.aws import client
from iamcreds.aws.access_keys import read_access_keys, read_last_use, to_access_key
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.aws.inventory import SAYS_NOTHING_OF_ALL_USERS
from iamcreds.aws.threads import call_all
from iamcreds.errors import AccountError, NoSuchServiceError, NoSuchUserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_iam import IAMClient

    from iamcreds.model import AccessKey, Credential
    from iamcreds.progress import Progress

Item = TypeVar("Item")

ROOT_USER = "<root_account>"
"""Whose the access keys are that AWS lists without a user name, in the credential report's word."""

_CALLER = "the calling user, because none was named"


@dataclass(frozen=True)
class Window:
    """Which part of a list: from `marker` on (None: from its beginning), a page of `max_items` (None: all the rest)."""

    marker: str | None = None
    max_items: int | None = None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list, sorted; `marker` is where the rest begins, None where there is none."""

    items: tuple[Item, ...]
    marker: str | None = None


class Listing:
    """Lists of the account's credentials and access keys, asked for anew each time.

    Args:
        iam: a boto3 client of IAM.
    """

    def __init__(self, iam: IAMClient) -> None:
        self._iam = iam

    def credentials(
        self, window: Window, *, user: str | None = None, service: str | None = None, all_users: bool = False
    ) -> Page[Credential]:
        """The service-specific credentials of a user (None: the caller) or of all, by user, service and id.

        Args:
            window: which part of the list.
            user: an IAM user's name.
            service: a service's full name; None for all services.
            all_users: of every user; where an endpoint does not know AllUsers the window is one of the list of users.

        Raises:
            NoSuchUserError, AccountError
        """
        try:
            page = self._list(window, user, service, all_users=all_users)
        except (*SAYS_NOTHING_OF_ALL_USERS, NoSuchServiceError):
            raise
        except AccountError:
            if not all_users or self._knows_all_users():
                raise
            page = self._list_each(window, service)
        return _sort_page(page.items, page.marker, lambda live: (live.user, live.service, live.id))

    def _list(self, window: Window, user: str | None, service: str | None, *, all_users: bool) -> Page[Credential]:
        given = {"UserName": user, "ServiceName": service, "AllUsers": all_users or None}
        arguments = {name: value for name, value in given.items() if value is not None}
        whose = "all users" if all_users else _describe_owner(user)
        with translate_errors(f"listing the service-specific credentials of {whose}"), reading_answers():
            page = _read(self._iam.list_service_specific_credentials, "ServiceSpecificCredentials", window, **arguments)
            return Page(tuple(map(client.to_credential, page.items)), page.marker)

    def _knows_all_users(self) -> bool:
        """Whether the endpoint can list the credentials of all users, which some cannot."""
        try:
            self._list(Window(max_items=1), None, None, all_users=True)
        except AccountError:
            return False
        return True

    def _list_each(self, window: Window, service: str | None) -> Page[Credential]:
        """User by user; the window is one of the list of users."""
        with translate_errors("listing the account's users"), reading_answers():
            users = _read(self._iam.list_users, "Users", window)
            names = [item["UserName"] for item in users.items]

        def list_user(user: str) -> tuple[Credential, ...]:
            try:
                return self._list(Window(), user, service, all_users=False).items
            except NoSuchUserError:  # gone since
                return ()

        found = call_all(list_user, names, "listing credentials user by user")
        return Page(tuple(live for of_user in found.values() for live in of_user), users.marker)

    def access_keys(self, window: Window, *, user: str | None = None) -> Page[AccessKey]:
        """The access keys of a user (None: the caller), oldest first.

        Raises:
            NoSuchUserError, AccountError
        """
        arguments = {} if user is None else {"UserName": user}
        with translate_errors(f"listing the access keys of {_describe_owner(user)}"), reading_answers():
            page = _read(self._iam.list_access_keys, "AccessKeyMetadata", window, **arguments)
            keys = [to_access_key({"UserName": ROOT_USER, **item}) for item in page.items]
        found = (read_last_use(self._iam, key) for key in keys)
        return _sort_page(_drop_missing(found), page.marker, _by_user_and_age)

    def access_keys_of_all(self, window: Window, progress: Progress) -> Page[AccessKey]:
        """The access keys of all users, by user, oldest first; the window is one of the list of users.

        Raises:
            AccountError
        """
        with translate_errors("listing the account's users"), reading_answers():
            users = _read(self._iam.list_users, "Users", window)
            names = [item["UserName"] for item in users.items]
        found = read_access_keys(self._iam, names, progress)
        keys = (key for keys in found.values() if keys is not None for key in keys)
        return _sort_page(keys, users.marker, _by_user_and_age)


def _describe_owner(user: str | None) -> str:
    return _CALLER if user is None else f"user {user}"


def _read(
    operation: Callable[..., Any],
    key: str,
    window: Window,
    **arguments: Any,  # noqa: ANN401 - boto3's own keyword arguments
) -> Page[Mapping[str, Any]]:
    """What the operation answers under the key."""
    if window.max_items is None:
        found = client.pages(operation, window.marker, **arguments)
        return Page(tuple(item for page in found for item in page[key]))
    marker = {} if window.marker is None else {"Marker": window.marker}
    page = client.call(operation, **arguments, **marker, MaxItems=window.max_items)
    return Page(tuple(page[key]), page["Marker"] if page.get("IsTruncated") else None)


def _sort_page(items: Iterable[Item], marker: str | None, key: Callable[[Item], Any]) -> Page[Item]:
    return Page(tuple(sorted(items, key=key)), marker)


def _drop_missing(keys: Iterable[AccessKey | None]) -> Iterable[AccessKey]:
    return (key for key in keys if key is not None)


def _by_user_and_age(key: AccessKey) -> tuple[Any, ...]:
    return key.user, key.created, key.id
