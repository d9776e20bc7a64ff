"""The creates that unmanaged credentials block: the schedule and the provider's plan agree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from iamcreds.model import Existing, Status
from iamcreds.planning.decisions import Adopt, Ambiguous, Create, HasExpired, Import, InTheWay, NotAdoptable, NotFound
from iamcreds.planning.group import Group
from iamcreds.planning.planner import plan
from iamcreds.planning.slot_facts import SlotFacts
from iamcreds.planning.slot_plan import Moment, Slot
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.schedule.projected_update import project_update
from tests.schedule.accounts import ACCOUNT, KEY, NOW, PASSWORD, RENEWED, ROTATED, existing, record

if TYPE_CHECKING:
    from iamcreds.desired import DesiredCredential
    from iamcreds.planning.decisions import Decision
    from iamcreds.planning.group import Member
    from iamcreds.schedule.projected_update import ProjectedUpdate

A, B, OTHER = "ACCA1", "ACCA2", "ACCA9"
ROTATED_KEY = replace(KEY, rotate=ROTATED.rotate)


@st.composite
def situations(draw: st.DrawFn) -> SlotFacts:
    """Generate a declared credential with up to two slots, and up to two unmanaged credentials within the quota."""
    desired = draw(st.sampled_from([PASSWORD, ROTATED, KEY, RENEWED, ROTATED_KEY]))
    adopts: dict[str, Any] = draw(
        st.sampled_from([{}, {"existing": Existing.ADOPT}, {"adopt": OTHER}, {"adopt": "ACCA0"}])
    )
    ages, status = st.sampled_from([1, 30, 80, 95]), st.sampled_from([Status.ACTIVE, Status.INACTIVE])
    slots: dict[int, Slot] = {}
    for number in range(1, draw(st.integers(0, 2)) + 1):
        credential = existing((A, B)[number - 1], draw(ages), desired, draw(status))
        is_gone = draw(st.booleans())
        slots[number] = Slot(record(credential, number - 1, number), None if is_gone else credential)
    number = draw(st.integers(0, 2 - sum(slot.existing is not None for slot in slots.values())))
    unmanaged = [
        existing(f"{OTHER}{'X' * index}", draw(ages), draw(st.sampled_from([desired, desired, KEY])), draw(status))
        for index in range(number)
    ]
    own = [replace(each, service=desired.service, family=existing("", 0, desired).family) for each in unmanaged]
    return SlotFacts(replace(desired, **adopts), slots, own)


def decide(update: ProjectedUpdate) -> dict[str, Decision]:
    """Return the provider's decisions about the creates of an update."""
    facts, declared = update.before, update.plan.slots
    count = max(facts.desired.number, len(declared))
    members = {each.resource_name: _make_member(each, count, facts.desired) for each in declared}
    managed = {slot.recorded.resource: slot.existing for slot in facts.slots.values() if slot.existing is not None}
    unblocked = project_update(replace(facts, unmanaged=()), Moment(update.time, ACCOUNT)).after
    kept = {slot.recorded.id for slot in unblocked.slots.values()}
    credentials = [*managed.values(), *facts.unmanaged]
    return plan(
        Group(
            facts.desired.user,
            facts.desired.service,
            members,
            existing=sorted(credentials, key=lambda each: each.created),
            owners={each.id: name for name, each in managed.items()},
            replaced={name: True for name, each in managed.items() if name in members and each.id not in kept},
            imports={each.id: each for each in credentials},
        )
    )


def _make_member(declared: DesiredCredential, count: int, desired: DesiredCredential) -> Member:
    inputs = CredentialInputs.declare(declared, declared=count, account=None)
    return replace(inputs.member(), is_renewed=desired.has_successors)


@settings(max_examples=800)
@given(situations())
def test_agreement(facts: SlotFacts) -> None:
    """An update of the schedule creates, adopts and imports as the provider decides, and is blocked if it rejects."""
    update = project_update(facts, Moment(NOW, ACCOUNT))
    decisions = decide(update)
    adoptions = {name: each.credential.id for name, each in decisions.items() if isinstance(each, Adopt | Import)}
    created = {name for name, each in decisions.items() if isinstance(each, Create)}
    rejections = [each for name, each in decisions.items() if name not in created | adoptions.keys()]
    assert bool(update.blocked_by) == bool(rejections), rejections
    assert all(isinstance(each, InTheWay | Ambiguous | NotAdoptable | NotFound | HasExpired) for each in rejections)
    if update.blocked_by:
        assert update.after == facts
        return
    taken = {each.id for each in facts.unmanaged}
    after = {slot.recorded.resource: slot.recorded.id for slot in update.after.slots.values()}
    assert adoptions == {name: id_ for name, id_ in after.items() if id_ in taken}
    assert created == {name for name, id_ in after.items() if not id_}
