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

    from iamcreds.desired import Desired
    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule

THRESHOLDS = (1, 7, 14, 30)
"""The days before an event at which a notice is sent, the last one first."""

HORIZON = timedelta(days=max(THRESHOLDS))
"""The length of the schedule that notices need."""


@dataclass(frozen=True)
class Notice:
    """A notice about an event. `days` is the crossed threshold, in days before the event; 0 from the event on."""

    event: Event
    days: int


def find_notices(desired: Desired, schedule: Schedule, period: timedelta) -> Iterator[Notice]:
    """Yield the notices of a run that takes place once per period, soonest event first.

    Each threshold is crossed in the period of exactly one run, if the runs are exactly one period apart. From the event
    on, each run yields a notice, until the event is no longer part of the schedule. A waived rule yields none, except
    for a violation, whose date is the end of its waiver.
    """
    users = {user.name: user for user in desired.users}
    for event in schedule.events:
        waiver = find_waiver_of(event.rule, users.get(event.user), event.desired, schedule.now)
        is_waived = waiver is not None and event.kind is not EventKind.VIOLATE
        days = None if is_waived else find_threshold(event.when, schedule.now, period)
        if days is not None:
            yield Notice(event, days)


def find_threshold(when: datetime, now: datetime, period: timedelta) -> int | None:
    """Return the last threshold that was crossed within the period before now, in days before an event; or None."""
    for days in (0, *THRESHOLDS):
        crossed = add_time(when, timedelta(days=-days))
        if crossed <= now:
            return days if days == 0 or now < add_time(crossed, period) else None
    return None
