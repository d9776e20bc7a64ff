"""A schedule as lines of text; pure. The same schedule gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.report.schedule.summary import describe_event, describe_limits, summarize
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule


def format_text(schedule: Schedule) -> str:
    """Return the date and the sentence of each event with the next step below it, then the summary and the notes."""
    lines = [line for event in schedule.events for line in _format_event(event, schedule)]
    lines += [summarize(schedule), *(f"note: {note}" for note in describe_limits(schedule))]
    return "\n".join(map(escape_invisible, lines))


def _format_event(event: Event, schedule: Schedule) -> Iterator[str]:
    yield describe_event(event, schedule)
    location = "" if event.location is None else f"{event.location}: "
    yield f"    {location}{event.next}"
