"""The plan of both slots of a renewed key: each rule by an example, and the invariants over random histories."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iamcreds.desired import RotationPolicy
from iamcreds.due_dates import find_renewal
from iamcreds.model import Existing, Status
from iamcreds.planning import rotation
from iamcreds.planning.slot_plan import avoid_adoption
from tests.planning.histories import POLICIES, STEPS, find_broken_history, play
from tests.planning.slots import DAY, PLAIN, RENEWED, START, outline, plan, slot

if TYPE_CHECKING:
    from iamcreds.desired import DesiredCredential
    from iamcreds.planning.slot_plan import Slot

OLD = slot(age=80)


@pytest.mark.parametrize(
    ("desired", "slots", "expected"),
    [
        pytest.param(RENEWED, [], [(1, 0, None)], id="row 1: nothing is recorded"),
        pytest.param(replace(RENEWED, reset="x"), [slot()], [(1, 1, None)], id="row 2: reset"),
        pytest.param(
            replace(RENEWED, reset="x"), [OLD, slot(2, 1)], [(2, 2, None), (1, 0, "Inactive")],
            id="row 2: the previous key is deactivated",
        ),
        pytest.param(replace(RENEWED, reset="x"), [slot(reset="x")], [(1, 0, None)], id="row 2: already reset"),
        pytest.param(RENEWED, [slot(status=None), slot(2, age=70)], [(1, 0, None), (2, 0, None)], id="row 3: gone"),
        pytest.param(RENEWED, [slot(age=90, status=Status.EXPIRED)], [(1, 0, None)], id="row 3: slept through"),
        pytest.param(
            RENEWED, [slot(1, 2, age=95, status=Status.EXPIRED), slot(2, 1, age=99, status=Status.EXPIRED)],
            [(1, 2, None)], id="row 3: both expired",
        ),
        pytest.param(RENEWED, [slot(age=80, status=Status.INACTIVE)], [(1, 0, None)], id="row 4: deactivated and due"),
        pytest.param(
            RENEWED, [slot(1, 0, age=80, is_retired=True), slot(2, 1, status=Status.INACTIVE)],
            [(2, 1, None), (1, 0, None)], id="row 4: rolled back",
        ),
        pytest.param(PLAIN, [OLD, slot(2, 1)], [(2, 1, None)], id="row 5: no longer renewed"),
        pytest.param(
            replace(PLAIN, status=Status.INACTIVE), [OLD, slot(2, 1, status=Status.INACTIVE)], [(2, 1, "Inactive")],
            id="row 5: Inactive by specs",
        ),
        pytest.param(PLAIN, [slot(2, 1)], [(1, 1, None)], id="row 6: moved to slot 1"),
        pytest.param(RENEWED, [slot(age=75)], [(1, 0, None)], id="row 11: not due"),
        pytest.param(RENEWED, [slot(age=76)], [(1, 0, None), (2, 1, None)], id="row 8: due"),
        pytest.param(
            RENEWED, [slot(1, 0, age=91, status=Status.EXPIRED), slot(2, 1, age=76)], [(2, 1, None), (1, 2, None)],
            id="row 8: the other slot has expired",
        ),
        pytest.param(RENEWED, [OLD, slot(2, 1, age=76)], [(2, 1, None), (1, 0, None)], id="row 8: other still works"),
        pytest.param(
            RENEWED, [slot(1, 0, age=82, days=365), slot(2, 1, age=76)], [(2, 1, None), (1, 2, None)],
            id="row 8: other would outlive the current one",
        ),
        pytest.param(RENEWED, [slot(age=80, days=60)], [(1, 0, None)], id="a different lifetime is replaced"),
        pytest.param(RENEWED, [slot(age=80, days=None)], [(1, 0, None)], id="without an expiry"),
        pytest.param(RENEWED, [OLD, slot(2, 1)], [(2, 1, None), (1, 0, None)], id="row 11: both work"),
        pytest.param(
            RENEWED, [slot(1, 0, age=91, status=Status.EXPIRED), slot(2, 1)], [(2, 1, None)],
            id="row 11: the previous key has expired",
        ),
        pytest.param(
            replace(RENEWED, reset="x"), [slot(1, 0, age=80), slot(2, 2, reset="x", age=70, issued=0)],
            [(2, 2, None), (1, 0, "Inactive")], id="row 11: the run of the reset failed before it retired the other",
        ),
        pytest.param(
            RENEWED, [slot(1, 0, age=80, reset="x"), slot(2, 1)], [(2, 1, None), (1, 0, None)],
            id="row 11: the reset was removed from specs",
        ),
        pytest.param(
            RENEWED, [slot(1, 0, status=Status.INACTIVE, is_retired=True), slot(2, 1)],
            [(2, 1, None), (1, 0, "Inactive")], id="row 11: retired stays retired",
        ),
    ],
)  # fmt: skip
def test_rows(desired: DesiredCredential, slots: list[Slot], expected: list[tuple[int, int, str | None]]) -> None:
    """Each row of the state machine decides as described."""
    assert outline(plan(desired, *slots)) == expected


def test_previous_keeps_its_inputs() -> None:
    """A changed lifetime and trigger concern the current key only, so the previous one is not replaced."""
    desired = replace(RENEWED, expire_after_days=30, reset="new", adopt="ACCA0")
    current, previous = plan(desired, slot(age=80, reset="old"), slot(2, 1, reset="new")).slots
    assert (current.expire_after_days, current.reset, current.adopt) == (30, "new", None)
    assert (previous.expire_after_days, previous.reset, previous.adopt) == (90, "old", "ACCA0")


def test_rotation_with_a_new_lifetime() -> None:
    """A due rotation with a changed lifetime issues one password: the previous key keeps its lifetime."""
    policy = RotationPolicy(overlap_hours=24, every_hours=20 * 24)
    previous, successor = plan(replace(PLAIN, expire_after_days=60, rotate=policy), OLD).slots
    assert (previous.slot, previous.expire_after_days) == (1, 90)
    assert (successor.slot, successor.expire_after_days) == (2, 60)


def test_imported() -> None:
    """The successor of a key in slot 2 is a new one in slot 1, although specs import the first one by its id."""
    current, successor = plan(replace(RENEWED, adopt="ACCA0"), slot(2, 1, age=80)).slots
    assert (current.adopt, successor.slot, successor.adopt) == (None, 1, None)


def test_names() -> None:
    """Slot 2 has the name of slot 1 and `~2`, also for former names; a moved slot continues the resource of slot 2."""
    renamed = replace(RENEWED, was="old", user_was="joan")
    (first, second) = plan(renamed, OLD).slots
    assert (first.resource_name, second.resource_name) == ("jane/bedrock", "jane/bedrock~2")
    assert second.former_resource_names == ("jane/bedrock/old~2", "joan/bedrock~2", "joan/bedrock/old~2")
    (moved,) = plan(PLAIN, slot(2, 1)).slots
    assert (moved.resource_name, moved.former_resource_names) == ("jane/bedrock", ("jane/bedrock~2",))


def test_concerned_credentials() -> None:
    """The plan names the key that it renews and the key that it deletes."""
    assert plan(RENEWED, OLD).renewed == OLD.existing
    expired = slot(1, 0, age=91, status=Status.EXPIRED)
    assert plan(RENEWED, expired, slot(2, 1)).deleted == expired.existing
    assert plan(PLAIN, OLD, slot(2, 1)).deleted == OLD.existing
    assert plan(RENEWED, OLD, slot(2, 1)).deleted is None
    long_lived = slot(1, 0, age=82, days=365)
    assert plan(RENEWED, long_lived, slot(2, 1, age=76)).deleted == long_lived.existing


@pytest.mark.parametrize(
    ("unmanaged", "existing"), [(slot(age=81), None), (slot(age=1), Existing.ADOPT), (slot(days=None), Existing.ADOPT)]
)
def test_adopted_successor(unmanaged: Slot, existing: Existing | None) -> None:
    """A successor adopts no key that expires before the current one: it would need a successor at once."""
    desired = replace(RENEWED, existing=Existing.ADOPT)
    assert unmanaged.existing is not None
    current, successor = avoid_adoption(plan(desired, OLD), [unmanaged.existing]).slots
    assert (current.existing, successor.existing) == (Existing.ADOPT, existing)
    for kept in (plan(desired, slot()), plan(RENEWED, OLD)):
        assert avoid_adoption(kept, [unmanaged.existing]) is kept


def test_due_date() -> None:
    """The renewal is due `renewBefore` ahead of the expiry; without an expiry or a renewal it never is."""
    assert find_renewal(RENEWED, OLD.existing) == START + (10 - 14) * DAY
    assert OLD.existing is not None
    second_less = replace(OLD.existing, expires=START + 10 * DAY - timedelta(seconds=1))
    assert find_renewal(RENEWED, second_less) == START + (10 - 14) * DAY - timedelta(seconds=1)
    for desired, existing in (
        (PLAIN, OLD.existing), (RENEWED, None), (RENEWED, slot(days=None).existing), (RENEWED, slot(days=60).existing)
    ):  # fmt: skip
        assert find_renewal(desired, existing) is None


@given(st.sampled_from(POLICIES), st.lists(st.sampled_from(STEPS), max_size=15))
@settings(max_examples=3_000, deadline=None)
def test_histories(policy: DesiredCredential, steps: list[str]) -> None:
    """A run issues at most one password, ends none in use and misses nothing due; a second run changes nothing."""
    assert play(policy, steps) == []


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("_reset", "two passwords in one run"),
        ("_recreate", "two passwords in one run"),
        ("_respect_deactivation", "although its password is in use"),
        ("_end_successors", "slot 2 is left"),
        ("_rotate", "not rotated since"),
        ("_renew", "no working password"),
        ("_retire", "not rotated since"),
    ],
)
def test_missing_rule(name: str, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any one of the rules, a history breaks an invariant."""
    rules = vars(rotation)["_RULES"]
    monkeypatch.setattr(rotation, "_RULES", tuple(rule for rule in rules if rule.__name__ != name))
    assert broken in find_broken_history(400)
