"""The existing credentials of the account during one run: read in bulk once, and updated by the run's own writes."""

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

    Some endpoints do not support AllUsers, or omit users from that list. Once a credential is missing from it, users
    are listed one by one on demand. Lists are also eventually consistent: a credential for which `Clock.is_young` is
    True may exist although lists lack it.

    Every method that reads raises AccountError if a call to AWS fails; UserDeniedError if AWS denies access to a user.

    Args:
        lists: the lists of credentials.
        users: the users of the account.
        clock: server time.
    """

    def __init__(self, lists: CredentialLists, users: Users, clock: Clock) -> None:
        self._lists = lists
        self._users = users
        self._clock = clock
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._every_user_is_in_it = True
        self._listed: set[str] = set()
        self._services: dict[str, bool] = {}
        # The results of this run's writes and their times (None: deleted), which take precedence over older lists.
        self._written: dict[str, tuple[datetime, Credential | None]] = {}

    def all(self) -> list[Credential]:
        """Return all credentials, sorted by user, service and id; one call per page, once per run."""
        with self._lock:
            return self._all().all()

    def of(self, user: str, service: str) -> list[Credential]:
        """Return the user's credentials for the service (full name), oldest first."""
        with self._lock:
            self._all()
            if not self._every_user_is_in_it and user not in self._listed:
                self.refresh(user)
            return [credential for credential in self._all().of(user) if credential.service == service]

    def get(self, credential_id: str) -> Credential | None:
        """Return the credential with that id, of any user, without a further list."""
        with self._lock:
            return self._all().get(credential_id)

    def find(self, user: str, credential_id: str) -> Credential | None:
        """Return the credential with that id, of any user; None only if a list of this user lacks it, too."""
        with self._lock:
            credential = self._all().get(credential_id)
            if credential is not None or user in self._listed:
                return credential
            self.refresh(user)
            credential = self._all().get(credential_id)
            self._every_user_is_in_it = self._every_user_is_in_it and credential is None
            if credential is not None or self._every_user_is_in_it or self._users.exists(user):
                return credential
            # The user may have been renamed, and the list of all users may omit the new name.
            self._list_each(self._unlisted_users(), no_progress)
            return self._all().get(credential_id)

    def find_anew(self, credential_id: str, *, exists: bool) -> Credential | None:
        """Return the credential with that id, of any user, by a new list of all users.

        If that list lacks it, each user is listed if the list may omit users or the credential `exists` according to
        IAM.
        """
        with self._lock:
            self._index = self._bulk()
            self._apply_writes()
            self._listed.clear()
            if self._index.get(credential_id) is None and (exists or not self._every_user_is_in_it):
                self._list_each(self._unlisted_users(), no_progress)
            return self._all().get(credential_id)

    def has_listed(self, user: str) -> bool:
        """Return True if this run has listed this user by name, so that no credential of the user is missing."""
        with self._lock:
            return user in self._listed

    def refresh(self, user: str) -> None:
        """List the credentials of one user again. Keep the previous ones if the user does not exist."""
        with self._lock:
            self._all()
            self._replace({user: self._lists.of_user(user)})

    def reread(self, users: Iterable[str], progress: Progress = no_progress) -> None:
        """List these users one by one, and all others if the list of all users proves to be incomplete.

        Otherwise credentials that are missing from that list would be reported as drift.
        """
        self.look_closer(users, progress)
        if not self._every_user_is_in_it:
            self._list_each(self._unlisted_users(), progress)

    def look_closer(self, users: Iterable[str], progress: Progress = no_progress) -> None:
        """List these users one by one, and stop relying on the list of all users if it lacks any credential."""
        with self._lock:
            previous_ids = {credential.id for credential in self._all().all()}
        self._list_each(users, progress)
        with self._lock:
            new = [credential for credential in self._all().all() if credential.id not in previous_ids]
            self._every_user_is_in_it = self._every_user_is_in_it and all(
                self._clock.is_young(credential.created) for credential in new
            )

    def has_service(self, user: str | None, service: str) -> bool:
        """Return True if AWS supports credentials of the service (full name): one call for a user (None: any user).

        Also return True if the account has no users, because the call needs one.
        """
        owner = user or next((existing.name for existing in self._users.all()), None)
        if owner is None:
            return True
        with self._lock:
            if service not in self._services:
                self._services[service] = self._lists.has_service(owner, service)
            return self._services[service]

    def remember(self, credential: Credential) -> None:
        """Store the credential from the response to a write of this run."""
        with self._lock:
            self._all().put(credential)
            self._written[credential.id] = self._clock.now(), credential

    def has_written(self, credential_id: str) -> bool:
        """Return True if this process has created, reset, activated or deactivated the credential."""
        with self._lock:
            return self._written.get(credential_id, (None, None))[1] is not None

    def forget(self, credential_id: str) -> None:
        """Remove a credential that this process deleted."""
        with self._lock:
            self._all().drop(credential_id)
            self._written[credential_id] = self._clock.now(), None

    def _unlisted_users(self) -> list[str]:
        return [user.name for user in self._users.all() if user.name not in self._listed]

    def _list_each(self, users: Iterable[str], progress: Progress) -> None:
        lists = self._lists.of_users(users, progress)
        with self._lock:
            self._replace(lists)

    def _replace(self, lists: Mapping[str, Sequence[Credential] | None]) -> None:
        """Replace the credentials of these users by new lists (None: the user does not exist).

        IAM does not delete a user who has credentials. If a user with credentials does not exist, the user was renamed,
        and the list of all users is outdated: the credentials stay.
        """
        index = self._all()
        for user, credentials in lists.items():
            if credentials is None:
                continue
            for previous in index.of(user):
                index.drop(previous.id)
            for credential in credentials:
                index.put(credential)
        self._apply_writes()
        self._listed.update(lists)

    def _all(self) -> Index:
        if self._index is None:
            self._index = self._bulk()
        return self._index

    def _bulk(self) -> Index:
        page = self._lists.of_all()
        self._every_user_is_in_it = self._every_user_is_in_it and page is not None
        return Index(() if page is None else page.items)

    def _apply_writes(self) -> None:
        """Apply this run's own writes to list results that may not show them yet."""
        index = self._all()
        for credential_id, (written, credential) in self._written.items():
            if credential is None:
                index.drop(credential_id)
            elif self._clock.is_young(written):
                index.put(credential)
