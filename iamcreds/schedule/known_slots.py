"""The slots of a declared credential, from the stack's state or from the dates that IAM returns; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.model import RecordedCredential, Status
from iamcreds.planning.slot_plan import Slot, make_existing
from iamcreds.resource_names import slot_name, split_slot
from iamcreds.slots import find_previous

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.model import Credential


def read_recorded_slots(
    desired: DesiredCredential, state: RecordedState, by_id: Mapping[str, Credential], young: Container[str]
) -> dict[int, Slot]:
    """Return the slots that the state has, by number.

    Args:
        desired: the declared credential.
        state: the stack's state.
        by_id: the existing credentials by id.
        young: the ids of credentials so young that lists may lack them; those count as recorded.
    """
    slots = state.find_slots(desired)
    return {
        split_slot(recorded.resource)[1]: _make_slot(recorded, by_id.get(recorded.id), is_young=recorded.id in young)
        for recorded in (slots.current, slots.previous)
        if recorded is not None
    }


def _make_slot(recorded: RecordedCredential, existing: Credential | None, *, is_young: bool) -> Slot:
    """Return a slot as a refresh records it, which keeps the status before an expiry."""
    if existing is None:
        return Slot(recorded, make_existing(recorded) if is_young else None)
    is_expired = existing.status is Status.EXPIRED
    return Slot(recorded if is_expired else replace(recorded, status=existing.status), existing)


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
    """Return a slot with the declared values, because only the state shows whether an update changes them."""
    recorded = RecordedCredential(
        resource=slot_name(desired.declared_name, number),
        id=existing.id,
        user=existing.user,
        service=existing.service,
        created=existing.created,
        reset=desired.reset,
        trigger=desired.trigger,
        rotation=rotation,
        status=existing.status,
        expires=existing.expires,
        age_days=desired.expire_after_days,
        is_enforced=desired.status is not None,
        deliver=desired.deliver,
    )
    return Slot(recorded, existing)
