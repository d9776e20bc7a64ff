"""A schedule as lines of text; pure. The same schedule gives the same bytes."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from iamcreds.report.schedule.summary import describe_limits, summarize
from iamcreds.schedule.event import EventKind
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule

_DATE_WIDTH, _KIND_WIDTH = 10, max(map(len, EventKind))
_UPDATE = "pulumi up"
"""The next step that needs no line of its own, because the sentence contains it."""


def format_text(schedule: Schedule) -> str:
    """Return the events under a heading for each month, then the summary and the notes.

    An event is a line with its date, kind and sentence. Below it are the source location and the next step, if that is
    more than an update.
    """
    lines: list[str] = []
    for heading, events in groupby(schedule.events, key=lambda event: _find_heading(event, schedule)):
        lines += [heading, *(line for event in events for line in _format_event(event)), ""]
    lines += [summarize(schedule), *(f"note: {note}" for note in describe_limits(schedule))]
    return "\n".join(map(escape_invisible, lines))


def _find_heading(event: Event, schedule: Schedule) -> str:
    return "Due since" if schedule.is_due(event) else f"{_MONTHS[event.when.month - 1]} {event.when.year}"


def _format_event(event: Event) -> Iterator[str]:
    rule = f" [{event.rule}]" if event.kind is EventKind.VIOLATE else ""
    yield f"{event.when:%Y-%m-%d}  {event.kind:<{_KIND_WIDTH}}  {event.user}: {event.describe()}{rule}"
    if event.next != _UPDATE:
        location = "" if event.location is None else f"{event.location}: "
        yield f"{' ' * (_DATE_WIDTH + _KIND_WIDTH + 4)}{location}{event.next}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
"""The names of the months; those of `strftime` depend on the locale."""
