"""Waiting until lists must show what the last Creates on this machine made: until then nobody knows what is live."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.account.writing import LONGEST_CREATE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from iamcreds.account.cache import Cache
    from iamcreds.account.clock import Clock
    from iamcreds.account.creates import RecentCreate, RecentCreates
    from iamcreds.account.locks import CreateLocks
    from iamcreds.model import Credential

BETWEEN_LOOKS = timedelta(seconds=3)

_CLOCKS = timedelta(seconds=2)
"""Two dates of which one is told by AWS's clock and one by ours, as far as it knows AWS's, may be so far apart."""


class Settling:
    """Looks, and waits, for what Creates made whose answer no state may have.

    Args:
        recent: the Creates.
        locks: held while a Create is under way.
        cache: what the run knows, kept current.
        clock: AWS's clock.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        recent: RecentCreates,
        locks: CreateLocks,
        cache: Cache,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._recent = recent
        self._locks = locks
        self._cache = cache
        self._clock = clock
        self._sleep = sleep

    def settle(
        self, user: str, service: str, is_known: Callable[[str], bool], tell: Callable[[timedelta], None]
    ) -> None:
        """Wait until nothing is in doubt; see `Account.settle_creates`."""
        if not self._recent.read(user, service):
            return
        with self._locks.hold(user, service):  # one that is under way is waited for
            doubtful = self._find_doubtful(user, service, is_known)
        if doubtful:  # by what this run has read, which may be older than the Create
            self._cache.refresh(user)
            doubtful = self._find_doubtful(user, service, is_known)
        if not doubtful:
            return
        longest = max(self._clock.until_old(_made_by(create)) for create in doubtful)
        tell(longest)
        for _ in range(-(-longest // BETWEEN_LOOKS)):
            self._sleep(BETWEEN_LOOKS.total_seconds())
            self._cache.refresh(user)
            if not self._find_doubtful(user, service, is_known):
                return

    def _find_doubtful(self, user: str, service: str, is_known: Callable[[str], bool]) -> list[RecentCreate]:
        """The Creates of which a list may not show yet what they made."""
        creates = [create for create in self._recent.read(user, service) if self._may_be_unseen(create, user)]
        told = {create.made for create in creates}
        live = self._cache.of(user, service) if creates else []
        unclaimed = [credential for credential in live if credential.id not in told and not is_known(credential.id)]
        doubtful = []
        for create in creates:
            if self._has_appeared(create, live if create.made else unclaimed):
                self._recent.drop(user, create.call)
            elif create.made is None or not is_known(create.made):
                doubtful.append(create)
        return doubtful

    def _may_be_unseen(self, create: RecentCreate, user: str) -> bool:
        """Not what this process knows of, what is old, and what was for a user of that name who is no more.

        Nor what has not been called yet, by a clock that was put back since.
        """
        if create.is_of_this_process or not self._clock.is_young(_made_by(create)):
            return False  # as most are, and then all users need not be looked through
        since = next((found.created for found in self._cache.users() if found.name == user), create.began)
        return since - _CLOCKS <= create.began <= self._clock.now() + _CLOCKS

    def _has_appeared(self, create: RecentCreate, live: Collection[Credential]) -> bool:
        """Whether what it made is listed; where no answer has told its id, anything of the call's time may be it."""
        if create.made is not None:
            return any(credential.id == create.made for credential in live)
        began, ended = create.began, _made_by(create)
        return any(self._clock.may_be_within(credential.created, began, ended) for credential in live)


def _made_by(create: RecentCreate) -> datetime:
    """When it had made what it made, at the latest."""
    return create.began + LONGEST_CREATE
