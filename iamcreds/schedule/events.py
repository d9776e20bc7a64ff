"""The coming events of declared users, from the specs, the account and, if given, the stack's state; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from iamcreds.drift.selection import EVERYTHING
from iamcreds.schedule.access_keys import find_key_events
from iamcreds.schedule.declared import Declared
from iamcreds.schedule.other_credentials import find_other_events

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredUser
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import Credential
    from iamcreds.schedule.event import Event

_Groups = dict[tuple[str, str], list["Credential"]]


@dataclass(frozen=True)
class Schedule:
    """The events of the selected users and services up to a time.

    Attributes:
        drift: the comparison of the specs with the account.
        until: the end.
        events: the events, soonest first.
        unknown: the number of declared credentials whose rotations are unknown, because the state is.
        max_rotations: the maximum number of credentials that one run rotates, None without a limit.
        missing: the declared users that IAM does not have and no update creates.
    """

    drift: Drift
    until: datetime
    events: tuple[Event, ...]
    unknown: int = 0
    max_rotations: int | None = None
    missing: tuple[str, ...] = ()

    @property
    def now(self) -> datetime:
        """The current time of the schedule."""
        return self.drift.inventory.read_at

    def is_due(self, event: Event) -> bool:
        """Return True if the time of an event has come."""
        return event.when <= self.now


def make_schedule(desired: Desired, drift: Drift, until: datetime, selection: Selection = EVERYTHING) -> Schedule:
    """Return the schedule up to a time; for the arguments, see `find_events`."""
    users = selection.narrow(desired).users
    rotating = [each for user in users for each in user.credentials if each.rotate]
    present = {user.name for user in drift.inventory.users}
    return Schedule(
        drift,
        until,
        tuple(find_events(desired, drift, selection, until)),
        unknown=0 if drift.state else len(rotating),
        max_rotations=desired.max_rotations,
        missing=tuple(user.name for user in users if user.credentials and not _will_exist(user, present)),
    )


def find_events(desired: Desired, drift: Drift, selection: Selection, until: datetime) -> list[Event]:
    """Return the events up to a time, and those that are overdue, soonest first.

    Rotations and ages of passwords need the state. Without it, the dates of renewals follow from the expiries that IAM
    returns, if they show which credential is the declared one.

    Args:
        desired: all specs.
        drift: their comparison with the account, whose time is the current time.
        selection: the selected users and services.
        until: the end of the schedule.
    """
    chosen, inventory = selection.narrow(desired), drift.inventory
    groups: _Groups = defaultdict(list)
    for credential in inventory.credentials:
        if selection.has(credential.user, credential.service):
            groups[credential.user, credential.service].append(credential)
    present = {user.name for user in inventory.users}
    users = (user for user in chosen.users if _will_exist(user, present))
    projections = list(chain.from_iterable(map(Declared(drift, groups).find_projections, users)))
    projected = {slot.recorded.id for each in projections for slot in each.facts.slots.values()}
    events = [
        *chain.from_iterable(projection.find_events(inventory.read_at, until) for projection in projections),
        *find_key_events(chosen, inventory, until),
        *find_other_events(chosen, chain.from_iterable(groups.values()), projected, drift, until),
    ]
    return sorted(events, key=lambda event: event.order)


def _will_exist(user: DesiredUser, present: Container[str]) -> bool:
    """Return True if the user exists, or if an update creates it."""
    return user.name in present or (user.iam_user is not None and not user.iam_user.is_imported)
