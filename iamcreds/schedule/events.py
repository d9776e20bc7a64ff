"""The coming events of declared users, from the specs, the account and, if given, the stack's state; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from iamcreds.drift.selection import EVERYTHING
from iamcreds.drift.waivers import find_waiver_of
from iamcreds.due_dates import add_time
from iamcreds.model import Status
from iamcreds.schedule.access_keys import find_key_events
from iamcreds.schedule.event import Event, EventKind
from iamcreds.schedule.known_slots import read_recorded_slots, read_shown_slots
from iamcreds.schedule.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredCredential, DesiredUser
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import Credential
    from iamcreds.planning.slot_plan import Slot

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
    """

    drift: Drift
    until: datetime
    events: tuple[Event, ...]
    unknown: int = 0
    max_rotations: int | None = None

    @property
    def now(self) -> datetime:
        """The current time of the schedule."""
        return self.drift.inventory.read_at

    def is_due(self, event: Event) -> bool:
        """Return True if the time of an event has come."""
        return event.when <= self.now


def make_schedule(desired: Desired, drift: Drift, until: datetime, selection: Selection = EVERYTHING) -> Schedule:
    """Return the schedule up to a time; for the arguments, see `find_events`."""
    rotating = [each for user in selection.narrow(desired).users for each in user.credentials if each.rotate]
    events = tuple(find_events(desired, drift, selection, until))
    return Schedule(drift, until, events, 0 if drift.state else len(rotating), desired.max_rotations)


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
    chosen, now = selection.narrow(desired), drift.inventory.read_at
    groups: _Groups = defaultdict(list)
    for credential in drift.inventory.credentials:
        if selection.has(credential.user, credential.service):
            groups[credential.user, credential.service].append(credential)
    present = {user.name for user in drift.inventory.users}
    events = [
        *chain.from_iterable(
            projection.list_events(now, until)
            for user in chosen.users
            if user.name in present
            for projection in _project_user(user, groups, drift)
        ),
        *find_key_events(chosen, drift.inventory, until),
    ]
    events += _find_others(chosen, groups, {event.id for event in events}, drift, until)
    users = {user.name: user for user in chosen.users}
    return sorted((_defer(event, users, now) for event in events), key=lambda event: event.order)


def _project_user(user: DesiredUser, groups: _Groups, drift: Drift) -> Iterator[Projection]:
    """Yield a projection for each declared credential whose slots are known."""
    policy = user.credential_policy
    max_age_days = None if policy is None or drift.state is None else policy.max_age_days
    for credential in user.credentials:
        group = groups[user.name, credential.service]
        slots = _find_slots(user, credential, group, drift)
        if slots is None:
            continue
        yield Projection(
            desired=credential,
            slots=slots,
            account=drift.inventory.account,
            unmanaged=() if drift.state is None else tuple(filter(drift.state.is_unmanaged, group)),
            max_age_days=max_age_days,
            last_read=None if drift.state is None else drift.state.find_last_read(drift.state.find(credential)),
            is_lost=drift.state is not None and drift.state.is_secret_lost(credential),
        )


def _find_slots(
    user: DesiredUser, credential: DesiredCredential, group: Sequence[Credential], drift: Drift
) -> Mapping[int, Slot] | None:
    if drift.state is not None:
        return read_recorded_slots(credential, drift.state, drift.inventory)
    declared = [each for each in user.credentials if each.service == credential.service]
    return read_shown_slots(credential, declared, group)


def _find_others(chosen: Desired, groups: _Groups, found: set[str], drift: Drift, until: datetime) -> Iterator[Event]:
    """Yield the expiries, and the age limits, of existing credentials whose declaration is unknown or missing."""
    users, now = {user.name: user for user in chosen.users}, drift.inventory.read_at
    for credential in chain.from_iterable(groups.values()):
        user = users.get(credential.user)
        known = drift.state is not None and not drift.state.is_unmanaged(credential)
        if credential.id in found or known:
            continue
        event = _make_expiry(credential, user, now, is_state_known=drift.state is not None)
        if credential.expires is not None and now < credential.expires <= until:
            yield replace(event, when=credential.expires)
        policy = None if user is None else user.credential_policy
        if policy is None or policy.max_age_days is None or drift.state is None:
            continue
        limit = add_time(credential.created, timedelta(days=policy.max_age_days))
        if credential.status is Status.ACTIVE and limit <= until:
            kind, rule = EventKind.VIOLATE, "credential-too-old"
            yield replace(event, when=limit, kind=kind, rule=rule, limit=policy.max_age_days)


def _make_expiry(credential: Credential, user: DesiredUser | None, at: datetime, *, is_state_known: bool) -> Event:
    """Return the expiry of a credential at a time. Without the state, it may be any declared one of its service."""
    declared = () if user is None or is_state_known else user.credentials
    candidates = tuple(each for each in declared if each.service == credential.service)
    owners = {each.owner for each in candidates}
    owner, location = (None, None) if user is None else (user.owner, user.location)
    return Event(
        when=at,
        kind=EventKind.EXPIRE,
        user=credential.user,
        service=credential.service,
        id=credential.id,
        rule="expiring-soon",
        location=candidates[0].location if len(candidates) == 1 else location,
        owner=owners.pop() if len(owners) == 1 else owner,
        candidates=candidates,
    )


def _defer(event: Event, users: Mapping[str, DesiredUser], now: datetime) -> Event:
    """Return a violation at the end of its waiver, if specs waive it at its date."""
    if event.kind is not EventKind.VIOLATE:
        return event
    waiver = find_waiver_of(event.rule, users.get(event.user), event.desired, max(event.when, now))
    return event if waiver is None else replace(event, when=waiver.until)
