"""A schedule as a timeline in SVG, as a separate file or in the HTML report; pure.

The picture has no script and no reference to a file or host. The same schedule gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from markupsafe import Markup

from iamcreds.report.schedule.axis import Axis
from iamcreds.report.schedule.holders import group_events
from iamcreds.report.schedule.marks import OVERDUE, SIZE, place_bars, place_marks
from iamcreds.report.schedule.summary import TITLES, describe_event, describe_limits, summarize
from iamcreds.report.templates import load_environment, read_inline
from iamcreds.schedule.event import EventKind
from iamcreds.text.escaping import escape_invisible
from iamcreds.text.formatting import capitalize, format_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.report.schedule.holders import Holder
    from iamcreds.report.schedule.marks import Bar, Mark
    from iamcreds.schedule.events import Schedule

MAX_ROWS = 30
"""The maximum number of rows. The credentials with the soonest events have one, and the others are counted."""

WIDTH, LEFT, RIGHT = 1000, 416, 952
"""The width of the picture, and the ends of its axis; marks with numbers need the space on the right."""

_PACKAGE = "iamcreds.report.schedule"
_LINE = 14
_PADDING = 8
_USER_LENGTH, _LABEL_LENGTH = 20, 14

SHAPES = {
    EventKind.ROTATE: "M-5,0a5,5 0 1 0 10,0a5,5 0 1 0 -10,0z",
    EventKind.RETIRE: "M-4.5,-4.5h9v9h-9z",
    EventKind.RENEW: "M0,-5.5L5.5,4.5H-5.5z",
    EventKind.EXPIRE: "M0,-6L6,0L0,6L-6,0z",
    EventKind.VIOLATE: "M-5,-3L-3,-5L0,-2L3,-5L5,-3L2,0L5,3L3,5L0,2L-3,5L-5,3L-2,0z",
}
"""The shape of the marks of each kind, which also differ without their color."""


@dataclass(frozen=True)
class Row:
    """A row of the timeline.

    Attributes:
        holder: its credential or access keys.
        top: the y position of its upper edge.
        height: its height.
        marks: the marks of its events.
        bars: the bars below them.
    """

    holder: Holder
    top: int
    height: int
    marks: Sequence[Mark]
    bars: Sequence[Bar]

    @property
    def user(self) -> str:
        """The name of the user, shortened if it does not fit."""
        return _cut(self.holder.user, _USER_LENGTH + max(0, _LABEL_LENGTH - len(self.holder.label)))

    @property
    def label(self) -> str:
        """The label of the holder, shortened if it does not fit."""
        return _cut(self.holder.label, _LABEL_LENGTH + max(0, _USER_LENGTH - len(self.holder.user)))


def format_svg(schedule: Schedule) -> str:
    """Return the timeline as an SVG document with its own style."""
    return _render(schedule, style=STYLE)


def render_inline(schedule: Schedule) -> Markup:
    """Return the timeline for an HTML document, which has the style."""
    return Markup(_render(schedule, style=None))  # noqa: S704 - the template escapes every text


STYLE = read_inline(_PACKAGE, "timeline.css")
"""The style of the timeline."""


def _render(schedule: Schedule, *, style: Markup | None) -> str:
    holders = group_events(schedule.events)
    end = max(schedule.until, schedule.now + timedelta(days=1))
    axis = Axis(schedule.now, end, LEFT, RIGHT)
    ahead = [event.when for event in schedule.events if not schedule.is_due(event)]
    rows = tuple(_build_rows(holders[:MAX_ROWS], schedule, axis))
    periods = tuple(axis.list_periods(ahead))
    overdue = len(schedule.events) - len(ahead)
    return load_environment(_PACKAGE).get_template("timeline.svg.j2").render(
        schedule=schedule,
        style=style,
        summary=capitalize(summarize(schedule)),
        soonest=[describe_event(event, schedule) for event in schedule.events[:1]],
        notes=[capitalize(note).replace("`", "") for note in describe_limits(schedule)],
        titles=TITLES,
        shapes=SHAPES,
        rows=rows,
        height=sum(row.height for row in rows) or _LINE + _PADDING,
        others=_describe_others(holders[MAX_ROWS:]),
        periods=periods,
        overdue=overdue,
        most=max(overdue, *(period.number for period in periods), 1),
        width=WIDTH,
        left=LEFT,
        right=RIGHT,
        overdue_left=OVERDUE,
        size=SIZE,
        line=_LINE,
    )  # fmt: skip


def _build_rows(holders: Sequence[Holder], schedule: Schedule, axis: Axis) -> Iterator[Row]:
    rows = [_build_row(holder, schedule, axis) for holder in holders]
    tops = accumulate((row.height for row in rows), initial=0)
    yield from (replace(row, top=top) for row, top in zip(rows, tops, strict=False))


def _build_row(holder: Holder, schedule: Schedule, axis: Axis) -> Row:
    marks = tuple(place_marks(holder.events, schedule, axis))
    lines = 1 + max(mark.line for mark in marks)
    return Row(holder, 0, _PADDING + _LINE * lines, marks, tuple(place_bars(holder.events, axis)))


def _describe_others(holders: Sequence[Holder]) -> str:
    """Return the numbers of the holders that have no row, and the date of their first event."""
    if not holders:
        return ""
    events = format_count(sum(len(holder.events) for holder in holders), "event")
    rows = format_count(len(holders), "more row")
    return f"{rows} with {events} not shown, the first on {holders[0].events[0].when:%Y-%m-%d}"


def _cut(text: str, length: int) -> str:
    """Return a text with its beginning and its end, which distinguishes ids, if it is too long."""
    text, tail = escape_invisible(text), length // 3
    return text if len(text) <= length else f"{text[: length - tail - 1]}…{text[-tail:]}"
