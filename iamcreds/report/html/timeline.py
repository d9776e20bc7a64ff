"""The timeline of the report; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.report.html.rows import select_credentials
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from iamcreds.report.html.rows import KeyRow, Subject

MONTHS = 12
"""The number of months in the timeline's chart, including the current one; later events are counted together."""


@dataclass(frozen=True, order=True)
class Event:
    """A future event, `what`, of the credential or access key `id` (empty if unknown)."""

    when: datetime
    user: str
    what: str
    id: str
    days: int
    is_of_key: bool


@dataclass(frozen=True)
class Month:
    """The numbers of expiries, and of access keys that pass their age limit, in a month."""

    name: str
    expiries: int
    limits: int

    @property
    def total(self) -> int:
        """The number of both."""
        return self.expiries + self.limits


def find_events(subject: Subject, keys: Sequence[KeyRow]) -> list[Event]:
    """Return the future expiries of credentials and age limits of the given access keys, soonest first."""
    events = [*_find_expiries(subject), *_find_limits(subject, keys)]
    return sorted(event for event in events if event.when > subject.read_at)


def _find_expiries(subject: Subject) -> Iterator[Event]:
    previous = {each.credential.id for each in subject.drift.previous}
    for credential in select_credentials(subject):
        expires = credential.expires
        if expires is not None:
            prefix = "previous " if credential.id in previous else ""
            what = f"{prefix}{service_alias(credential.service)} credential expires"
            yield Event(expires, credential.user, what, credential.id, subject.days_until(expires), is_of_key=False)


def _find_limits(subject: Subject, keys: Sequence[KeyRow]) -> Iterator[Event]:
    for key in keys:
        if key.limit is not None:
            # the credential report has the date of a key's last change, so the key may be older
            what = f"access key exceeds its age limit{'' if key.id else ', at the latest'}"
            yield Event(key.limit, key.user, what, key.id, subject.days_until(key.limit), is_of_key=True)


def count_by_month(subject: Subject, ahead: Sequence[Event]) -> list[Month]:
    """Count the events of each of the next months, this month first; the last entry counts everything later."""
    first = _number_month(subject.read_at)
    counts = Counter((min(_number_month(event.when) - first, MONTHS), event.is_of_key) for event in ahead)
    names = [f"{subject.read_at.replace(day=1, month=(first + number) % 12 + 1):%b}" for number in range(MONTHS)]
    return [Month(name, counts[at, False], counts[at, True]) for at, name in enumerate([*names, "later"])]


def _number_month(date: datetime) -> int:
    return date.year * 12 + date.month - 1
