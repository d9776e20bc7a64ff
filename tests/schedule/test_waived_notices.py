"""The waivers and the owners that apply to the notices about an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.drift.comparing import compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.model import Credential, Inventory, RecordedCredential, StackExport, Status, User
from iamcreds.schedule.events import make_schedule
from iamcreds.schedule.notices import HORIZON, Notice, find_notices
from iamcreds.services import Family
from iamcreds.specs import load

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT, ID = "123456789012", "ACCAEXAMPLE1234567890"
BEDROCK = "bedrock.amazonaws.com"
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

ROTATE = "rotate: {every: 100d, overlap: 7d}"
RENEW = "expire: {after: 100d, renewBefore: 20d}"
EXPIRE = "expire: {after: 100d}"
DUE, OVERDUE = 93, 106
"""The days after the creation from which a rotation with `ROTATE` is due, and overdue."""


def find(path: Path, day: int, *, has_state: bool = True) -> list[Notice]:
    """Return the notices of a daily run on a day after the creation of the only credential, as specs declare it."""
    desired, now = load(path), CREATED + day * DAY
    lifetime = desired.users[0].credentials[0].expire_after_days
    expires = None if lifetime is None else CREATED + lifetime * DAY
    recorded = RecordedCredential("jane/bedrock", ID, "jane", BEDROCK, CREATED, ACCOUNT, issued=CREATED)
    recorded = replace(recorded, expires=expires, age_days=lifetime)
    status = Status.EXPIRED if expires is not None and expires <= now else Status.ACTIVE
    existing = Credential(ID, "jane", BEDROCK, status, CREATED, Family.API_KEY, "login", expires)
    inventory = Inventory(ACCOUNT, now, users=(User("jane", CREATED),), credentials=(existing,))
    state = make_recorded_state(StackExport((recorded,))) if has_state else None
    drift = compare(desired, inventory, state=state)
    return list(find_notices(desired, make_schedule(desired, drift, now + HORIZON), DAY))


def show(notices: list[Notice]) -> list[tuple[str, int]]:
    """Return the kind of each event, and its threshold."""
    return [(notice.event.kind.value, notice.days) for notice in notices]


def declare(path: Path, fields: str, *waived: str, until: str = "2027-01-01", user: str = "") -> Path:
    """Write a spec of one credential with waivers of rules, and fields of its user."""
    waivers = ", ".join(f"{{rule: {rule}, reason: agreed, until: {until}}}" for rule in waived)
    path.write_text(f"users: {{jane: {{{user}credentials: [{{service: bedrock, {fields}, waive: [{waivers}]}}]}}}}\n")
    return path


@pytest.mark.parametrize(
    ("fields", "day", "sent", "waived"),
    [
        (ROTATE, DUE - 7, [("rotate", 7), ("retire", 14)], "rotation-due"),
        (ROTATE, DUE, [("rotate", 0)], "rotation-due"),
        (ROTATE, OVERDUE, [("rotate", 0)], "rotation-overdue"),
        (RENEW, 73, [("renew", 7)], "renewal-overdue"),
        (RENEW, 80, [("renew", 0)], "renewal-overdue"),
        (RENEW, 80, [("renew", 0)], "expiring-soon"),
        (EXPIRE, 99, [("expire", 1)], "expiring-soon"),
        (EXPIRE, 100, [("expire", 0)], "expired"),
    ],
)
def test_waived_rules(tmp_path: Path, fields: str, day: int, sent: list[tuple[str, int]], waived: str) -> None:
    """A waiver of the rule by which drift reports an event suppresses the notice about it, and no other one."""
    path = tmp_path / "users.yaml"
    assert show(find(declare(path, fields), day)) == sent
    assert show(find(declare(path, fields, waived), day)) == sent[1:]


@pytest.mark.parametrize(
    ("fields", "day", "waived"),
    [
        (ROTATE, DUE, "rotation-overdue"),
        (ROTATE, OVERDUE, "rotation-due"),
        (EXPIRE, 99, "expired"),
        (EXPIRE, 100, "expiring-soon"),
    ],
)
def test_other_stage(tmp_path: Path, fields: str, day: int, waived: str) -> None:
    """A waiver of the rule that applies before or after does not suppress the notice."""
    path = tmp_path / "users.yaml"
    expected = find(declare(path, fields), day)
    assert len(expected) == 1
    assert show(find(declare(path, fields, waived), day)) == show(expected)


def test_waiver_that_ends_before(tmp_path: Path) -> None:
    """A waiver that ends before a rotation suppresses no notice about it, also while the waiver is valid."""
    due = CREATED + DUE * DAY
    path = declare(tmp_path / "users.yaml", ROTATE, "rotation-due", until=f"{due - 3 * DAY:%Y-%m-%d}")
    assert show(find(path, DUE - 7))[0] == ("rotate", 7)


def test_moving_dates(tmp_path: Path) -> None:
    """While a rotation is overdue, no notice has the date of its retirement, which moves with each run."""
    path = declare(tmp_path / "users.yaml", ROTATE)
    notices = [show(find(path, day)) for day in range(DUE, DUE + 10)]
    assert notices == [[("rotate", 0)]] * 10


def test_fixed_expiry(tmp_path: Path) -> None:
    """While a renewal is overdue, the expiry of the credential is announced, because its date is fixed."""
    path = declare(tmp_path / "users.yaml", RENEW)
    assert show(find(path, 93)) == [("renew", 0), ("expire", 7)]


def test_without_the_state(tmp_path: Path) -> None:
    """Without the state, the only declared credential of a service has the owner and the waivers of an expiry."""
    path = tmp_path / "users.yaml"
    fields = f"owner: 'mailto:key@example.com', expire: {{after: 120d}}, {ROTATE}"
    user = "owner: 'mailto:user@example.com', "
    (notice,) = find(declare(path, fields, user=user), 106, has_state=False)
    assert (notice.days, notice.event.owner) == (14, "mailto:key@example.com")
    assert str(notice.event.location).endswith(f"users.yaml:1:{path.read_text().index('{service') + 1}")
    assert find(declare(path, fields, "expiring-soon", user=user), 106, has_state=False) == []


def test_several_candidates(tmp_path: Path) -> None:
    """If an expiry may concern two declared credentials, only waivers of both suppress its notice."""
    path = tmp_path / "users.yaml"
    one = f"{{service: bedrock, name: NAME, owner: 'mailto:NAME@example.com', {EXPIRE}WAIVE}}"
    first, second = (one.replace("NAME", name) for name in ("first", "second"))
    waive = ", waive: [{rule: expiring-soon, reason: agreed, until: 2027-01-01}]"
    found = []
    for waivers in (("", ""), (waive, ""), (waive, waive)):
        credentials = ", ".join(
            text.replace("WAIVE", each) for text, each in zip((first, second), waivers, strict=True)
        )
        path.write_text(f"users: {{jane: {{owner: 'mailto:user@example.com', credentials: [{credentials}]}}}}\n")
        found.append([(notice.days, notice.event.owner) for notice in find(path, 86, has_state=False)])
    assert found == [[(14, "mailto:user@example.com")], [(14, "mailto:user@example.com")], []]
