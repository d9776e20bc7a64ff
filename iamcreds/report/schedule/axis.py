"""The time axis of the timeline; pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DAYS = ((12, 1), (70, 7))
"""The maximum number of days of an axis, and the number of days between its ticks."""

_MONTHS = ((430, 1), (1_300, 3))
"""The same for ticks at the beginning of months; a longer axis has a tick for each year."""


@dataclass(frozen=True)
class Period:
    """The part of an axis up to the next tick.

    Attributes:
        x: its beginning.
        width: its width.
        label: the label of the tick at its beginning; empty for the first period, which has none.
        number: the number of events in it.
    """

    x: float
    width: float
    label: str
    number: int


@dataclass(frozen=True)
class Axis:
    """An axis from a time to a later one, between two x positions."""

    start: datetime
    end: datetime
    left: int
    right: int

    def place(self, when: datetime) -> float:
        """Return the x position of a time."""
        share = (when - self.start) / (self.end - self.start)
        return round(self.left + share * (self.right - self.left), 1)

    def list_periods(self, dates: Iterable[datetime]) -> Iterator[Period]:
        """Yield the periods, with the numbers of dates in each."""
        starts = [(self.start, ""), *self._list_ticks()]
        numbers = [0] * len(starts)
        times = [time for time, _ in starts]
        for date in dates:
            numbers[bisect_right(times, date) - 1] += 1
        edges = pairwise(chain(map(self.place, times), [float(self.right)]))
        for (x, end), (_, label), number in zip(edges, starts, numbers, strict=True):
            yield Period(x, round(end - x, 1), label, number)

    def _list_ticks(self) -> Iterator[tuple[datetime, str]]:
        length = (self.end - self.start).days
        days = next((step for most, step in _DAYS if length <= most), None)
        if days is None:
            return self._list_months(next((step for most, step in _MONTHS if length <= most), 12))
        return self._list_days(days)

    def _list_days(self, step: int) -> Iterator[tuple[datetime, str]]:
        """Yield each following midnight, or those of Mondays."""
        first = self.start.toordinal() + 1
        for day in range(first + (1 - first) % step, self.end.toordinal() + 1, step):
            tick = datetime.fromordinal(day).replace(tzinfo=UTC)
            yield tick, f"{tick.day} {tick:%b}"

    def _list_months(self, step: int) -> Iterator[tuple[datetime, str]]:
        """Yield the beginnings of months; the label of a January is its year."""
        first = self.start.year * 12 + self.start.month  # the number of the next month, from 0
        for month in range(first + -first % step, self.end.year * 12 + self.end.month, step):
            tick = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
            yield tick, f"{tick:%b}" if month % 12 else f"{tick:%Y}"
