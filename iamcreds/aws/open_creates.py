"""Creates of earlier runs that are open until there is evidence of their credential.

Evidence is its id in the state, or lists that have shown it for longer than IAM's eventual consistency takes. The
normal end of a process is not evidence, because the engine may have failed to write the state.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from iamcreds.aws.clock import Clock
    from iamcreds.aws.create_journal import CreateJournal, NotedCreate
    from iamcreds.aws.inventory import CredentialInventory
    from iamcreds.aws.users import Users
    from iamcreds.model import Credential

BETWEEN_LOOKS = timedelta(seconds=3)

_REMEMBERED = timedelta(hours=1)
"""Time for which runs look for a credential that IAM confirmed; a later run relies on its first list."""

_CLOCKS = timedelta(seconds=2)
"""Maximum difference between a date of AWS and the estimated server time of the same moment."""


class OpenCreates:
    """The search for created credentials that the state may lack.

    Args:
        journal: the creates of this machine.
        inventory: the credentials of the account.
        users: the users of the account.
        clock: server time.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        journal: CreateJournal,
        inventory: CredentialInventory,
        users: Users,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._journal = journal
        self._inventory = inventory
        self._users = users
        self._clock = clock
        self._sleep = sleep

    def wait(
        self, user: str, service: str, is_known: Callable[[str], bool], report: Callable[[timedelta], None]
    ) -> None:
        """Wait until lists show the credential of every open create, or would show it if it existed.

        A create is open until the state has its id, or until lists have consistently shown or lacked its credential for
        as long as IAM needs to become consistent. A run that counts credentials earlier may create one too many.

        Args:
            user: name of the IAM user.
            service: full name of the service.
            is_known: returns True for the id of a credential that the state has.
            report: receives the longest possible wait, if there is one.

        Raises:
            AccountError
        """
        if not self._find_open(user, service, is_known):
            return
        with self._journal.hold(user, service):  # waits for a create in flight
            missing = self._find_missing(user, service, is_known, is_new_list=False)
        missing = missing and self._look(user, service, is_known)
        if not missing:
            return
        longest = max(self._clock.until_old(_last_change(create)) for create in missing)
        report(longest)
        for _ in range(-(-longest // BETWEEN_LOOKS)):
            self._sleep(BETWEEN_LOOKS.total_seconds())
            if not self._look(user, service, is_known):
                return

    def _look(self, user: str, service: str, is_known: Callable[[str], bool]) -> list[NotedCreate]:
        self._inventory.refresh(user)
        return self._find_missing(user, service, is_known, is_new_list=True)

    def _find_missing(
        self, user: str, service: str, is_known: Callable[[str], bool], *, is_new_list: bool
    ) -> list[NotedCreate]:
        """Return the open creates whose credential the list lacks; a list older than a create is not evidence."""
        creates = self._find_open(user, service, is_known)
        creates = [create for create in creates if not self._is_for_earlier_user(user, create)]
        existing = self._inventory.of(user, service) if creates else []
        ids = {create.id for create in creates}
        unclaimed = [credential for credential in existing if credential.id not in ids and not is_known(credential.id)]
        missing = []
        for create in creates:
            is_listed = self._is_listed(create, existing, unclaimed)
            exists = create.id is not None or create.is_listed is not None
            is_change = is_listed is not create.is_listed and (is_listed or (is_new_list and exists))
            updated = self._journal.note_list(user, create, is_listed=is_listed) if is_change else create
            if not is_listed:
                missing.append(updated)
        return missing

    def _find_open(self, user: str, service: str, is_known: Callable[[str], bool]) -> list[NotedCreate]:
        """Return the creates of other processes without evidence; close those whose credential the state has."""
        creates = []
        for create in self._journal.read(user, service):
            if create.is_of_this_process or not self._is_open(create):
                continue
            if create.id is not None and is_known(create.id):
                self._journal.close(user, create.call)
            else:
                creates.append(create)
        return creates

    def _is_open(self, create: NotedCreate) -> bool:
        """Return True if lists may be inconsistent, or if no run has looked for a credential that IAM confirmed."""
        now = self._clock.now()
        if create.began - now > _CLOCKS:
            return False  # server time only moves forward: the create is from an emulator whose clock was set back
        if create.id is not None and create.since is None:
            return now - create.created < _REMEMBERED
        return self._clock.is_young(_last_change(create))

    def _is_for_earlier_user(self, user: str, create: NotedCreate) -> bool:
        """Return True if the user was deleted and recreated since: IAM does not delete a user who has credentials."""
        latest, tolerance = (create.began, _CLOCKS) if create.id is None else (create.created, timedelta())
        return any(existing.created - latest > tolerance for existing in self._users.all() if existing.name == user)

    def _is_listed(self, create: NotedCreate, existing: list[Credential], unclaimed: list[Credential]) -> bool:
        """Return True if a list shows the credential. Without an id, use each unclaimed candidate for one create."""
        if create.id is not None:
            return any(credential.id == create.id for credential in existing)
        candidates = (credential for credential in unclaimed if create.may_have_created(credential, self._clock))
        candidate = next(candidates, None)
        if candidate is not None:
            unclaimed.remove(candidate)
        return candidate is not None


def _last_change(create: NotedCreate) -> datetime:
    """Return the server time of the create, or of the first list with its current result if that is later."""
    return create.created if create.since is None else max(create.created, create.since)
