"""A year of daily runs: every deadline is announced, and updates follow the schedule; each rule can fail."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.schedule.event import EventKind
from tests.simulation import daily
from tests.simulation.daily import Year, read_schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from iamcreds.desired import Desired
    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule
    from tests.simulation.play import Player


def test_year() -> None:
    """In a year of daily runs, every deadline is announced, none twice, and updates follow the schedule."""
    year = Year(seed=1)
    assert year.play() == []
    assert {notice.event.kind for notice in year.announced} == set(EventKind)
    assert {notice.days for notice in year.announced} == {0, 1, 7, 14, 30}


def test_every_day() -> None:
    """If no update fails, each update does all that is due, so nothing due is announced on a second day."""
    year = Year(seed=2, days=120, failing=0)
    assert year.play() == []
    steps = {EventKind.ROTATE, EventKind.RETIRE, EventKind.RENEW}
    due = Counter(each.event for each in year.announced if each.days == 0 and each.event.kind in steps)
    assert set(due.values()) == {1}


@pytest.mark.parametrize("kind", [EventKind.ROTATE, EventKind.RETIRE, EventKind.RENEW])
def test_missing_event(kind: EventKind) -> None:
    """A schedule that lacks a step of the next update breaks a rule."""
    broken = play(lambda event: () if event.kind is kind else (event,))
    assert any(f"up did (<EventKind.{kind.name}" in sentence for sentence in broken)


def test_early_event() -> None:
    """A schedule that shows a rotation a day early breaks a rule."""
    broken = play(lambda event: (replace(event, when=event.when - timedelta(days=1)),))
    assert any("up did not do it" in sentence for sentence in broken)


@pytest.mark.parametrize("kind", [EventKind.EXPIRE, EventKind.VIOLATE])
def test_surprise(kind: EventKind) -> None:
    """A deadline that is not announced breaks a rule."""
    broken = play(lambda event: (event,) if event.kind is not kind else ())
    assert any(f"{kind} at" in sentence and "was not announced" in sentence for sentence in broken)


def test_repeated_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A threshold that two runs announce breaks a rule, and so does an event that is twice in a schedule."""
    assert any("is announced twice" in sentence for sentence in play(lambda event: (event, event)))
    monkeypatch.setattr(daily, "PERIOD", timedelta(days=2))
    assert any("is announced again" in sentence for sentence in play(lambda event: (event,)))


def play(change: Callable[[Event], tuple[Event, ...]]) -> list[str]:
    """Play some months with a changed schedule, and return the broken rules."""

    def read(desired: Desired, player: Player) -> Schedule:
        schedule = read_schedule(desired, player)
        return replace(schedule, events=tuple(_change(schedule, change)))

    return Year(seed=2, days=130, failing=0, schedule=read).play()


def _change(schedule: Schedule, change: Callable[[Event], tuple[Event, ...]]) -> Iterator[Event]:
    return (changed for event in schedule.events for changed in change(event))
