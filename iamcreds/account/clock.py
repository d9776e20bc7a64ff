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

_AGREEMENT = 1.5 * SECOND
"""Clocks that are no further apart are taken to agree, for the Date header could not tell them apart."""


class Clock:
    """AWS's clock.

    Args:
        now: this machine's clock, in UTC.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._ahead = timedelta()

    def observe(self, date: str | None) -> None:
        """Learn from an answer's Date header; one that is missing or no date tells nothing."""
        try:
            told = parsedate_to_datetime(date or "")
        except ValueError:
            return
        ahead = told.replace(tzinfo=told.tzinfo or UTC) + SECOND / 2 - self._now()
        self._ahead = timedelta() if abs(ahead) <= _AGREEMENT else ahead

    def now(self) -> datetime:
        """What AWS's clock says now, in UTC, to a second."""
        return self._now() + self._ahead

    def is_young(self, created: datetime) -> bool:
        """Whether something made or written at that time may still be missing from a list."""
        return self.until_old(created) > timedelta()

    def until_old(self, created: datetime) -> timedelta:
        """How long lists may still lack what was made or written at that time; not above zero: they have it."""
        return created + LAG - self.now()

    def may_be_within(self, created: datetime, start: datetime, end: datetime) -> bool:
        """Whether a date of IAM's, which is cut to the second, may stand for a time from start to end."""
        doubt = SECOND / 2 if self._ahead else timedelta()  # the Date header is cut to the second, too
        return created + SECOND > start - doubt and created <= end + doubt
