"""The notices about events whose thresholds were crossed recently; pure. No ledger of earlier notices exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.drift.waivers import find_waiver_of
from iamcreds.due_dates import add_time
from iamcreds.schedule.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredUser
    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule

THRESHOLDS = (1, 7, 14, 30)
"""The days before an event at which a notice is sent, the last one first."""

HORIZON = timedelta(days=max(THRESHOLDS))
"""The length of the schedule that notices need."""

_UPDATES = (EventKind.ROTATE, EventKind.RENEW)
"""The events from which the later dates of a credential count."""


@dataclass(frozen=True)
class Notice:
    """A notice about an event. `days` is the crossed threshold, in days before the event; 0 from the event on."""

    event: Event
    days: int


def find_notices(desired: Desired, schedule: Schedule, period: timedelta) -> Iterator[Notice]:
    """Yield the notices of a run that takes place once per period, soonest event first.

    Each threshold is crossed in the period of exactly one run, if the runs are exactly one period apart. From the event
    on, each run yields a notice, until the event is no longer part of the schedule. A waived event yields none, and
    neither does one whose date moves with each run, because it counts from an overdue update.
    """
    users, now = {user.name: user for user in desired.users}, schedule.now
    overdue = {event.desired for event in schedule.events if event.kind in _UPDATES and event.when <= now}
    for event in schedule.events:
        days = find_threshold(event.when, now, period)
        is_moving = event.when > now and event.desired in overdue and not _has_fixed_date(event)
        if days is not None and not is_moving and not _is_waived(event, users.get(event.user), now):
            yield Notice(event, days)


def _has_fixed_date(event: Event) -> bool:
    """Return True if the date is that of an existing credential, also if its successor is overdue."""
    is_violation = event.kind is EventKind.VIOLATE and event.is_previous
    return bool(event.id) and (event.kind is EventKind.EXPIRE or is_violation)


def _is_waived(event: Event, user: DesiredUser | None, now: datetime) -> bool:
    """Return True if specs waive the finding about an event.

    Drift reports an expiry before its date, and any other event from its date on. So a waiver that ends before the
    date of a rotation suppresses no notice about it. If several declared credentials are possible, each of them must
    have a waiver, as in drift.
    """
    at = now if event.kind is EventKind.EXPIRE else max(event.when, now)
    declared = event.candidates or (event.desired,)
    return any(all(find_waiver_of(rule, user, each, at) for each in declared) for rule in event.list_rules(at))


def find_threshold(when: datetime, now: datetime, period: timedelta) -> int | None:
    """Return the last threshold that was crossed within the period before now, in days before an event; or None."""
    for days in (0, *THRESHOLDS):
        crossed = add_time(when, timedelta(days=-days))
        if crossed <= now:
            return days if days == 0 or now < add_time(crossed, period) else None
    return None
