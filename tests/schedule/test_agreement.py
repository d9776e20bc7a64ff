"""The agreement of schedules with updates: an independent simulation of accounts applies the program's plan."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from iamcreds.desired import Retire, RotationPolicy
from tests.planning.histories import DAY, KEY, PASSWORD, RENEWED, ROTATED, ROTATED_KEY, STEPS, TRIGGERED_KEY, World
from tests.schedule.worlds import list_steps, play_updates, read_schedule

if TYPE_CHECKING:
    from iamcreds.desired import DesiredCredential

HOUR = timedelta(hours=1)
UNTIL = 200 * DAY


@st.composite
def rotations(draw: st.DrawFn) -> DesiredCredential:
    """Generate a rotating password or key with any valid interval and overlap."""
    every = draw(st.integers(10 * 24, 120 * 24))
    overlap = draw(st.integers(1, every * 4 // 5))
    retire = draw(st.sampled_from(Retire))
    desired = draw(st.sampled_from([PASSWORD, KEY]))
    days = None if desired.expire_after_days is None else (every + overlap) // 24 + draw(st.integers(1, 60))
    return replace(desired, rotate=RotationPolicy(overlap, every, retire), expire_after_days=days)


@st.composite
def renewals(draw: st.DrawFn) -> DesiredCredential:
    """Generate a key with any valid renewal, or without one."""
    days = draw(st.integers(3, 90))
    return replace(KEY, expire_after_days=days, renew_before_hours=draw(st.integers(1, days * 24 - 1) | st.none()))


POLICIES = st.sampled_from([KEY, RENEWED, ROTATED, ROTATED_KEY, TRIGGERED_KEY]) | rotations() | renewals()


def make_world(policy: DesiredCredential, steps: list[str]) -> World:
    """Return an account after updates, edits and manual changes."""
    world = World(policy)
    world.up()
    for number, step in enumerate(steps):
        world.act(step, number)
    world.expire()
    return world


@settings(max_examples=80)
@given(POLICIES, st.lists(st.sampled_from(STEPS), max_size=12))
def test_updates_do_what_the_schedule_shows(policy: DesiredCredential, steps: list[str]) -> None:
    """Updates do the steps of the schedule at its dates, and nothing else at any other time."""
    world = make_world(policy, steps)
    schedule = read_schedule(world, world.now + UNTIL)
    assert list_steps(schedule) == play_updates(world, schedule)


@settings(max_examples=50)
@given(POLICIES, st.lists(st.sampled_from(STEPS), max_size=12), st.integers(1, 200 * 24))
def test_shorter_schedules(policy: DesiredCredential, steps: list[str], hours: int) -> None:
    """A schedule up to an earlier date is the beginning of a longer one, in order and without an event twice."""
    world = make_world(policy, steps)
    long = read_schedule(world, world.now + UNTIL)
    short = read_schedule(copy.deepcopy(world), world.now + hours * HOUR)
    assert short.events == long.events[: len(short.events)]
    assert all(event.when > short.until for event in long.events[len(short.events) :])
    assert len({(each.when, each.kind, each.rotation, each.is_previous) for each in long.events}) == len(long.events)
    assert sorted(long.events, key=lambda event: event.order) == list(long.events)
    assert read_schedule(copy.deepcopy(world), long.until).events == long.events
