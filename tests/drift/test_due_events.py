"""Drift and schedule agree: drift reports a due rotation or renewal exactly if the schedule has one."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.desired import Desired, DesiredUser
from iamcreds.drift.comparing import SOON, compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.changed import ResetPending
from iamcreds.drift.rules.difference import Kind
from iamcreds.model import Inventory, StackExport, Status, User
from iamcreds.planning.slot_facts import SlotFacts
from iamcreds.planning.slot_plan import Slot, StoreFacts
from iamcreds.schedule.event import EventKind
from iamcreds.schedule.events import make_schedule
from iamcreds.schedule.projection import Projection
from tests.drift.test_comparing import NOW, USER_PLACE
from tests.drift.test_rotation import (
    DECLARED,
    DUE,
    EXPIRING,
    KEYSPACES,
    POLICY,
    drift_of,
    password,
    record,
    record_both,
    rotated,
)
from tests.planning.histories import ACCOUNT, DAY, HANDS, POLICIES, RENEWED, RUNS, SPECS, TIMES, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.rules.difference import Difference

EVENTS = {EventKind.ROTATE, EventKind.RENEW}
EDITED = {"expiry-differs", "rotation-pending"}
EARLY = replace(RENEWED, renew_before_hours=60 * 24)
SEEDS = 600
STEPS = (*RUNS, *TIMES, *TIMES, *SPECS, *HANDS)


def see(world: World, *, is_state_known: bool) -> tuple[Drift, Desired]:
    """Return the drift of a world, and its specs."""
    world.expire()
    users = (User("jane", world.now - 400 * DAY),)
    state = make_recorded_state(StackExport(tuple(world.recorded.values()))) if is_state_known else None
    desired = Desired((DesiredUser("jane", USER_PLACE, (world.desired,)),))
    inventory = Inventory(ACCOUNT, world.now, users, tuple(world.existing.values()))
    return compare(desired, inventory, SOON, state=state), desired


def check_agreement(drift: Drift, desired: Desired, name: str) -> None:
    """Check that drift reports each due rotation and renewal of the schedule, and that the schedule has each of them.

    A rotation that waits for a retirement is due then in the schedule; drift reports it from its own date on. One
    because of an edit of the specs has no date of its own.
    """
    schedule = make_schedule(desired, drift, drift.inventory.read_at + 400 * DAY)
    events = [event for event in schedule.events if event.kind in EVENTS]
    reported, edited = list_reported(drift), {each.id for each in drift.differences if each.rule in EDITED}
    due = {(event.id, event.when) for event in events if schedule.is_due(event)}
    assert {id_ for id_, _ in due} <= reported.keys(), name
    assert reported.keys() <= {event.id for event in events}, name
    assert {(id_, when) for id_, when in due if id_ not in edited} <= reported.items(), name
    dated = {(id_, when) for id_, when in reported.items() if id_ not in edited}
    assert dated <= {(event.id, event.when) for event in events}, name


def list_reported(drift: Drift) -> dict[str, datetime]:
    """Return the dates of due rotations and renewals that differences report, by id; two of them have the same date."""
    reported = {(each.id, find_date(each, each.due)) for each in drift.differences if each.due is not None}
    rules = [each.rule for each in drift.differences if each.due is not None]
    assert len(reported) == len(dict(reported))
    assert len(rules) == 1 or not {"rotation-due", "expiring-soon", "renewal-overdue"}.intersection(rules)
    return dict(reported)


def find_date(difference: Difference, due: datetime) -> datetime:
    """Return the date of the rotation or renewal, which may wait for the retirement of the previous credential."""
    facts = getattr(difference, "facts", None) or getattr(difference, "rotation", None)
    end = None if facts is None or facts.previous is None else facts.previous.valid_until
    return due if end is None else max(due, end)


def play(seed: int) -> Iterator[World]:
    """Yield a world after each step of a history."""
    choice = random.Random(seed)  # noqa: S311 - not a secret
    world = World(choice.choice((*POLICIES, EARLY)))
    world.up()
    for number, step in enumerate(choice.choices(STEPS, k=choice.randrange(1, 16))):
        world.act(step, number)
        yield world


def test_with_the_state() -> None:
    """After each step of many histories, drift and schedule have the same dates; a pending reset comes before them."""
    rules: set[str] = set()
    for seed in range(SEEDS):
        for step, world in enumerate(play(seed)):
            drift, desired = see(world, is_state_known=True)
            if not any(isinstance(each, ResetPending) for each in drift.differences):
                check_agreement(drift, desired, f"seed {seed}, step {step}")
                rules |= {each.rule for each in drift.differences if each.due is not None}
    assert rules == {
        "expiring-soon", "expiry-differs", "renewal-overdue", "rotation-due", "rotation-overdue", "rotation-pending",
    }  # fmt: skip


def test_without_the_state() -> None:
    """Renewals need no state, unless two credentials may be the declared one."""
    rules: set[str] = set()
    for seed in range(SEEDS):
        for step, world in enumerate(play(seed)):
            drift, desired = see(world, is_state_known=False)
            is_known = world.desired.rotate is None and not drift.by_kind(Kind.UNMANAGED)
            if is_known:
                check_agreement(drift, desired, f"seed {seed}, step {step}")
                rules |= {each.rule for each in drift.differences if each.due is not None}
    assert rules == {"expiring-soon", "renewal-overdue"}


def list_events(drift: Drift, desired: DesiredCredential, days: int = 200) -> list[tuple[EventKind, str, datetime]]:
    """Return kind, id and time of the events of jane's only credential in the next days."""
    specs = Desired((DesiredUser("jane", USER_PLACE, (desired,)),))
    schedule = make_schedule(specs, drift, drift.inventory.read_at + days * DAY)
    return [(event.kind, event.id, event.when) for event in schedule.events]


def test_rotation_after_a_retirement() -> None:
    """A due rotation that waits for a retirement is an event, too, at the date of the retirement or its own one."""
    pair = rotated(90)
    waiting = replace(DECLARED, rotate=replace(POLICY, overlap_hours=95 * 24))
    for desired, retirement in ((DECLARED, NOW - 83 * DAY), (waiting, NOW + 5 * DAY)):
        events = list_events(drift_of(pair, record_both(pair, 90), desired), desired, 30)
        due = max(NOW - 90 * DAY + DUE, retirement)
        assert {(EventKind.RETIRE, "ACCA1", retirement), (EventKind.ROTATE, "ACCA2", due)} <= set(events)


def test_renewal_after_the_end_of_the_previous_one() -> None:
    """A renewal that waits for the quota of the previous key takes place at its expiry."""
    previous, current = password("ACCA1", 85, expires=NOW + 5 * DAY), password("ACCA2", 44, expires=NOW + 46 * DAY)
    desired = replace(EARLY, service=KEYSPACES, name="keyspaces")
    recorded = [
        record(previous, 85, age_days=90, expires=previous.expires),
        record(current, 44, "~2", rotation=1, age_days=90, expires=current.expires),
    ]
    assert (EventKind.RENEW, "ACCA2", NOW + 5 * DAY) in list_events(
        drift_of([previous, current], recorded, desired), desired
    )


def test_new_credential() -> None:
    """The events of a credential that the next update creates follow from its creation."""
    assert list_events(drift_of([], []), DECLARED)[0] == (EventKind.ROTATE, "", NOW + DUE)


def test_reset_of_an_expired_credential() -> None:
    """A manual deactivation ends with a reset only, which creates the expired credential again."""
    gone = password("ACCA1", 101, Status.EXPIRED, NOW - DAY)
    recorded = record(gone, 101, age_days=100, expires=gone.expires, status=Status.INACTIVE)
    kept = list_events(drift_of([gone], [recorded], EXPIRING), EXPIRING)
    assert kept == [(EventKind.EXPIRE, "ACCA1", NOW - DAY)]
    desired = replace(EXPIRING, reset="lost")
    events = list_events(drift_of([gone], [recorded], desired), desired, 99)
    assert (EventKind.ROTATE, "", NOW + DUE) in events


def test_lost_secret_of_a_reset_credential() -> None:
    """A reset delivers a password, so that a lost secret causes no rotation after it."""
    desired = replace(DECLARED, reset="lost")
    current = password("ACCA1")
    slots = {1: Slot(record(current, 10), current)}
    facts = SlotFacts(desired, slots, store=StoreFacts(is_lost=True))
    projection = Projection(facts=facts, user=DesiredUser("jane", USER_PLACE), account=ACCOUNT)
    assert [event.when for event in projection.find_events(NOW, NOW + 80 * DAY)] == [NOW + DUE]
    rotated_now = replace(projection, facts=replace(facts, desired=DECLARED)).find_events(NOW, NOW + DAY)
    assert [event.kind for event in rotated_now] == [EventKind.ROTATE]
