"""The notices of a run: thresholds that were crossed within the period before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.desired import CredentialPolicy, Desired, DesiredUser, Waiver
from iamcreds.schedule.notices import HORIZON, THRESHOLDS, find_notices, find_threshold
from tests.schedule.accounts import DAY, HOUR, KEY, NOW, PASSWORD, PLACE, existing, record, schedule


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (31 * DAY, None),
        (30 * DAY + HOUR, None),
        (30 * DAY, 30),
        (30 * DAY - 23 * HOUR, 30),
        (29 * DAY, None),
        (14 * DAY, 14),
        (7 * DAY - HOUR, 7),
        (6 * DAY, None),
        (1 * DAY, 1),
        (1 * HOUR, 1),
        (0 * DAY, 0),
        (-40 * DAY, 0),
    ],
)
def test_thresholds(before: timedelta, expected: int | None) -> None:
    """A daily run crosses each threshold once, and every run after the event counts."""
    assert find_threshold(NOW + before, NOW, DAY) == expected


def test_long_period() -> None:
    """A run that crosses several thresholds gives the notice of the last one."""
    assert find_threshold(NOW + 5 * DAY, NOW, 10 * DAY) == 7
    assert find_threshold(NOW + 5 * DAY, NOW, 30 * DAY) == 7


@given(
    st.timedeltas(timedelta(hours=1), 7 * DAY),
    st.timedeltas(timedelta(0), 60 * DAY),
)
def test_each_threshold_once(period: timedelta, before: timedelta) -> None:
    """Runs that are one period apart give each threshold once, whatever the time of the event, and none is missed."""
    when, start = NOW + 31 * DAY + before, NOW
    runs = [start + number * period for number in range((when - start) // period + 1)]
    found = [days for days in (find_threshold(when, run, period) for run in runs) if days]
    if period <= 6 * DAY:  # at most one threshold in a period
        assert found == sorted(found, reverse=True)
        assert set(found) == {days for days in THRESHOLDS if any(when - days * DAY <= run < when for run in runs)}
    assert len(found) == len(set(found))


def test_notices() -> None:
    """A notice has its event, and a waived rule has none."""
    key = existing("ACCA1", 76, KEY)
    desired = Desired((DesiredUser("jane", PLACE, (KEY,)),))
    events = schedule(desired, [key], [record(key)], days=HORIZON / DAY)
    assert [(notice.event.id, notice.days) for notice in find_notices(desired, events, DAY)] == [("ACCA1", 14)]
    waiver = Waiver("expiring-soon", "is replaced by hand", NOW + DAY, PLACE)
    for user in (
        DesiredUser("jane", PLACE, (replace(KEY, waive=(waiver,)),)),
        DesiredUser("jane", PLACE, (KEY,), waive=(waiver,)),
    ):
        desired = Desired((user,))
        events = schedule(desired, [key], [record(key)], days=HORIZON / DAY)
        assert list(find_notices(desired, events, DAY)) == []


def test_notice_before_the_end_of_a_waiver() -> None:
    """A waived violation is announced before the end of its waiver, which is its date."""
    password = existing("ACCA1", 50)
    waiver = Waiver("credential-too-old", "until the audit", NOW + 7 * DAY, PLACE)
    policy = CredentialPolicy(max_age_days=20)
    desired = Desired((DesiredUser("jane", PLACE, (PASSWORD,), credential_policy=policy, waive=(waiver,)),))
    events = schedule(desired, [password], [record(password)], days=HORIZON / DAY)
    assert [(notice.event.when, notice.days) for notice in find_notices(desired, events, DAY)] == [(waiver.until, 7)]
