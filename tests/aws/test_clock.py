"""The server time, derived from the Date headers of responses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from iamcreds.aws.clock import Clock

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    """Return a duration of that many seconds."""
    return timedelta(seconds=number)


def date(told: datetime) -> str:
    """Format a time as in the Date header, truncated to the second."""
    return format_datetime(told, usegmt=True)


def clock(told: datetime | None, now: datetime = NOW) -> Clock:
    """Return a clock that has observed a response with this date, received immediately."""
    made = Clock(lambda: now)
    made.observe(None if told is None else date(told), now)
    return made


@pytest.mark.parametrize(("told", "ahead"), [(0, 0), (-1, 0), (1, 1.5), (-2, -1.5), (90, 90.5), (-90, -89.5)])
def test_skew(told: float, ahead: float) -> None:
    """Dates are truncated to the second: clocks that may agree count as equal, otherwise the server time counts."""
    assert clock(NOW + seconds(told)).now() == NOW + seconds(ahead)


def test_a_slow_answer() -> None:
    """A date may be as old as its call, so a slow response is less precise."""
    made = Clock(lambda: NOW)
    made.observe(date(NOW - seconds(3)), NOW - seconds(5))
    assert made.now() == NOW
    made.observe(date(NOW - seconds(5)), NOW - seconds(2))
    assert made.now() == NOW - seconds(2.5), "from 3 to 2 seconds behind"


@pytest.mark.parametrize("ahead", [-1.3, -0.7, 0.4, 1, 1.4])
def test_many_answers(ahead: float) -> None:
    """Each response narrows the bounds, because dates are truncated at different points; the error shrinks to 0.1 s."""
    time = [NOW]
    made = Clock(lambda: time[0])
    for _ in range(10):
        time[0] += seconds(1.1)
        made.observe(date((time[0] + seconds(ahead)).replace(microsecond=0)), time[0])
    assert abs((made.now() - time[0]) - seconds(ahead)) <= seconds(0.1)


def test_dates_that_tell_nothing() -> None:
    """A missing or invalid date changes nothing, and a date without a time zone is in UTC."""
    made = clock(None)
    made.observe("soon", NOW)
    assert made.now() == NOW
    made.observe((NOW + seconds(90)).strftime("%a, %d %b %Y %H:%M:%S -0000"), NOW)
    assert made.now() == NOW + seconds(90.5)


def test_back_in_time() -> None:
    """After a clock was corrected, the new date counts."""
    made = clock(NOW + seconds(90))
    made.observe(date(NOW), NOW)
    assert made.now() == NOW


def test_young() -> None:
    """An object created less than a minute ago, by server time, is young."""
    assert clock(None).is_young(NOW - seconds(59))
    assert not clock(None).is_young(NOW - seconds(60))
    assert not clock(NOW + seconds(90)).is_young(NOW - seconds(0))


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (-1.5, False),
        (-1, False),
        (-0.9, True),
        (5, True),
        (5.1, False),
    ],
)
def test_within(created: float, *, expected: bool) -> None:
    """A date of IAM, truncated to the second, may match any time within that second."""
    assert clock(None).may_be_within(NOW + seconds(created), NOW, NOW + seconds(5)) is expected


@pytest.mark.parametrize(("created", "expected"), [(89, False), (89.1, True), (96, True), (96.1, False)])
def test_within_by_another_clock(created: float, *, expected: bool) -> None:
    """If the clocks differ, the time of the call is server time, as precise as known: here 90 to 91 seconds ahead."""
    ahead = clock(NOW + seconds(90))
    start, end = ahead.at(NOW), ahead.at(NOW + seconds(5))
    assert ahead.may_be_within(NOW + seconds(created), start, end) is expected
