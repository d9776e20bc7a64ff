"""The texts of notices to owners, and the thresholds that they name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from iamcreds.desired import DesiredUser
from iamcreds.model import SourceLocation
from iamcreds.report.message import MAX_DIFFERENCES, MAX_LINE
from iamcreds.report.notice import (
    Basis,
    Failure,
    Owned,
    group_notices,
    group_owned,
    list_undated,
    write_notices,
    write_unknown,
)
from iamcreds.schedule.event import Event, EventKind
from iamcreds.schedule.notices import Notice, find_threshold
from iamcreds.specs import load
from tests.report.test_text import SPARE

if TYPE_CHECKING:
    from pathlib import Path

WHEN = datetime(2026, 12, 7, 8, 30, tzinfo=UTC)
DAY, HOUR, MOMENT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
LOCATION = SourceLocation("specs/team.yaml", 5, 9)
EVENT = Event(
    when=WHEN,
    kind=EventKind.ROTATE,
    user="jane",
    service="cassandra.amazonaws.com",
    id="ACCAEXAMPLE1234567890",
    rule="rotation-due",
    location=LOCATION,
    owner="mailto:team@example.com",
    desired=SPARE,
    until=WHEN + 7 * DAY,
)
ACCOUNT = "123456789012"
ANNOUNCED = "A notice is sent 30, 14, 7, 1 days before a date, and once per 24 hours from the date on."


def test_texts() -> None:
    """A mail has a line with threshold, date and finding for each event, its next step, and the rule of repeats."""
    title, body = write_notices([Notice(EVENT, 7), Notice(EVENT, 1), Notice(EVENT, 0)], ACCOUNT, DAY)
    assert title == "iamcreds: 3 notices about account 123456789012"
    finding = (
        "2026-12-07 08:30 UTC: `specs/team.yaml:5:9: jane: pulumi up rotates keyspaces credential"
        " ACCAEXAMPLE1234567890 and issues a new password; the previous one works until 2026-12-14 [rotate]`"
    )
    assert body.splitlines() == [
        f"- 7 days before the date, {finding}",
        "  Next: `pulumi up`",
        f"- 1 day before the date, {finding}",
        "  Next: `pulumi up`",
        f"- since the date, {finding}",
        "  Next: `pulumi up`",
        "",
        f"{ANNOUNCED} iamcreds keeps no record of notices, so a second run within 24 hours may repeat them.",
    ]


def test_date_in_utc() -> None:
    """Dates of other time zones are shown in UTC."""
    event = replace(EVENT, when=WHEN.astimezone(timezone(timedelta(hours=-9))))
    assert "2026-12-07 08:30 UTC" in write_notices([Notice(event, 7)], ACCOUNT, DAY)[1]


def test_many_notices() -> None:
    """A mail has the first twenty notices, each of limited length, and the number of the others."""
    notices = [Notice(replace(EVENT, user="x" * 5_000), 7)] * (MAX_DIFFERENCES + 1_002)
    title, body = write_notices(notices, ACCOUNT, DAY)
    assert title == "iamcreds: 1,022 notices about account 123456789012"
    assert body.count("\n- ") + 1 == MAX_DIFFERENCES
    assert "\n\nAnd 1,002 more.\n\n" in body
    assert len(body) < MAX_DIFFERENCES * (MAX_LINE + 200)


def test_sorted_by_date() -> None:
    """The notices of an owner are sorted by date, and those without an owner are separate."""
    late, early = replace(EVENT, when=WHEN + DAY), replace(EVENT, when=WHEN - DAY)
    unowned = replace(EVENT, owner=None)
    groups = group_notices([Notice(late, 1), Notice(unowned, 7), Notice(EVENT, 7), Notice(early, 0)])
    assert groups == {
        "mailto:team@example.com": [Notice(early, 0), Notice(EVENT, 7), Notice(late, 1)],
        None: [Notice(unowned, 7)],
    }


@pytest.mark.parametrize(
    ("basis", "start"),
    [
        (
            Basis.STATE,
            "The run failed, so the dates follow from the stack's state, and those of access keys are unknown",
        ),
        (
            Basis.ACCOUNT,
            "The run could not use the stack's state, so the dates of rotations and age limits are unknown",
        ),
    ],
)
def test_failure(basis: Basis, start: str) -> None:
    """The first line of a mail has the failure, with each error as one code span."""
    body = write_notices([Notice(EVENT, 7)], ACCOUNT, DAY, Failure(basis, ("denied: `x`\n<b>", "second")))[1]
    assert body.splitlines()[0] == f"{start}: `denied: 'x'\\n<b>` `second`"
    assert body.splitlines()[2].startswith("- 7 days before")


def test_unknown_dates() -> None:
    """Without any date, a mail lists the declarations of its owner, and states that nothing is announced later."""
    failure = Failure(Basis.NOTHING, ("no response",))
    owned = [Owned("jane", LOCATION), Owned("joe/bedrock", LOCATION)]
    title, body = write_unknown(owned, None, failure)
    assert title == "iamcreds: unknown dates of 2 declarations"
    assert write_unknown(owned, ACCOUNT, failure)[0] == f"{title} in account 123456789012"
    assert body.splitlines() == [
        "All dates are unknown, because the run failed: `no response`",
        "",
        "- `specs/team.yaml:5:9: jane`",
        "- `specs/team.yaml:5:9: joe/bedrock`",
        "",
        "A threshold that passes before the next successful run is not announced later.",
    ]


def test_owned(tmp_path: Path) -> None:
    """A user is listed for its owner, and a credential for a different one; those without an owner are not."""
    path = tmp_path / "users.yaml"
    path.write_text(
        "users:\n"
        "  jane: {owner: 'mailto:a@x.example', credentials: [{service: logs}, {service: keyspaces,"
        " owner: 'mailto:b@x.example', rotate: {every: 90d, overlap: 7d}}]}\n"
        "  joe: {credentials: [{service: bedrock}, {service: logs, owner: 'mailto:a@x.example'}]}\n"
        "  max: {owner: 'mailto:c@x.example', credentialPolicy: {maxAgeDays: 90}, credentials: [{service: logs}]}\n"
    )
    desired = load(path)
    assert {owner: [each.name for each in owned] for owner, owned in group_owned(desired).items()} == {
        "mailto:a@x.example": ["jane", "joe/logs"],
        "mailto:b@x.example": ["jane/keyspaces"],
        "mailto:c@x.example": ["max"],
    }
    assert list(list_undated(desired)) == ["mailto:b@x.example", "mailto:c@x.example"]
    assert group_owned(replace(desired, users=(DesiredUser("x", LOCATION),))) == {}


@pytest.mark.parametrize("days", [1, 7, 14, 30])
def test_boundaries(days: int) -> None:
    """A threshold counts from its moment on, for exactly one period."""
    crossed = WHEN - days * DAY
    for period in (HOUR, DAY):
        assert find_threshold(WHEN, crossed - MOMENT, period) is None
        assert find_threshold(WHEN, crossed, period) == days
        assert find_threshold(WHEN, crossed + period - MOMENT, period) == days
        expected = 0 if days * DAY == period else None
        assert find_threshold(WHEN, crossed + period, period) == expected


def test_from_the_date_on() -> None:
    """From the date on, every run has a notice."""
    assert find_threshold(WHEN, WHEN - MOMENT, HOUR) is None
    assert [find_threshold(WHEN, WHEN + hours * HOUR, HOUR) for hours in (0, 1, 1_000)] == [0, 0, 0]


@pytest.mark.parametrize("period", [timedelta(hours=5), DAY, 2 * DAY])
def test_each_threshold_once(period: timedelta) -> None:
    """Runs that are exactly one period apart announce each threshold once."""
    start = WHEN - 40 * DAY - timedelta(hours=1, minutes=7)
    times = (start + number * period for number in range(1_000))
    found = [find_threshold(WHEN, now, period) for now in times if now < WHEN]
    assert [days for days in found if days is not None] == [30, 14, 7, 1]


def test_late_run() -> None:
    """A late run loses a threshold with the period of its schedule; a longer period finds it, but may repeat others."""
    crossed, minute = WHEN - 7 * DAY, timedelta(minutes=1)
    late = [crossed - 10 * minute, crossed - 10 * minute + DAY + 20 * minute]
    assert [find_threshold(WHEN, now, DAY) for now in late] == [None, None]
    assert [find_threshold(WHEN, now, DAY + HOUR) for now in late] == [None, 7]
    punctual = [crossed + 10 * minute, crossed + 10 * minute + DAY]
    assert [find_threshold(WHEN, now, DAY) for now in punctual] == [7, None]
    assert [find_threshold(WHEN, now, DAY + HOUR) for now in punctual] == [7, 7]
