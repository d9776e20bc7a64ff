"""A schedule as an iCalendar file (RFC 5545); pure. The same schedule gives the same bytes.

Each event is a whole day, because an update at any time of the day is early enough, and because it is the same day in
calendars of all time zones. It blocks no time, and has no attendees.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from icalendar import Alarm, Calendar
from icalendar import Event as Entry

from iamcreds.report.schedule.summary import TITLES, describe_limits
from iamcreds.schedule.event import EventKind
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule

_NAMESPACE = uuid.UUID("8f4bb0f6-5a38-4a31-9d0c-3a8bbd2f7b17")
"""The namespace of the UIDs; with a different one, every import would duplicate all events."""

_ALARM_DAYS = (7, 1)
"""The days before an event at which calendars remind of it."""

_UPDATES = frozenset({EventKind.ROTATE, EventKind.RENEW})
"""The kinds of events before which a person has nothing to do, unless an unmanaged credential blocks them."""


def format_calendar(schedule: Schedule) -> bytes:
    """Return the calendar. An overdue event is on the day of the schedule, because calendars show no past days."""
    calendar, name = Calendar(), f"IAM credentials of account {schedule.drift.inventory.account}"
    calendar.add("prodid", "-//iamcreds//iamcreds schedule//EN")
    calendar.add("version", "2.0")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("description", ". ".join(map(escape_invisible, describe_limits(schedule))))
    for event, uid in _identify(schedule):
        calendar.add_component(_make_entry(event, uid, schedule))
    return bytes(calendar.to_ical())


def _identify(schedule: Schedule) -> Iterator[tuple[Event, str]]:
    """Yield the events with UIDs that later schedules have as well, so that an import changes events that it knows.

    A UID depends on the credential or key and on the number of the event. It does not depend on the date, which later
    runs move, nor on the id, which a declared credential gets only when an update creates it.
    """
    numbers: Counter[str] = Counter()
    for event in schedule.events:
        rule = event.rule if event.kind is EventKind.VIOLATE else ""
        subject = [event.resource, event.rotation] if event.desired is not None else [event.user, event.id]
        key = json.dumps([schedule.drift.inventory.account, event.kind, rule, event.service, *subject])
        yield event, str(uuid.uuid5(_NAMESPACE, f"{key}{numbers[key]}"))
        numbers[key] += 1


def _make_entry(event: Event, uid: str, schedule: Schedule) -> Entry:
    is_due, entry = schedule.is_due(event), Entry()
    since = f"due since {event.when:%Y-%m-%d}: " if is_due else ""
    entry.add("uid", uid)
    entry.add("dtstamp", schedule.now)
    entry.add("dtstart", max(event.when, schedule.now).date())
    entry.add("summary", escape_invisible(f"{since}{event.user}: {event.describe()}"))
    entry.add("description", "\n".join(map(escape_invisible, _describe(event))))
    entry.add("categories", ["IAM credentials", TITLES[event.kind][0]])
    entry.add("transp", "TRANSPARENT")
    for days in _ALARM_DAYS if event.kind not in _UPDATES or event.blocked_by else ():
        if event.when - timedelta(days=days) > schedule.now:
            entry.add_component(_make_alarm(days, event))
    return entry


def _describe(event: Event) -> Iterator[str]:
    yield f"{event.when:%Y-%m-%d %H:%M} UTC: {event.format_sentence()}"
    yield f"Next step: {event.next}"
    if event.location is not None:
        yield f"Declared at {event.location}"


def _make_alarm(days: int, event: Event) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", timedelta(days=-days))
    alarm.add("description", escape_invisible(f"{event.user}: {event.describe()}"))
    return alarm
