"""The IAM users of the account during one run."""

from __future__ import annotations

import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.aws.listing import EVERYTHING, Page, Window, read_list
from iamcreds.aws.threads import call_all
from iamcreds.errors import AccessDeniedError, NoSuchUserError, UserDeniedError
from iamcreds.model import User
from iamcreds.text.names import find_case_variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_iam import IAMClient


class Users:
    """The IAM users of the account, listed once per run. Safe to use from several threads.

    Every method raises AccountError if a call to AWS fails; UserDeniedError if AWS denies access to a user.

    Args:
        iam: a boto3 client of IAM.
    """

    def __init__(self, iam: IAMClient) -> None:
        self._iam = iam
        self._lock = threading.RLock()
        self._users: dict[str, User] | None = None

    def all(self) -> list[User]:
        """Return the users, sorted by name; one call per page, once per run."""
        with self._lock:
            return sorted(self._by_name().values())

    def find_missing(self, users: Iterable[str]) -> set[str]:
        """Return the users who do not exist. A user missing from the list of all users is requested by name."""
        with self._lock:
            unlisted = sorted(set(users) - self._by_name().keys())
        results = call_all(self._find, unlisted, "looking for missing users")
        with self._lock:
            self._by_name().update({name: user for name, user in results.items() if user is not None})
        return {name for name, user in results.items() if user is None}

    def exists(self, user: str) -> bool:
        """Return True if the user exists. A user missing from the list of all users is requested by name."""
        with self._lock:
            return user in self._by_name() or not self.find_missing([user])

    def find_case_variant(self, user: str) -> str | None:
        """Return the user whose name differs by case only, so that IAM rejects a user of this name; None for none."""
        with self._lock:
            return find_case_variant(user, self._by_name())

    def find_arn(self, user: str) -> str:
        """Return the ARN of a user, which includes its path; one call."""
        with translate_errors(f"reading user {user}"), reading_answers():
            return str(client.read(self._iam.get_user, UserName=user)["User"]["Arn"])

    def _by_name(self) -> dict[str, User]:
        if self._users is None:
            self._users = {user.name: user for user in list_users(self._iam).items}
        return self._users

    def _find(self, name: str) -> User | None:
        try:
            with translate_errors(f"looking for user {name}"), reading_answers():
                return _to_user(client.read(self._iam.get_user, UserName=name)["User"])
        except NoSuchUserError:
            return None
        except AccessDeniedError as error:
            raise UserDeniedError(str(error)) from None


def list_users(iam: IAMClient, window: Window = EVERYTHING) -> Page[User]:
    """Return a page of the account's IAM users, in IAM's order, by a new list.

    Raises:
        AccountError
    """
    with translate_errors("listing the account's users"):
        return read_list(iam.list_users, "Users", _to_user, window)


def _to_user(item: Mapping[str, Any]) -> User:
    return User(item["UserName"], item["CreateDate"].astimezone(UTC))
