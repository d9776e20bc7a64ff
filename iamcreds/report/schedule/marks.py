"""The marks and bars of a row of the timeline; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iamcreds.report.schedule.summary import describe_event
from iamcreds.schedule.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from iamcreds.report.schedule.axis import Axis
    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule

SIZE = 10
"""The width of a mark, and the minimum distance between two marks on one line."""

_COUNTED = 44
"""The width of a mark for several events, with their number."""

_LISTED = 5
"""The maximum number of sentences in the title of a mark."""

OVERDUE = 344
"""The x position of the area for overdue events, which is left of the axis."""

_STEP = 30
"""The distance between two marks for overdue events."""

_ENDS = {
    EventKind.ROTATE: "the previous password or key works until",
    EventKind.RENEW: "the previous key works until",
    EventKind.EXPIRE: "expires on",
}
"""The beginnings of the titles of bars, by the kind of their events."""


@dataclass(frozen=True)
class Mark:
    """A mark for an event, or for several of the same kind that are too close to each other for marks of their own.

    Attributes:
        kind: the kind of the events.
        x: the position of the first one.
        events: the events, soonest first.
        line: the line within the row; marks that would overlap are on different ones.
    """

    kind: EventKind
    x: float
    events: Sequence[Event]
    line: int = 0

    @property
    def width(self) -> int:
        """The width of the mark with its number."""
        return SIZE if len(self.events) == 1 else _COUNTED

    def describe(self, schedule: Schedule) -> Iterator[str]:
        """Yield the first sentences, each with its date, and the number of the others."""
        for event in self.events[:_LISTED]:
            yield describe_event(event, schedule)
        if len(self.events) > _LISTED:
            yield f"and {len(self.events) - _LISTED:,} more until {self.events[-1].when:%Y-%m-%d}"


@dataclass(frozen=True)
class Bar:
    """The time in which a credential works although it has a successor, or the time up to its expiry."""

    kind: EventKind
    x: float
    width: float
    title: str


def place_marks(events: Sequence[Event], schedule: Schedule, axis: Axis) -> Iterator[Mark]:
    """Yield the marks of a row: those of overdue events left of the axis, the others at their dates."""
    overdue = _group_by_kind(event for event in events if schedule.is_due(event))
    for number, group in enumerate(overdue):
        yield Mark(group[0].kind, OVERDUE + SIZE + number % 2 * _STEP, group, number // 2)
    ahead = _group_by_kind(event for event in events if not schedule.is_due(event))
    yield from _stack([mark for group in ahead for mark in _gather(group, axis)])


def _group_by_kind(events: Iterable[Event]) -> Iterable[Sequence[Event]]:
    groups: dict[EventKind, list[Event]] = defaultdict(list)
    for event in events:
        groups[event.kind].append(event)
    return groups.values()


def _gather(events: Sequence[Event], axis: Axis) -> Iterator[Mark]:
    """Yield a mark for each event of a kind; if the next one would overlap it, it is for all in its width."""
    places = [axis.place(event.when) for event in events]
    first = 0
    while first < len(events):
        is_crowded = first + 1 < len(events) and places[first + 1] < places[first] + SIZE
        reach = places[first] + (_COUNTED if is_crowded else SIZE)
        end = next((number for number in range(first, len(events)) if places[number] >= reach), len(events))
        yield Mark(events[first].kind, places[first], events[first:end])
        first = end


def _stack(marks: Sequence[Mark]) -> Iterator[Mark]:
    """Yield the marks with the first line on which they overlap no other one."""
    ends: list[float] = []
    for mark in sorted(marks, key=lambda mark: mark.x):
        line = next((number for number, end in enumerate(ends) if end <= mark.x), len(ends))
        ends[line : line + 1] = [mark.x + mark.width]
        yield replace(mark, line=line)


def place_bars(events: Sequence[Event], axis: Axis) -> Iterator[Bar]:
    """Yield the bars of a row, without those that would hide each other."""
    edge: dict[EventKind, float] = {}
    for event, start, end in _find_spans(events, axis):
        left, right = max(axis.place(start), edge.get(event.kind, axis.left)), axis.place(min(end, axis.end))
        edge[event.kind] = max(right, left)
        if right - left >= 1:
            yield Bar(event.kind, left, round(right - left, 1), f"{_ENDS[event.kind]} {end:%Y-%m-%d}")


def _find_spans(events: Sequence[Event], axis: Axis) -> Iterator[tuple[Event, datetime, datetime]]:
    """Yield the beginning and the end of overlaps and, for keys without a successor, of the time up to the expiry."""
    for event in events:
        if event.until is not None:
            yield event, max(event.when, axis.start), event.until
        elif event.kind is EventKind.EXPIRE and not event.is_previous:
            yield event, axis.start, event.when
