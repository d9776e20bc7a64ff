"""The summary and the limits of a schedule, for every output format; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from iamcreds.schedule.event import EventKind
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule

_MAX_NAMES = 10

TITLES = {
    EventKind.ROTATE: ("rotation", "rotations"),
    EventKind.RETIRE: ("retirement", "retirements"),
    EventKind.RENEW: ("renewal", "renewals"),
    EventKind.EXPIRE: ("expiry", "expiries"),
    EventKind.VIOLATE: ("policy violation", "policy violations"),
}
"""The names of the kinds of events, for one and for several."""


def summarize(schedule: Schedule) -> str:
    """Return the numbers of events: `2 rotations, 1 expiry until 2027-03-31 in account 123456789012`."""
    numbers = Counter(event.kind for event in schedule.events)
    counts = [format_count(numbers[kind], *titles) for kind, titles in TITLES.items() if numbers[kind]]
    account = schedule.drift.inventory.account
    return f"{', '.join(counts) or 'no events'} until {schedule.until:%Y-%m-%d} in account {account}"


def describe_event(event: Event, schedule: Schedule) -> str:
    """Return the date and the sentence of an event: `due since 2026-11-20 jane: pulumi up rotates … [rotate]`."""
    prefix = "due since " if schedule.is_due(event) else ""
    return f"{prefix}{event.when:%Y-%m-%d} {event.format_sentence()}"


def describe_limits(schedule: Schedule) -> Iterator[str]:
    """Yield sentences on the basis of the dates, and on unknown events."""
    yield "dates are in UTC, and each one assumes that `pulumi up` runs now and at the dates before it"
    if schedule.missing:
        users, more = format_count(len(schedule.missing), "user"), len(schedule.missing) - _MAX_NAMES
        names = ", ".join(schedule.missing[:_MAX_NAMES]) + (f" and {more:,} more" if more > 0 else "")
        yield f"no dates of credentials of {users} that IAM does not have: {names}"
    if schedule.unknown:
        credentials = format_count(schedule.unknown, "credential")
        yield f"rotations of {credentials} unknown: only the stack's state has their dates (--state)"
    if schedule.drift.ages:
        credentials = format_count(schedule.drift.ages, "credential")
        yield f"age limits of {credentials} unknown: only the stack's state has the dates of resets (--state)"
    yield from _describe_busy_days(schedule)
    yield from schedule.drift.store_notes


def _describe_busy_days(schedule: Schedule) -> Iterator[str]:
    """Yield a sentence if more rotations are due on a day than one run performs."""
    limit = schedule.max_rotations
    rotations = (event for event in schedule.events if event.kind is EventKind.ROTATE and not event.blocked_by)
    days = Counter(max(event.when, schedule.now).date() for event in rotations)
    busy = [day for day, number in sorted(days.items()) if limit is not None and number > limit]
    if busy:
        others = f" and {format_count(len(busy) - 1, 'other day')}" if len(busy) > 1 else ""
        yield f"more rotations than `maxPerRun` ({limit:,}) are due on {busy[0]}{others}: later runs rotate the rest"
