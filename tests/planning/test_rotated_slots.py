"""The plan of both slots of a rotated credential: each row of the state machine by an example, and the due dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.desired import Retire, RotationPolicy
from iamcreds.due_dates import compute_spread, find_issue, find_overdue_date, find_retirement, find_rotation
from iamcreds.model import Existing, Status
from iamcreds.planning.rotation import plan_slots
from iamcreds.planning.slot_plan import Moment, avoid_adoption
from tests.planning.slots import ACCOUNT, DAY, PLAIN, START, outline, plan, slot

if TYPE_CHECKING:
    from iamcreds.desired import DesiredCredential
    from iamcreds.planning.slot_plan import Slot

POLICY = RotationPolicy(7 * 24, 90 * 24)
FOREVER = replace(PLAIN, expire_after_days=None)
ROTATED = replace(FOREVER, rotate=POLICY)
TRIGGERED = replace(FOREVER, rotate=RotationPolicy(7 * 24), trigger="new")
DELETED = replace(FOREVER, rotate=replace(POLICY, retire=Retire.DELETE))
INACTIVE = Status.INACTIVE


def password(number: int = 1, rotation: int = 0, **facts: object) -> Slot:
    """Return a slot whose password does not expire."""
    return slot(number, rotation, days=None, **facts)  # type: ignore[arg-type]


RETIRED = password(1, 0, age=200, status=INACTIVE, is_retired=True)


@pytest.mark.parametrize(
    ("desired", "slots", "expected"),
    [
        pytest.param(ROTATED, [], [(1, 0, None)], id="row 1: nothing is recorded"),
        pytest.param(
            replace(ROTATED, reset="x"), [RETIRED, password(2, 1, age=89)], [(2, 2, None), (1, 0, "Inactive")],
            id="row 2: a reset comes before a rotation",
        ),
        pytest.param(
            replace(ROTATED, reset="x"), [password(1, 0, age=90), password(2, 1)], [(2, 2, None), (1, 0, "Inactive")],
            id="row 2: the previous password may have leaked as well",
        ),
        pytest.param(
            ROTATED, [password(1, 0, age=90), password(2, 1, status=None)], [(2, 1, None), (1, 0, None)],
            id="row 3: deleted",
        ),
        pytest.param(
            ROTATED, [password(1, 0, is_retired=True), password(2, 1, age=9, status=None)],
            [(2, 1, None), (1, 0, None)], id="row 3: someone activated the previous one instead",
        ),
        pytest.param(
            replace(ROTATED, expire_after_days=90),
            [slot(1, 0, age=50, is_retired=True), slot(2, 1, age=91, status=Status.EXPIRED, is_deactivated=True)],
            [(2, 1, None), (1, 0, None)], id="row 3: rolled back, and expired since",
        ),
        pytest.param(
            ROTATED, [RETIRED, password(2, 1, status=None)], [(2, 1, None), (1, 0, "Inactive")],
            id="row 3: retired stays retired",
        ),
        pytest.param(ROTATED, [password(age=99, status=INACTIVE)], [(1, 0, None)], id="row 4: deactivated and due"),
        pytest.param(
            ROTATED, [password(1, 0, age=200, is_retired=True), password(2, 1, age=99, status=INACTIVE)],
            [(2, 1, None), (1, 0, None)], id="row 4: rolled back",
        ),
        pytest.param(
            ROTATED, [password(1, 0, status=INACTIVE, is_retired=True)], [(1, 1, None)],
            id="row 4: the state lost the current one",
        ),
        pytest.param(
            FOREVER, [password(1, 0, status=INACTIVE, is_retired=True)], [(1, 1, None)],
            id="row 4: lost, and no longer rotated",
        ),
        pytest.param(
            ROTATED, [RETIRED, password(2, 1, age=99, status=INACTIVE)], [(2, 1, None), (1, 0, "Inactive")],
            id="row 4: retired stays retired",
        ),
        pytest.param(FOREVER, [password(), password(2, 1)], [(2, 1, None)], id="row 5: no longer rotated"),
        pytest.param(FOREVER, [password(2, 1)], [(1, 1, None)], id="row 6: moved to slot 1"),
        pytest.param(ROTATED, [password(age=90)], [(1, 0, None), (2, 1, None)], id="row 7: the first rotation"),
        pytest.param(ROTATED, [RETIRED, password(2, 1, age=90)], [(2, 1, None), (1, 2, None)], id="row 7: Inactive"),
        pytest.param(
            ROTATED, [password(1, 0, status=INACTIVE), password(2, 1, age=90)], [(2, 1, None), (1, 2, None)],
            id="row 7: deactivated by a person",
        ),
        pytest.param(
            ROTATED, [password(1, 0, age=99), password(2, 1, age=90)], [(2, 1, None), (1, 0, "Inactive")],
            id="row 7: never while the other password works",
        ),
        pytest.param(
            ROTATED, [slot(1, 0, age=99, status=Status.EXPIRED), password(2, 1, age=90)], [(2, 1, None), (1, 2, None)],
            id="row 7: the other slot has expired",
        ),
        pytest.param(
            ROTATED, [password(1, 0), password(2, 1, age=6)], [(2, 1, None), (1, 0, None)], id="row 11: both work",
        ),
        pytest.param(
            ROTATED, [password(1, 0), password(2, 1, age=7)], [(2, 1, None), (1, 0, "Inactive")],
            id="row 10: the overlap has ended",
        ),
        pytest.param(
            ROTATED, [password(1, 0, is_retired=True), password(2, 1, age=1)], [(2, 1, None), (1, 0, "Inactive")],
            id="row 10: retired before",
        ),
        pytest.param(DELETED, [password(1, 0), password(2, 1, age=7)], [(2, 1, None)], id="row 10: deleted"),
        pytest.param(DELETED, [password(1, 0), password(2, 1, age=6)], [(2, 1, None), (1, 0, None)], id="row 11"),
        pytest.param(ROTATED, [password(age=76)], [(1, 0, None)], id="row 11: not due"),
    ],
)  # fmt: skip
def test_rows(desired: DesiredCredential, slots: list[Slot], expected: list[tuple[int, int, str | None]]) -> None:
    """Each row of the state machine decides as described."""
    assert outline(plan(desired, *slots)) == expected


@pytest.mark.parametrize(
    ("slots", "triggers"),
    [
        pytest.param([password()], ["new"], id="the first trigger is recorded"),
        pytest.param([password(trigger="new")], ["new"], id="unchanged"),
        pytest.param([password(trigger="old")], ["old", "new"], id="changed"),
        pytest.param([password(1, 0, trigger="older"), password(2, 1, trigger="old")], ["old", "older"], id="waits"),
        pytest.param([password(trigger="old", status=None)], ["new"], id="created again"),
        pytest.param([password(trigger="old", status=INACTIVE)], ["old"], id="deactivated"),
    ],
)
def test_trigger(slots: list[Slot], triggers: list[str]) -> None:
    """A changed trigger rotates once; a trigger that waits stays different from the recorded one."""
    assert [each.trigger for each in plan(TRIGGERED, *slots).slots] == triggers


def test_new_lifetime() -> None:
    """A changed `expire` rotates with overlap: the current key keeps its lifetime, also while the rotation waits."""
    desired = replace(PLAIN, expire_after_days=60, rotate=POLICY)
    current, successor = plan(desired, slot(age=1)).slots
    assert (current.expire_after_days, successor.expire_after_days) == (90, 60)
    waiting = plan(desired, slot(1, 0, age=80), slot(2, 1, age=1))
    assert [each.expire_after_days for each in waiting.slots] == [90, 90]
    assert waiting.waits_until == START + 6 * DAY
    (deferred,) = plan_slots(desired, {1: slot(age=1)}, Moment(START, ACCOUNT), deferral="x").slots
    assert deferred.expire_after_days == 90
    imported = replace(slot(age=1).recorded, age_days=None)
    assert find_rotation(replace(PLAIN, rotate=POLICY), imported, ACCOUNT) != find_issue(imported)


def test_renewal_after_rotation() -> None:
    """A previous key without an expiry, issued before `renewBefore` was declared, is retired after that time."""
    renewed = replace(PLAIN, renew_before_hours=14 * 24)
    for age, status in ((13, None), (14, "Inactive")):
        planned = plan(renewed, password(1, 0, age=50), slot(2, 1, age=age))
        assert outline(planned)[1] == (1, 0, status)
        assert (planned.retired is not None) == (status is not None)


def test_last_date() -> None:
    """`notBefore` in year 9999 and a date in the far future in the state raise no error."""
    never = datetime(9999, 12, 31, tzinfo=UTC)
    recorded = replace(password().recorded, issued=never)
    rotated = replace(ROTATED, rotate=replace(POLICY, not_before=never))
    last = datetime.max.replace(tzinfo=UTC)
    assert (find_overdue_date(rotated, recorded), find_retirement(rotated, recorded)) == (last, last)
    assert find_rotation(rotated, recorded, ACCOUNT) == last


def test_removed_trigger() -> None:
    """A removed trigger is kept in the state while `rotate` is declared, so that a later text rotates."""
    recorded = password(trigger="old")
    assert plan(ROTATED, recorded).slots[0].trigger == "old"
    assert plan(FOREVER, recorded, password(2, 1)).slots[0].trigger is None


def test_reset_with_trigger() -> None:
    """A reset issues a new password, so a trigger that changed with it rotates nothing."""
    (current,) = plan(replace(TRIGGERED, reset="x"), password(trigger="old")).slots
    assert (current.rotation, current.reset, current.trigger) == (1, "x", "new")


def test_successor() -> None:
    """The successor has the declared reset and lifetime, so that the next run resets and replaces nothing."""
    desired = replace(PLAIN, rotate=RotationPolicy(7 * 24, 60 * 24), reset="x", adopt="ACCA0")
    other = slot(1, 0, age=80, status=INACTIVE, is_retired=True, reset="old")
    current, successor = plan(desired, other, slot(2, 1, age=60, reset="x")).slots
    assert (current.slot, current.reset, current.adopt) == (2, "x", None)
    assert (successor.slot, successor.reset, successor.adopt, successor.expire_after_days) == (1, "x", None, 90)


def test_concerned_credentials() -> None:
    """The plan names the credential that it rotates, the one that it retires, and the reason to wait."""
    due, previous = password(2, 1, age=90), password(1, 0, age=99)
    assert plan(ROTATED, RETIRED, due).rotated == due.existing
    assert plan(ROTATED, previous, due).retired == previous.existing
    assert plan(ROTATED, RETIRED, password(2, 1)).retired is None
    assert plan(DELETED, previous, due).retired == previous.existing
    waiting = plan(TRIGGERED, password(1, 0, trigger="old"), password(2, 1, age=6, trigger="old"))
    assert (waiting.rotated, waiting.waits_until) == (None, START + DAY)
    deferred = plan_slots(ROTATED, {1: password(age=90)}, Moment(START, ACCOUNT), deferral="x")
    assert (outline(deferred), deferred.deferral) == ([(1, 0, None)], "x")


def test_adopted_successor() -> None:
    """A successor without an expiry adopts an unmanaged credential, unless that one expires."""
    desired = replace(ROTATED, existing=Existing.ADOPT)
    for unmanaged, existing in ((password(), Existing.ADOPT), (slot(), None)):
        assert unmanaged.existing is not None
        assert avoid_adoption(plan(desired, password(age=90)), [unmanaged.existing]).slots[1].existing is existing


def due(desired: DesiredCredential, **facts: object) -> datetime | None:
    """Return the due date of a credential with these facts."""
    return find_rotation(desired, password(**facts).recorded, ACCOUNT)  # type: ignore[arg-type]


def test_due_date() -> None:
    """A rotation is due 5% to 15% before the end of `every`; the share depends on account and name only."""
    early = 0.05 + 0.1 * compute_spread(ACCOUNT, "jane/bedrock")
    assert due(ROTATED, age=10) == START - 10 * DAY + 90 * DAY * (1 - early)
    shares = [compute_spread(f"{account:012}", f"user{name}/keyspaces") for account in range(9) for name in range(99)]
    assert 0 <= min(shares) < 0.01
    assert 0.99 < max(shares) < 1
    assert 0.45 < sum(shares) / len(shares) < 0.55
    assert due(FOREVER) is None
    assert due(replace(TRIGGERED, trigger=None), trigger="old") is None
    assert due(TRIGGERED, age=10, trigger="old") == START - 10 * DAY


def test_later_date() -> None:
    """`notBefore` also defers a rotation by a trigger."""
    later = START + 30 * DAY
    for desired in (ROTATED, TRIGGERED):
        assert desired.rotate is not None
        assert due(replace(desired, rotate=replace(desired.rotate, not_before=later)), age=99, trigger="old") == later


def test_expiring_key() -> None:
    """A key whose reset did not move its expiry is rotated the overlap before, also without `every`."""
    recorded = replace(slot(age=80).recorded, issued=START - DAY)
    for policy in (POLICY, RotationPolicy(7 * 24)):
        assert find_rotation(replace(PLAIN, rotate=policy), recorded, ACCOUNT) == START + 3 * DAY


def test_issue_date() -> None:
    """Age and overlap count from the last create or reset; the creation counts if the state does not contain it."""
    recorded = password(age=200).recorded
    assert find_retirement(ROTATED, recorded) == START - 193 * DAY
    assert find_retirement(ROTATED, replace(recorded, issued=START)) == START + 7 * DAY
    assert find_retirement(FOREVER, recorded) is None


def test_overdue_date() -> None:
    """A rotation is overdue 5% after the end of `every`, and not before `notBefore`."""
    recorded = password().recorded
    assert find_overdue_date(ROTATED, recorded) == START + 90 * DAY * 1.05
    later = replace(ROTATED, rotate=replace(POLICY, not_before=START + 100 * DAY))
    assert find_overdue_date(later, recorded) == START + 100 * DAY + timedelta(days=4.5)
    assert find_overdue_date(TRIGGERED, recorded) is None
    assert find_overdue_date(FOREVER, recorded) is None
