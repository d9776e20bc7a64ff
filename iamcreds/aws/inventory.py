"""What a run knows of the account's live credentials and users: read in bulk once, kept current by our own writes."""

from __future__ import annotations

import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.aws.index import Index
from iamcreds.aws.threads import call_all
from iamcreds.errors import (
    AccessDeniedError,
    AccountError,
    NoSuchServiceError,
    NoSuchUserError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
    UnreadableAnswerError,
    UserDeniedError,
)
from iamcreds.model import Credential, User
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from iamcreds.aws.clock import Clock
    from iamcreds.progress import Progress

SAYS_NOTHING_OF_ALL_USERS = (
    UnreachableError,
    UnreadableAnswerError,
    UnavailableError,
    UnauthenticatedError,
    AccessDeniedError,
)
"""Refusals of the bulk read that any other read would meet, too."""


class Cache:
    """The live service-specific credentials of all users, as one run sees them. Safe to use from several threads.

    Args:
        iam: a boto3 client of IAM.
        clock: AWS's clock.
    """

    def __init__(self, iam: IAMClient, clock: Clock) -> None:
        self._iam = iam
        self._clock = clock
        self._lock = threading.RLock()
        self._known: Index | None = None
        self._every_user_is_in_it = True
        self._listed: set[str] = set()
        self._users_lock = threading.RLock()
        self._users: dict[str, User] | None = None
        self._services: dict[str, bool] = {}
        # What our own writes left, and when: a list that lags behind them is not believed. None: we deleted it.
        self._written: dict[str, tuple[datetime, Credential | None]] = {}

    def credentials(self) -> list[Credential]:
        """All live credentials, sorted by user, service and id; one call a page, once a run."""
        with self._lock:
            return self._all().all()

    def of(self, user: str, service: str) -> list[Credential]:
        """The user's live credentials for the service (full name), oldest first."""
        with self._lock:
            self._all()
            if not self._every_user_is_in_it and user not in self._listed:
                self.refresh(user)
            return [live for live in self._all().of(user) if live.service == service]

    def get(self, credential_id: str) -> Credential | None:
        """What is known of the credential of that id, whosever it is, without a second look."""
        with self._lock:
            return self._all().get(credential_id)

    def find(self, user: str, credential_id: str) -> Credential | None:
        """The live credential of that id, whosever it is; None only where a list of the user lacks it as well.

        Some endpoints do not know AllUsers, or leave users out: a miss in the bulk read alone is not believed. That a
        list may lag behind as well is for the caller to mind: `Clock.is_young`.
        """
        with self._lock:
            found = self._all().get(credential_id)
            if found is not None or user in self._listed:
                return found
            self.refresh(user)
            found = self._all().get(credential_id)
            self._every_user_is_in_it = self._every_user_is_in_it and found is None
            if found is not None or self._every_user_is_in_it or self.has_user(user):
                return found
            # IAM may have renamed the user, and no list of all tells under which name the credential lives on.
            self._list_each([known.name for known in self.users() if known.name not in self._listed], no_progress)
            return self._all().get(credential_id)

    def find_anew(self, credential_id: str, *, exists: bool) -> Credential | None:
        """The live credential of that id, whosever it is, by a new list of all users.

        Where that lacks it and may leave users out, and where IAM has said that it `exists`, by a list of each of them.
        """
        with self._lock:
            self._known = self._bulk()
            self._correct_by_our_writes()
            self._listed.clear()
            if self._known.get(credential_id) is None and (exists or not self._every_user_is_in_it):
                self._list_each([user.name for user in self.users()], no_progress)
            return self._all().get(credential_id)

    def has_listed(self, user: str) -> bool:
        """Whether a list of that user alone was read."""
        with self._lock:
            return user in self._listed

    def refresh(self, user: str) -> None:
        """Replace what is known of one user by a list of that user alone, unless the user does not exist."""
        with self._lock:
            self._all()
            self._replace({user: self._of_user(user)})

    def reread(self, users: Iterable[str], progress: Progress = no_progress) -> None:
        """Read the credentials of these users one by one; where that shows any that the bulk read lacks, of all users.

        Some endpoints do not know AllUsers: what they leave out must not look like drift.
        """
        self.look_closer(users, progress)
        if not self._every_user_is_in_it:
            self._list_each([user.name for user in self.users() if user.name not in self._listed], progress)

    def look_closer(self, users: Iterable[str], progress: Progress = no_progress) -> None:
        """Read the credentials of these users one by one, and believe the bulk read no more where it lacks any.

        Then others are listed one by one as they are needed.
        """
        with self._lock:
            known = {live.id for live in self._all().all()}
        self._list_each(users, progress)
        with self._lock:
            new = [live for live in self._all().all() if live.id not in known]
            self._every_user_is_in_it = self._every_user_is_in_it and all(
                self._clock.is_young(live.created) for live in new
            )

    def users(self) -> list[User]:
        """The account's IAM users, by name; one call a page, once a run."""
        with self._users_lock:
            return sorted(self._by_name().values())

    def missing_users(self, users: Iterable[str]) -> set[str]:
        """Which of the users do not exist: the list of all may lag, so those it lacks are asked for by name."""
        with self._users_lock:
            unknown = sorted(set(users) - self._by_name().keys())
        asked = call_all(self._find_user, unknown, "looking for missing users")
        with self._users_lock:
            self._by_name().update({name: user for name, user in asked.items() if user is not None})
        return {name for name, user in asked.items() if user is None}

    def has_user(self, user: str) -> bool:
        """Whether the IAM user exists: all are listed once, and one that is missing there is asked for by name."""
        with self._users_lock:
            return user in self._by_name() or not self.missing_users([user])

    def has_service(self, user: str | None, service: str) -> bool:
        """Whether AWS knows such credentials of the service: one call a service, about a user who exists (None: any).

        A list of a service that AWS does not know is NoSuchEntity, as its Create is (recorded on AWS by others).
        Where there is nobody to ask about, nobody can tell.
        """
        asked = user or next((known.name for known in self.users()), None)
        if asked is None:
            return True
        with self._lock:
            if service not in self._services:
                try:
                    with translate_errors(f"looking whether AWS knows the service {service}"):
                        client.read(self._iam.list_service_specific_credentials, UserName=asked, ServiceName=service)
                    self._services[service] = True
                except NoSuchServiceError:
                    self._services[service] = False
            return self._services[service]

    def remember(self, credential: Credential) -> None:
        """Keep what an answer to one of our own writes said."""
        with self._lock:
            self._all().put(credential)
            self._written[credential.id] = self._clock.now(), credential

    def has_written(self, credential_id: str) -> bool:
        """Whether our own writes have left this credential: it was made, reset or switched by this process."""
        with self._lock:
            return self._written.get(credential_id, (None, None))[1] is not None

    def forget(self, credential_id: str) -> None:
        """Drop what we deleted ourselves."""
        with self._lock:
            self._all().drop(credential_id)
            self._written[credential_id] = self._clock.now(), None

    def _by_name(self) -> dict[str, User]:
        if self._users is None:
            with translate_errors("listing the account's users"), reading_answers():
                found = [_user(item) for page in client.pages(self._iam.list_users) for item in page["Users"]]
            self._users = {user.name: user for user in found}
        return self._users

    def _find_user(self, name: str) -> User | None:
        try:
            with translate_errors(f"looking for user {name}"), reading_answers():
                return _user(client.read(self._iam.get_user, UserName=name)["User"])
        except NoSuchUserError:
            return None
        except AccessDeniedError as error:
            raise UserDeniedError(str(error)) from None

    def _list_each(self, users: Iterable[str], progress: Progress) -> None:
        found = call_all(self._of_user, users, "reading credentials user by user", progress)
        with self._lock:
            self._replace(found)

    def _of_user(self, user: str) -> list[Credential] | None:
        """What a list of this user has; None of a user who does not exist."""
        try:
            with translate_errors(f"listing the service-specific credentials of user {user}"):
                return list(self._list(UserName=user))
        except NoSuchUserError:
            return None
        except AccessDeniedError as error:
            raise UserDeniedError(str(error)) from None

    def _replace(self, found: Mapping[str, list[Credential] | None]) -> None:
        """Take the lists of these users for what is true of them.

        IAM deletes no user who has credentials. So what the bulk read has of a user who does not exist is not gone,
        but has another name by now, and that list lags.
        """
        known = self._all()
        for user, listed in found.items():
            if listed is None:
                continue
            for gone in known.of(user):
                known.drop(gone.id)
            for live in listed:
                known.put(live)
        self._correct_by_our_writes()
        self._listed.update(found)

    def _all(self) -> Index:
        if self._known is None:
            self._known = self._bulk()
        return self._known

    def _bulk(self) -> Index:
        try:
            with translate_errors("listing the service-specific credentials of all users"):
                return Index(self._list(AllUsers=True))
        except SAYS_NOTHING_OF_ALL_USERS:
            raise
        except AccountError:  # the endpoint does not know AllUsers: users are listed one by one as they are needed
            self._every_user_is_in_it = False
            return Index()

    def _correct_by_our_writes(self) -> None:
        """Put right what a list that lags says of our own writes."""
        known = self._all()
        for credential_id, (when, left) in self._written.items():
            if left is None:
                known.drop(credential_id)
            elif self._clock.is_young(when):
                known.put(left)

    def _list(self, **filters: Any) -> Iterator[Credential]:  # noqa: ANN401 - boto3's own keyword arguments
        with reading_answers():
            for page in client.pages(self._iam.list_service_specific_credentials, **filters):
                yield from map(client.to_credential, page["ServiceSpecificCredentials"])


def _user(item: Mapping[str, Any]) -> User:
    return User(item["UserName"], item["CreateDate"].astimezone(UTC))
