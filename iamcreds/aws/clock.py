"""Server time, estimated from the responses of AWS. The age of a credential is measured by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LAG = timedelta(seconds=60)
"""IAM is eventually consistent: for this long, a list may lack a created credential or show a deleted one."""

SECOND = timedelta(seconds=1)
"""The precision of the Date header and of every date in IAM's responses."""


class Clock:
    """An estimate of server time.

    Args:
        now: returns this machine's time, in UTC.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._bounds: tuple[timedelta, timedelta] | None = None

    def local(self) -> datetime:
        """Return this machine's time, in UTC."""
        return self._now()

    def observe(self, date: str | None, sent: datetime) -> None:
        """Update the estimate from the Date header of a response; ignore a missing or invalid one.

        AWS wrote the header between `sent`, the local time of the call, and now, in whole seconds. Each response
        therefore gives a lower and an upper bound for the difference between the two clocks.
        """
        try:
            server = parsedate_to_datetime(date or "")
        except ValueError:
            return
        server = server.replace(tzinfo=server.tzinfo or UTC)
        least, most = server - self._now(), server + SECOND - sent
        if self._bounds is not None:
            previous_least, previous_most = self._bounds
            if least <= previous_most and most >= previous_least:  # otherwise one of the clocks was set
                least, most = max(least, previous_least), min(most, previous_most)
        self._bounds = least, most

    def now(self) -> datetime:
        """Return the current server time in UTC, to about a second."""
        return self.at(self._now())

    def at(self, local: datetime) -> datetime:
        """Return the server time for a local time, by the current estimate."""
        least, most = self._ahead()
        return local + (least + most) / 2

    def is_young(self, created: datetime) -> bool:
        """Return True if a list may still lack a change of that server time."""
        return self.until_old(created) > timedelta()

    def listed_from(self, created: datetime) -> datetime:
        """Return the server time from which lists show a credential created at that time, or lack a deleted one."""
        latest = datetime.max.replace(tzinfo=created.tzinfo)
        return created + min(LAG, latest - created)

    def until_old(self, created: datetime) -> timedelta:
        """Return how long lists may still lack a change of that server time; zero or less if they must show it."""
        return LAG - (self.now() - created)

    def may_be_within(self, created: datetime, start: datetime, end: datetime) -> bool:
        """Return True if a date of IAM, in whole seconds, may be between the server times start and end."""
        least, most = self._ahead()
        tolerance = (most - least) / 2
        return created - start > -(SECOND + tolerance) and created - end <= tolerance

    def _ahead(self) -> tuple[timedelta, timedelta]:
        """Return the bounds for server time minus local time; both are zero if the clocks may agree."""
        least, most = self._bounds or (timedelta(), timedelta())
        return (timedelta(), timedelta()) if least <= timedelta() <= most else (least, most)
