"""The account's existing credentials as one run knows them: read in bulk once, kept current by our own writes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from iamcreds.aws.index import Index
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from iamcreds.aws.clock import Clock
    from iamcreds.aws.credential_lists import CredentialLists
    from iamcreds.aws.users import Users
    from iamcreds.model import Credential
    from iamcreds.progress import Progress


class CredentialInventory:
    """The existing service-specific credentials of all users. Safe to use from several threads.

    Some endpoints do not know AllUsers, or leave users out of that list. From the first credential that it proves to
    lack, users are listed one by one as they are needed. Lists may also lag: a credential that `Clock.is_young` may
    exist although they lack it.

    Every method that reads raises AccountError as AWS responds; UserDeniedError if AWS denies the read of one user.

    Args:
        lists: the lists of credentials.
        users: the users of the account.
        clock: AWS's clock.
    """

    def __init__(self, lists: CredentialLists, users: Users, clock: Clock) -> None:
        self._lists = lists
        self._users = users
        self._clock = clock
        self._lock = threading.RLock()
        self._known: Index | None = None
        self._every_user_is_in_it = True
        self._listed: set[str] = set()
        self._services: dict[str, bool] = {}
        # What our own writes left, and when: a list that lags behind them is not believed. None: we deleted it.
        self._written: dict[str, tuple[datetime, Credential | None]] = {}

    def all(self) -> list[Credential]:
        """Return all credentials, sorted by user, service and id; one call a page, once a run."""
        with self._lock:
            return self._all().all()

    def of(self, user: str, service: str) -> list[Credential]:
        """Return the user's credentials for the service (full name), oldest first."""
        with self._lock:
            self._all()
            if not self._every_user_is_in_it and user not in self._listed:
                self.refresh(user)
            return [live for live in self._all().of(user) if live.service == service]

    def get(self, credential_id: str) -> Credential | None:
        """Return the known credential of that id, of any user, without a second look."""
        with self._lock:
            return self._all().get(credential_id)

    def find(self, user: str, credential_id: str) -> Credential | None:
        """Return the credential of that id, of any user; None only if a list of this user lacks it as well."""
        with self._lock:
            found = self._all().get(credential_id)
            if found is not None or user in self._listed:
                return found
            self.refresh(user)
            found = self._all().get(credential_id)
            self._every_user_is_in_it = self._every_user_is_in_it and found is None
            if found is not None or self._every_user_is_in_it or self._users.exists(user):
                return found
            # IAM may have renamed the user, and no list of all has the name under which the credential lives on.
            self._list_each(self._unlisted_users(), no_progress)
            return self._all().get(credential_id)

    def find_anew(self, credential_id: str, *, exists: bool) -> Credential | None:
        """Return the credential of that id, of any user, by a new list of all users.

        If that lacks it and may leave users out, or IAM has said that it `exists`, each user is listed.
        """
        with self._lock:
            self._known = self._bulk()
            self._correct_by_our_writes()
            self._listed.clear()
            if self._known.get(credential_id) is None and (exists or not self._every_user_is_in_it):
                self._list_each(self._unlisted_users(), no_progress)
            return self._all().get(credential_id)

    def has_listed(self, user: str) -> bool:
        """Return True if this run has listed the credentials of that user only, so that none of them is left out."""
        with self._lock:
            return user in self._listed

    def refresh(self, user: str) -> None:
        """Replace the known credentials of one user by a list of that user, unless the user does not exist."""
        with self._lock:
            self._all()
            self._replace({user: self._lists.of_user(user)})

    def reread(self, users: Iterable[str], progress: Progress = no_progress) -> None:
        """List these users one by one, and all others as well if the list of all users proves to be incomplete.

        Credentials that it leaves out must not look like drift.
        """
        self.look_closer(users, progress)
        if not self._every_user_is_in_it:
            self._list_each(self._unlisted_users(), progress)

    def look_closer(self, users: Iterable[str], progress: Progress = no_progress) -> None:
        """List these users one by one, and no longer believe the list of all users if it lacks any credential."""
        with self._lock:
            known = {live.id for live in self._all().all()}
        self._list_each(users, progress)
        with self._lock:
            new = [live for live in self._all().all() if live.id not in known]
            self._every_user_is_in_it = self._every_user_is_in_it and all(
                self._clock.is_young(live.created) for live in new
            )

    def has_service(self, user: str | None, service: str) -> bool:
        """Return True if AWS knows such credentials of the service (full name): one call, about a user (None: any).

        Also True if the account has no user to ask about.
        """
        asked = user or next((known.name for known in self._users.all()), None)
        if asked is None:
            return True
        with self._lock:
            if service not in self._services:
                self._services[service] = self._lists.has_service(asked, service)
            return self._services[service]

    def remember(self, credential: Credential) -> None:
        """Keep the credential in the response to one of our own writes."""
        with self._lock:
            self._all().put(credential)
            self._written[credential.id] = self._clock.now(), credential

    def has_written(self, credential_id: str) -> bool:
        """Return True if this process has created, reset, activated or deactivated the credential."""
        with self._lock:
            return self._written.get(credential_id, (None, None))[1] is not None

    def forget(self, credential_id: str) -> None:
        """Drop a credential that this process deleted."""
        with self._lock:
            self._all().drop(credential_id)
            self._written[credential_id] = self._clock.now(), None

    def _unlisted_users(self) -> list[str]:
        return [user.name for user in self._users.all() if user.name not in self._listed]

    def _list_each(self, users: Iterable[str], progress: Progress) -> None:
        found = self._lists.of_users(users, progress)
        with self._lock:
            self._replace(found)

    def _replace(self, found: Mapping[str, Sequence[Credential] | None]) -> None:
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
        page = self._lists.of_all()
        self._every_user_is_in_it = self._every_user_is_in_it and page is not None
        return Index(() if page is None else page.items)

    def _correct_by_our_writes(self) -> None:
        """Correct what a list that lags has of our own writes."""
        known = self._all()
        for credential_id, (when, left) in self._written.items():
            if left is None:
                known.drop(credential_id)
            elif self._clock.is_young(when):
                known.put(left)
