"""Schedules of simulated accounts, and an independent application of the program's plan to the same accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from iamcreds.desired import CredentialPolicy, Desired, DesiredUser
from iamcreds.drift.comparing import compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.selection import EVERYTHING
from iamcreds.model import Inventory, SourceLocation, StackExport, Status, User
from iamcreds.resource_names import slot_name
from iamcreds.schedule.events import make_schedule
from tests.planning.histories import ACCOUNT, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.model import Credential, RecordedCredential
    from iamcreds.schedule.events import Schedule

MAX_AGE = 80
GRID = timedelta(hours=9)
Step: TypeAlias = "tuple[datetime, str, int]"
"""The time of an event, its kind, and the number of predecessors of its credential."""


def read_schedule(world: World, until: datetime) -> Schedule:
    """Return the schedule of an account and a state."""
    policy = CredentialPolicy(max_age_days=MAX_AGE)
    user = DesiredUser("jane", SourceLocation("a.yaml", 1, 1), (world.desired,), credential_policy=policy)
    recorded = (
        replace(each, resource=slot_name(world.desired.declared_name, number))
        for number, each in world.recorded.items()
    )
    state = make_recorded_state(StackExport(tuple(recorded)))
    inventory = Inventory(
        ACCOUNT, world.now, users=(User("jane", world.now),), credentials=tuple(world.existing.values())
    )
    desired = Desired((user,))
    return make_schedule(desired, compare(desired, inventory, state=state), until, EVERYTHING)


def list_steps(schedule: Schedule) -> list[Step]:
    """Return the events of a schedule; overdue ones take place now."""
    return sorted((max(each.when, schedule.now), each.kind.value, each.rotation) for each in schedule.events)


def play_updates(world: World, schedule: Schedule) -> list[Step]:
    """Return the steps of updates that run now, at each date of the schedule, and many times in between."""
    dates = {each.when for each in schedule.events if each.when > world.now}
    number = (schedule.until - world.now) // GRID
    times = sorted(dates | {world.now + each * GRID for each in range(number + 1)})
    steps = [*_find_past(world), *_update(world)]
    for before, time in pairwise(times):
        world.now = time
        steps += _find_ends(world, before)
        world.expire()
        steps += _update(world)
    return sorted(steps)


def _update(world: World) -> Iterator[Step]:
    """Run updates until one of them changes nothing."""
    for _ in range(5):
        world.refresh()
        plan, previous = world.plan(), _find_previous(world)
        if plan.retired is not None and previous is not None:
            yield world.now, "retire", previous.rotation
        if plan.rotated is not None:
            yield world.now, "rotate", plan.rotation
        if plan.renewed is not None:
            yield world.now, "renew", plan.rotation
        world.up()
        if not world.log:
            return
    raise AssertionError(world.log)


def _find_previous(world: World) -> RecordedCredential | None:
    return next((each for number, each in world.recorded.items() if number != world.current), None)


def _list_existing(world: World) -> Iterator[tuple[RecordedCredential, Credential, bool]]:
    """Yield each recorded credential that exists, and True if it is the current one."""
    for number, recorded in world.recorded.items():
        if recorded.id in world.existing:
            yield recorded, world.existing[recorded.id], number == world.current


def _find_past(world: World) -> Iterator[Step]:
    for recorded, existing, is_current in _list_existing(world):
        if existing.status is Status.EXPIRED and is_current:
            yield world.now, "expire", recorded.rotation
        if existing.status is Status.ACTIVE and _find_limit(recorded) <= world.now:
            yield world.now, "violate", recorded.rotation


def _find_ends(world: World, before: datetime) -> Iterator[Step]:
    """Yield the expiries and violations after a time and up to now."""
    for recorded, existing, is_current in _list_existing(world):
        expires, is_active = existing.expires, existing.status is Status.ACTIVE
        if expires is not None and before < expires <= world.now and (is_active or is_current):
            yield expires, "expire", recorded.rotation
        limit = _find_limit(recorded)
        if is_active and before < limit <= world.now and (expires is None or limit < expires):
            yield limit, "violate", recorded.rotation


def _find_limit(recorded: RecordedCredential) -> datetime:
    return (recorded.issued or recorded.created) + timedelta(days=MAX_AGE)
