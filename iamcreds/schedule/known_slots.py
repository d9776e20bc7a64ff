"""The slots of a declared credential, from the stack's state or from the dates that IAM returns; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.due_dates import has_lifetime
from iamcreds.model import Credential, RecordedCredential
from iamcreds.planning.slot_plan import Slot
from iamcreds.resource_names import slot_name, split_slot
from iamcreds.services import Family, service_family
from iamcreds.slots import find_previous

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.model import Inventory


def read_recorded_slots(desired: DesiredCredential, state: RecordedState, inventory: Inventory) -> dict[int, Slot]:
    """Return the slots that the state has, by number. A new credential that lists lack counts as recorded."""
    by_id = {credential.id: credential for credential in inventory.credentials}
    slots = state.find_slots(desired)
    return {
        split_slot(recorded.resource)[1]: _make_slot(recorded, by_id.get(recorded.id), inventory)
        for recorded in (slots.current, slots.previous)
        if recorded is not None
    }


def _make_slot(recorded: RecordedCredential, existing: Credential | None, inventory: Inventory) -> Slot:
    if existing is None and recorded.id in inventory.young_credentials:
        existing = make_existing(recorded)
    return Slot(recorded if existing is None else replace(recorded, status=existing.status), existing)


def make_existing(recorded: RecordedCredential) -> Credential:
    """Return a credential as the state has it."""
    return Credential(
        id=recorded.id,
        user=recorded.user,
        service=recorded.service,
        status=recorded.status,
        created=recorded.created,
        family=service_family(recorded.service) or Family.API_KEY,
        login="",
        expires=recorded.expires,
    )


def read_shown_slots(
    desired: DesiredCredential, declared: Sequence[DesiredCredential], existing: Sequence[Credential]
) -> Mapping[int, Slot] | None:
    """Return the slots by the dates of existing credentials, None if these do not show the declared one.

    Args:
        desired: the declared credential; one that rotates is never shown.
        declared: all declared credentials of its user and service.
        existing: all existing ones.
    """
    older = find_previous(desired, existing)
    newer = [each for each in existing if each is not older]
    if desired.rotate is not None or len(declared) != 1 or len(newer) != 1:
        return None
    slots = {1: _show_slot(desired, newer[0], 1, 1 if older else 0)}
    return slots if older is None else slots | {2: _show_slot(desired, older, 2, 0)}


def _show_slot(desired: DesiredCredential, existing: Credential, number: int, rotation: int) -> Slot:
    days = desired.expire_after_days if has_lifetime(desired, existing) else existing.lifetime_days
    recorded = RecordedCredential(
        resource=slot_name(desired.declared_name, number),
        id=existing.id,
        user=existing.user,
        service=existing.service,
        created=existing.created,
        reset=desired.reset,
        rotation=rotation,
        status=existing.status,
        expires=existing.expires,
        age_days=days,
        is_enforced=desired.status is not None,
    )
    return Slot(recorded, existing)
