"""The plan of a rotated credential with a delivery: a lost secret, an interrupted rotation, and retirement on read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iamcreds.delivery import SECRETS_MANAGER, DeliveredSecret, Delivery
from iamcreds.desired import RotationPolicy
from iamcreds.due_dates import find_retirement
from iamcreds.model import Status
from iamcreds.planning import rotation, rotation_case
from iamcreds.planning.rotation import plan_slots
from iamcreds.planning.rotation_case import RotationCase
from iamcreds.planning.slot_plan import Moment, Slot, StoreFacts
from iamcreds.pulumi_engine import delivering, successor_facts
from iamcreds.pulumi_engine.delivering import SecretDelivery
from tests.planning.delivered_histories import DELIVERED_STEPS, find_broken_history, play
from tests.planning.histories import POLICIES
from tests.planning.slots import ACCOUNT, DAY, PLAIN, START, outline, slot

if TYPE_CHECKING:
    from datetime import date

    from iamcreds.desired import DesiredCredential
    from iamcreds.planning.slot_plan import SlotPlan

DELIVERY = Delivery(SECRETS_MANAGER, "bedrock/jane")
MOVED = replace(DELIVERY, name="moved")
POLICY = RotationPolicy(7 * 24, 90 * 24)
DELIVERED = replace(PLAIN, expire_after_days=None, rotate=POLICY, deliver=DELIVERY)
LOST = StoreFacts(is_lost=True)
INACTIVE = Status.INACTIVE
TODAY = START.date()


def password(number: int = 1, rotation: int = 0, **facts: object) -> Slot:
    """Return a slot whose delivered password does not expire."""
    made = slot(number, rotation, days=None, **facts)  # type: ignore[arg-type]
    recorded = replace(made.recorded, deliver=DELIVERY, delivered=DeliveredSecret("arn", f"version {number}"))
    return Slot(recorded, made.existing)


def plan(
    store: StoreFacts, *slots: Slot, desired: DesiredCredential = DELIVERED, deferral: str | None = None
) -> SlotPlan:
    """Plan these slots at START with the facts of the store."""
    numbered = {2 if each.recorded.resource.endswith("~2") else 1: each for each in slots}
    return plan_slots(desired, numbered, Moment(START, ACCOUNT), store=store, deferral=deferral)


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        pytest.param([password(age=1)], [(1, 0, None), (2, 1, None)], id="other absent"),
        pytest.param(
            [password(1, 0, age=40, status=INACTIVE, is_retired=True), password(2, 1, age=1)],
            [(2, 1, None), (1, 2, None)], id="other Inactive",
        ),
        pytest.param(
            [password(1, 0, age=40, status=Status.EXPIRED), password(2, 1, age=1)], [(2, 1, None), (1, 2, None)],
            id="other Expired",
        ),
        pytest.param(
            [password(1, 0, age=40), password(2, 1, age=1)], [(2, 1, None), (1, 0, None)], id="other Active: waits",
        ),
        pytest.param(
            [password(1, 0, age=40), password(2, 1, age=7)], [(2, 1, None), (1, 0, "Inactive")],
            id="other Active after the overlap: retired first",
        ),
        pytest.param([password(age=1, status=INACTIVE)], [(1, 0, None)], id="a person deactivated the current one"),
        pytest.param([password(age=1, status=None)], [(1, 0, None)], id="current gone: created again and delivered"),
    ],
)  # fmt: skip
def test_lost(slots: list[Slot], expected: list[tuple[int, int, str | None]]) -> None:
    """Row 9: a lost secret rotates ahead of time, unless the other password still works."""
    assert outline(plan(LOST, *slots)) == expected


def test_wait_for_the_overlap() -> None:
    """A plan that waits for the overlap is marked as lost, so that its message names the reason."""
    planned = plan(LOST, password(1, 0, age=40), password(2, 1, age=1))
    assert (planned.is_lost, planned.rotated, planned.waits_until) == (True, None, START + 6 * DAY)


def test_not_rotated() -> None:
    """Without `rotate`, a lost secret changes no slot: only a reset of the password in use could heal it."""
    planned = plan(LOST, password(age=1), desired=replace(DELIVERED, rotate=None))
    assert (outline(planned), planned.is_lost) == ([(1, 0, None)], False)


def test_not_before() -> None:
    """`notBefore` does not defer the rotation of a lost secret, because no one has the password."""
    later = replace(DELIVERED, rotate=replace(POLICY, not_before=START + 30 * DAY))
    assert plan(LOST, password(age=1), desired=later).rotated is not None
    assert plan(StoreFacts(), password(age=99), desired=later).rotated is None


def test_deferral() -> None:
    """`maxPerRun` defers it as any other rotation; its due date is the issue of the lost password."""
    planned = plan(LOST, password(age=1), deferral="limit")
    assert (planned.rotated, planned.deferral, planned.due) == (None, "limit", START - DAY)


@pytest.mark.parametrize(
    ("declared", "waiting"),
    [
        pytest.param(MOVED, DELIVERY, id="moved"),
        pytest.param(replace(DELIVERY, keep_in_state=True), DELIVERY, id="to be kept in the state"),
        pytest.param(replace(DELIVERY, tags={"team": "a"}), replace(DELIVERY, tags={"team": "a"}), id="only tags"),
    ],
)
def test_changed_delivery(declared: Delivery, waiting: Delivery) -> None:
    """Next to its successor, the current slot keeps its recorded delivery; else only if a change needs the password."""
    desired = replace(DELIVERED, deliver=declared)
    assert [each.deliver for each in plan(LOST, password(age=1), desired=desired).slots] == [DELIVERY, declared]
    previous = password(1, 0, age=40)
    planned = plan(LOST, previous, password(2, 1, age=1), desired=desired)
    assert [each.deliver for each in planned.slots] == [waiting, DELIVERY]


def test_renewed() -> None:
    """A renewed key keeps its recorded delivery next to its successor: the state lacks the password to move."""
    renewed = replace(PLAIN, renew_before_hours=14 * 24, deliver=MOVED)
    made = slot(age=80)
    key = Slot(replace(made.recorded, deliver=DELIVERY), made.existing)
    planned = plan_slots(renewed, {1: key}, Moment(START, ACCOUNT))
    assert [each.deliver for each in planned.slots] == [DELIVERY, MOVED]


def test_previous_keeps_its_delivery() -> None:
    """A changed delivery concerns the current slot only."""
    planned = plan(
        StoreFacts(), password(1, 0, age=40), password(2, 1, age=1), desired=replace(DELIVERED, deliver=MOVED)
    )
    assert [each.deliver for each in planned.slots] == [MOVED, DELIVERY]


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_confirmed(*, is_confirmed: bool) -> None:
    """The plan passes on that the store has the recorded version, so that the provider need not read it."""
    assert plan(StoreFacts(is_confirmed=is_confirmed), password(age=1)).is_confirmed is is_confirmed


SUCCESSOR = StoreFacts(is_finished=True)


@pytest.mark.parametrize(
    ("desired", "slots", "expected"),
    [
        pytest.param(
            DELIVERED, [password(1, 0, age=100, is_retired=True), password(2, 1, age=90)],
            [(2, 1, None), (1, 2, None)], id="the successor is recorded, not retired",
        ),
        pytest.param(
            DELIVERED, [password(1, 0, age=100, is_retired=True, status=INACTIVE), password(2, 1, age=9)],
            [(2, 1, None), (1, 2, None)], id="a person deactivated the successor: lost, and rotated anew",
        ),
        pytest.param(
            DELIVERED, [password(1, 0, age=100, is_retired=True), password(2, 1, age=90, status=INACTIVE)],
            [(2, 1, None), (1, 0, None)], id="a person deactivated the current one: nothing changes",
        ),
        pytest.param(
            replace(DELIVERED, rotate=None), [password(1, 0, age=100, is_retired=True), password(2, 1, age=90)],
            [(2, 1, None), (1, 2, None)], id="`rotate` was removed since: recorded before the other slot is deleted",
        ),
        pytest.param(
            replace(DELIVERED, reset="leak"), [password(1, 0, age=100, is_retired=True), password(2, 1, age=90)],
            [(2, 2, None), (1, 0, "Inactive")], id="a reset comes first",
        ),
    ],
)  # fmt: skip
def test_interrupted(
    desired: DesiredCredential, slots: list[Slot], expected: list[tuple[int, int, str | None]]
) -> None:
    """A rotation that was interrupted after the delivery is completed, because the store hands out its password."""
    assert outline(plan(SUCCESSOR, *slots, desired=desired)) == expected


def test_deferred_completion() -> None:
    """A completion that `maxPerRun` defers keeps the delivered password, which a retirement would end."""
    slots = [password(1, 0, age=100, is_retired=True), password(2, 1, age=90)]
    assert plan(SUCCESSOR, *slots).is_finished
    moved = replace(DELIVERED, deliver=MOVED)
    assert plan(SUCCESSOR, *slots, desired=moved, deferral="limit").slots[0].deliver == DELIVERY
    deferred = plan(SUCCESSOR, *slots, deferral="limit")
    assert (outline(deferred), deferred.deferral) == ([(2, 1, None), (1, 0, None)], "limit")


def test_completion_with_the_password_in_the_state() -> None:
    """If the state needs the password, no run can read it: both slots are kept, and the current one is delivered."""
    kept = replace(DELIVERED, deliver=replace(DELIVERY, keep_in_state=True))
    slots = [password(1, 0, age=100, is_retired=True), password(2, 1, age=90)]
    assert outline(plan(SUCCESSOR, *slots, desired=kept)) == [(2, 1, None), (1, 0, None)]


BY_READ = replace(DELIVERED, rotate=replace(POLICY, retire_by_hours=30 * 24))


@pytest.mark.parametrize(
    ("age", "last_read", "status"),
    [
        pytest.param(10, None, None, id="not read"),
        pytest.param(10, TODAY - 10 * DAY, None, id="read on the day of the delivery, maybe before it"),
        pytest.param(10, TODAY - 9 * DAY, "Inactive", id="read on the next day"),
        pytest.param(6, TODAY - 5 * DAY, None, id="read, but the overlap has not ended"),
        pytest.param(29, None, None, id="before the last date"),
        pytest.param(30, None, "Inactive", id="on the last date"),
    ],
)
def test_retired_when_read(age: int, last_read: date | None, status: str | None) -> None:
    """With `retireWhen`, the previous password works until the new one was read on a later day, or until `by`."""
    store = StoreFacts(is_confirmed=True, last_read=last_read)
    planned = plan(store, password(1, 0, age=60), password(2, 1, age=age), desired=BY_READ)
    assert outline(planned) == [(2, 1, None), (1, 0, status)]


def test_latest_retirement() -> None:
    """`by` counts from the issue; a `by` shorter than the overlap does not shorten it."""
    recorded = password(age=1).recorded
    assert find_retirement(BY_READ, recorded) == START + 29 * DAY
    assert BY_READ.rotate is not None
    short = replace(BY_READ, rotate=replace(BY_READ.rotate, retire_by_hours=24))
    assert find_retirement(short, recorded) == START + 6 * DAY
    assert find_retirement(BY_READ, recorded, TODAY + timedelta(days=1)) == START + 6 * DAY


@given(st.sampled_from(POLICIES), st.lists(st.sampled_from(DELIVERED_STEPS), max_size=15))
@settings(max_examples=200, deadline=None)
def test_histories(policy: DesiredCredential, steps: list[str]) -> None:
    """The store hands out a working password at every moment, or the next complete run heals it; see `histories`."""
    assert play(policy, steps) == []


def test_seeds() -> None:
    """Random histories, some of them after a rotation, break no rule."""
    assert find_broken_history(200) == ""


def make_token_of_number(credential_id: str, rotation: int, reset: str | None, _attempt: str) -> str:
    """Return a token that does not depend on the attempt."""
    return f"{credential_id}/{rotation}/{reset}"


def test_word_of_the_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the attempt in its token, a late put of a killed run would count as the delivery of the next one."""
    steps = ["reset", "die 2", "die 2", "late"]
    assert play(POLICIES[0], steps) == []
    for module in (delivering, successor_facts):
        monkeypatch.setattr(module, "make_token", make_token_of_number)
    assert any("does not hand out a working password" in each for each in play(POLICIES[0], steps))


def without_rule(name: str) -> tuple[object, str, object]:
    """Return the rules of the plan without one, as a change of an attribute."""
    return rotation, "_RULES", tuple(rule for rule in vars(rotation)["_RULES"] if rule.__name__ != name)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        pytest.param([without_rule("_finish")], "hands out a dead password", id="an interrupted rotation is retired"),
        pytest.param(
            [(RotationCase, "is_lost", property(lambda _: False))], "does not hand out a working password",
            id="a lost secret does not rotate",
        ),
        pytest.param(
            [(RotationCase, "has_two_passwords", property(lambda _: False))], "although its password is in use",
            id="a lost secret ends a working password",
        ),
        pytest.param(
            [(rotation_case, "find_retirement", lambda desired, slot, _: find_retirement(desired, slot, TODAY.max))],
            "is retired unread", id="retirement does not wait for a read",
        ),
        pytest.param(
            [(SecretDelivery, "begin", lambda *_, **__: None)], "hands out a dead password", id="no word is written"
        ),
        pytest.param([(Delivery, "needs_secret", lambda *_: True)], "no rest", id="every run writes"),
    ],
)  # fmt: skip
def test_missing_rule(changes: list[tuple[object, str, object]], broken: str) -> None:
    """Without any one of the rules, a history breaks an invariant."""
    patches = [mock.patch.object(owner, name, changed) for owner, name, changed in changes]
    for patch in patches:
        patch.start()
    try:
        assert broken in find_broken_history(600)
    finally:
        mock.patch.stopall()
