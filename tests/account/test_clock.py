"""AWS's clock, by the dates of its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from iamcreds.account.clock import Clock

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=number)


def clock(told: datetime | None, now: datetime = NOW) -> Clock:
    """A clock that an answer with this date has been seen at."""
    made = Clock(lambda: now)
    made.observe(None if told is None else format_datetime(told, usegmt=True))
    return made


@pytest.mark.parametrize(("told", "ahead"), [(0, 0), (1, 0), (-2, 0), (2, 2.5), (-3, -2.5), (90, 90.5), (-90, -89.5)])
def test_skew(told: float, ahead: float) -> None:
    """A date is cut to the second, and clocks that may agree by it are taken to agree; else AWS's is the one."""
    assert clock(NOW + seconds(told)).now() == NOW + seconds(ahead)


def test_dates_that_tell_nothing() -> None:
    """A missing date, or one that is none, tells nothing, and one without a zone is in UTC."""
    made = clock(None)
    made.observe("soon")
    assert made.now() == NOW
    made.observe((NOW + seconds(90)).strftime("%a, %d %b %Y %H:%M:%S -0000"))
    assert made.now() == NOW + seconds(90.5)


def test_back_in_time() -> None:
    """A clock that is set right is believed again."""
    made = clock(NOW + seconds(90))
    made.observe(format_datetime(NOW, usegmt=True))
    assert made.now() == NOW


def test_young() -> None:
    """What is less than a minute old by AWS's clock is young."""
    assert clock(None).is_young(NOW - seconds(59))
    assert not clock(None).is_young(NOW - seconds(60))
    assert not clock(NOW + seconds(90)).is_young(NOW - seconds(0))


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (-1.5, (False, False)),
        (-1.2, (False, True)),
        (-1, (False, True)),
        (-0.9, (True, True)),
        (5, (True, True)),
        (5.1, (False, True)),
        (5.5, (False, True)),
        (5.6, (False, False)),
    ],
)
def test_within(created: float, expected: tuple[bool, bool]) -> None:
    """A date of IAM's, cut to the second, may stand for a time of a call; half a second more where clocks differ."""
    clocks = clock(None), clock(NOW + seconds(90))
    assert tuple(made.may_be_within(NOW + seconds(created), NOW, NOW + seconds(5)) for made in clocks) == expected
