"""Rotations: each rule about them can fail, and failures that the simulation found stay fixed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.desired import Retire, RotationPolicy
from iamcreds.model import Status
from iamcreds.pulumi_engine.successors import plan_credentials
from tests.simulation import process
from tests.simulation.faults import CREATE, DELETE, RESET, UPDATE, Fault, Kind
from tests.simulation.history import Act, Change, Declare, Human, Limit, Restore, Start, Wait, Work
from tests.simulation.making import DAY
from tests.simulation.play import play
from tests.simulation.program import Declared

if TYPE_CHECKING:
    from collections.abc import Callable

    from iamcreds.planning.slot_plan import SlotPlan
    from tests.simulation.history import Step

CODECOMMIT = "codecommit.amazonaws.com"
POLICY = RotationPolicy(overlap_hours=7 * 24, every_hours=30 * 24)
JANES = "jane/codecommit"
ROTATED = Declare(0, Declared("jane", CODECOMMIT, "codecommit", rotate=POLICY))
JOHNS = Declare(0, replace(ROTATED.declared, user="john"))
UP = Work((Start(0),), seed=0)
ROTATION: list[Step] = [ROTATED, UP, Wait(31 * DAY), UP]
RETIRED: list[Step] = [*ROTATION, Wait(8 * DAY), UP]
ROLL_BACK = Human(Act.ROLL_BACK, "jane", CODECOMMIT)
DEACTIVATION = Human(Act.SWITCH, "jane", CODECOMMIT, nth=1)
LEAKED = Change(0, JANES, (("reset", "leaked"),))


KEY = replace(ROTATED.declared, service="bedrock.amazonaws.com", name="bedrock", age_days=60)
DELETING = replace(ROTATED.declared, rotate=replace(POLICY, retire=Retire.DELETE))
SCENARIOS = {
    "first": ROTATION[:-1],
    "reset and activate": [*RETIRED, Wait(31 * DAY)],
    "retire": [*ROTATION, Wait(8 * DAY)],
    "delete": [Declare(0, DELETING), *ROTATION[1:], Wait(8 * DAY)],
    "removed": [*ROTATION, Change(0, JANES, (("rotate", None),))],
    "expiring": [Declare(0, KEY), *RETIRED[1:], Wait(20.6 * DAY)],
    "reset": [*ROTATION, LEAKED],
}
FAULTS = [
    *(Start(0, faults=(Fault(operation, kind),)) for operation in (CREATE, UPDATE, RESET, DELETE) for kind in Kind),
    *(Start(0, kill=step) for step in range(5, 60, 5)),
]


def list_broken(history: list[Step]) -> list[str]:
    """Return the broken rules."""
    return [violation.rule for violation in play(history)]


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([*RETIRED, Wait(31 * DAY), UP], id="first rotation, retirement, rotation back"),
        pytest.param([*ROTATION, DEACTIVATION, Wait(100 * DAY), UP, UP], id="current credential deactivated"),
        pytest.param([*RETIRED, ROLL_BACK, Wait(100 * DAY), UP, UP], id="rolled back to the retired credential"),
        pytest.param([*ROTATION, LEAKED, UP, Wait(31 * DAY), UP], id="reset in the overlap, rotation"),
        pytest.param([*RETIRED, Wait(31 * DAY), UP, Restore(0, 1), UP, UP], id="older state"),
        pytest.param([*ROTATION, Change(0, JANES, (("rotate", None),)), UP, UP], id="rotate removed"),
        pytest.param(
            [*RETIRED, Wait(31 * DAY), Work((Start(0, faults=(Fault(UPDATE, Kind.LOST, 1, 99),)),), 0), UP, UP],
            id="activation without a response",
        ),
    ],
)
def test_rotations(history: list[Step]) -> None:
    """A correct rotation breaks no rule, whatever a person does to the slots."""
    assert list_broken(history) == []


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(
            [
                Declare(0, Declared("john", "bedrock.amazonaws.com", "bedrock", rotate=POLICY)),
                UP,
                Wait(35 * DAY),
                Change(0, "john/bedrock", (("age_days", 120),)),
                UP,
            ],
            id="a rotation with a changed lifetime also replaced the current key: two new passwords in one run",
        ),
    ],
)
def test_rotations_found_before(history: list[Step]) -> None:
    """A failed rotation that the simulation found stays fixed."""
    assert play(history) == []


@pytest.mark.parametrize("before", SCENARIOS.values(), ids=SCENARIOS)
def test_faults(before: list[Step]) -> None:
    """After any fault of a call and after a kill, the passwords in use work, and the next runs rotate."""
    for start in FAULTS:
        assert list_broken([*before, Work((start,), seed=0)]) == [], start


def find_rules(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[SlotPlan], SlotPlan], history: list[Step]
) -> list[str]:
    """Play a history with changed plans, and return the broken rules."""

    def plan(*arguments: Any, **options: Any) -> dict[str, SlotPlan]:  # noqa: ANN401 - those of the real function
        return {name: change(planned) for name, planned in plan_credentials(*arguments, **options).items()}

    monkeypatch.setattr(process, "plan_credentials", plan)
    return list_broken(history)


def forget_successor(plan: SlotPlan) -> SlotPlan:
    """Never rotate."""
    return plan if plan.rotated is None else replace(plan, slots=plan.slots[:1], rotated=None)


def reset_current(plan: SlotPlan) -> SlotPlan:
    """Issue the new password in the current slot."""
    if plan.rotated is None:
        return plan
    return replace(plan, slots=(replace(plan.slots[0], reset="rotated"),), rotated=None)


def retire_early(plan: SlotPlan) -> SlotPlan:
    """Retire the previous credential before its overlap ends, or although a person rolled back to it."""
    retired = (replace(each, status=Status.INACTIVE) for each in plan.slots[1:])
    return plan if plan.rotated is not None else replace(plan, slots=(plan.slots[0], *retired))


def delete_early(plan: SlotPlan) -> SlotPlan:
    """Declare no previous credential."""
    return plan if plan.rotated is not None else replace(plan, slots=plan.slots[:1])


def never_retire(plan: SlotPlan) -> SlotPlan:
    """Keep the previous credential Active."""
    return replace(plan, slots=(plan.slots[0], *(replace(each, status=None) for each in plan.slots[1:])))


def deactivate_current(plan: SlotPlan) -> SlotPlan:
    """Deactivate the current credential after a rotation."""
    deactivated = replace(plan.slots[0], status=Status.INACTIVE)
    return replace(plan, slots=(deactivated, *plan.slots[1:])) if plan.rotation else plan


def reissue_both(plan: SlotPlan) -> SlotPlan:
    """Issue new passwords in both slots."""
    greater = plan.rotation + 1
    slots = tuple(replace(each, rotation=greater, status=None) for each in plan.slots)
    return replace(plan, slots=slots) if plan.is_reset else plan


@pytest.mark.parametrize(
    ("change", "history", "rule"),
    [
        pytest.param(forget_successor, ROTATION, "not rotated", id="no rotation"),
        pytest.param(reset_current, ROTATION, "working key", id="current slot reset"),
        pytest.param(retire_early, [*ROTATION, UP], "working key", id="retired in the overlap"),
        pytest.param(delete_early, [*ROTATION, UP], "working key", id="deleted in the overlap"),
        pytest.param(never_retire, RETIRED, "not retired", id="never retired"),
        pytest.param(deactivate_current, [*ROTATION, UP], "working key", id="current slot deactivated"),
        pytest.param(retire_early, [*RETIRED, ROLL_BACK, Wait(DAY), UP], "working key", id="not as rolled back"),
        pytest.param(never_retire, [*ROTATION, LEAKED, UP], "leaked password works", id="leaked password"),
        pytest.param(reissue_both, [*RETIRED, LEAKED, UP], "two successors", id="two passwords"),
    ],
)
def test_wrong_rotations(
    change: Callable[[SlotPlan], SlotPlan], history: list[Step], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that ends a password in use, rotates too little or too much, or keeps a leaked password breaks a rule."""
    assert rule in find_rules(monkeypatch, change, history)


def test_ignored_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that rotates more credentials than the limit breaks a rule; the real one does not."""
    history: list[Step] = [Limit(0, 1), ROTATED, JOHNS, UP, Wait(31 * DAY), UP, UP]
    assert list_broken(history) == []

    def plan(*arguments: Any, **_: object) -> dict[str, SlotPlan]:  # noqa: ANN401 - those of the real function
        return plan_credentials(*arguments)

    monkeypatch.setattr(process, "plan_credentials", plan)
    assert "too many rotations" in list_broken(history)


def test_repeated_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that changes something in a second run breaks a rule."""
    number = iter(range(1, 100))

    def change(plan: SlotPlan) -> SlotPlan:
        return replace(plan, slots=(replace(plan.slots[0], reset=f"r{next(number)}"), *plan.slots[1:]))

    assert "does not converge" in find_rules(monkeypatch, change, ROTATION)
