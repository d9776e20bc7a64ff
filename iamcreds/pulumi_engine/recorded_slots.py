"""The slots of a credential in the stack's state, under its declared name or a former one; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.planning.slot_plan import SlotPlan
from iamcreds.resource_names import slot_name, split_slot
from iamcreds.slots import SLOTS, rank_slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import RecordedCredential
    from iamcreds.pulumi_engine.stack_state import StackState


def find_slot_names(credential: DesiredCredential, state: StackState) -> dict[int, str]:
    """Return the resource names of the slots that the state has, by number."""
    names = (credential.declared_name, *credential.former_declared_names)
    slots = ((number, slot_name(name, number)) for number in SLOTS for name in reversed(names))
    return {number: name for number, name in slots if state.has(name)}


def read_slots(credential: DesiredCredential, state: StackState) -> dict[int, RecordedCredential]:
    """Return the slots that the state has, by number.

    Raises:
        StateError: two resources have the name of a slot, or one is not valid. Without it, `up` would delete a slot.
    """
    return {number: state.read(name) for number, name in find_slot_names(credential, state).items()}


def keep_recorded(credential: DesiredCredential, recorded: Mapping[int, RecordedCredential]) -> SlotPlan:
    """Declare the slots as the state has them, the current one first; without any, the credential itself."""
    slots = sorted(recorded.values(), key=lambda each: rank_slot(each.resource, each.rotation), reverse=True)
    return SlotPlan(tuple(_declare_recorded(credential, each) for each in slots) or (credential,))


def _declare_recorded(credential: DesiredCredential, recorded: RecordedCredential) -> DesiredCredential:
    slot = split_slot(recorded.resource)[1]
    enforced = Status.INACTIVE if recorded.is_retired else Status.ACTIVE
    return replace(
        credential,
        slot=slot,
        rotation=recorded.rotation or None,
        reset=recorded.reset,
        trigger=recorded.trigger,
        expire_after_days=recorded.age_days,
        deliver=recorded.deliver,
        status=enforced if recorded.is_enforced else None,
        adopt=credential.adopt if slot == 1 else None,
    )
