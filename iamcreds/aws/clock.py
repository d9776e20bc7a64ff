"""AWS's clock, as far as its answers tell it: what is new or young is judged by it and not by this machine's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LAG = timedelta(seconds=60)
"""IAM is eventually consistent: what was written less than this ago may be missing from a list and yet be there."""

SECOND = timedelta(seconds=1)
"""The precision of the Date header and of every date that IAM tells."""


class Clock:
    """AWS's clock.

    Args:
        now: this machine's clock, in UTC.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._bounds: tuple[timedelta, timedelta] | None = None

    def local(self) -> datetime:
        """What this machine's clock says, in UTC."""
        return self._now()

    def observe(self, date: str | None, sent: datetime) -> None:
        """Learn from an answer's Date header; one that is missing or no date tells nothing.

        It was written at some time between the call, `sent` by this machine's clock, and now, and is cut to the second.
        So each answer says how far AWS's clock is ahead at least, and at most.
        """
        try:
            told = parsedate_to_datetime(date or "")
        except ValueError:
            return
        told = told.replace(tzinfo=told.tzinfo or UTC)
        least, most = told - self._now(), told + SECOND - sent
        if self._bounds is not None:
            known_least, known_most = self._bounds
            if least <= known_most and most >= known_least:  # else one of the clocks was set
                least, most = max(least, known_least), min(most, known_most)
        self._bounds = least, most

    def now(self) -> datetime:
        """What AWS's clock says now, in UTC, to a second."""
        return self.at(self._now())

    def at(self, local: datetime) -> datetime:
        """What AWS's clock said when this machine's said `local`, as well as it is known now."""
        least, most = self._ahead()
        return local + (least + most) / 2

    def is_young(self, created: datetime) -> bool:
        """Whether something made or written at that time may still be missing from a list."""
        return self.until_old(created) > timedelta()

    def listed_from(self, created: datetime) -> datetime:
        """Return the server time from which lists show a credential created at that time, or lack a deleted one."""
        latest = datetime.max.replace(tzinfo=created.tzinfo)
        return created + min(LAG, latest - created)

    def until_old(self, created: datetime) -> timedelta:
        """How long lists may still lack what was made or written at that time; not above zero: they have it."""
        return LAG - (self.now() - created)

    def may_be_within(self, created: datetime, start: datetime, end: datetime) -> bool:
        """Whether a date of IAM's, which is cut to the second, may stand for a time from start to end, both AWS's."""
        least, most = self._ahead()
        doubt = (most - least) / 2
        return created - start > -(SECOND + doubt) and created - end <= doubt

    def _ahead(self) -> tuple[timedelta, timedelta]:
        """How far AWS's clock is ahead, at least and at most; clocks that may agree are taken to agree."""
        least, most = self._bounds or (timedelta(), timedelta())
        return (timedelta(), timedelta()) if least <= timedelta() <= most else (least, most)
