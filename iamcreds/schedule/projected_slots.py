"""The slots of a credential after an update that applies a plan; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.due_dates import add_time, find_lifetime, has_other_lifetime
from iamcreds.model import Credential, RecordedCredential, Status
from iamcreds.planning.slot_plan import Slot
from iamcreds.services import Family, service_family

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.planning.slot_plan import SlotPlan


def apply_plan(plan: SlotPlan, slots: Mapping[int, Slot], time: datetime) -> dict[int, Slot]:
    """Return the slots after an update at a time. A created credential has no id."""
    return {
        declared.slot: _apply(declared, slots.get(declared.slot), time, is_reset=plan.is_reset)
        for declared in plan.slots
    }


def _apply(declared: DesiredCredential, slot: Slot | None, time: datetime, *, is_reset: bool) -> Slot:
    if slot is None or slot.existing is None:
        return _create(declared, time)
    if not slot.works_at(time):
        return slot if slot.recorded.was_deactivated else _create(declared, time)
    recorded, existing = slot.recorded, slot.existing
    is_rotated = (declared.rotation or 0) > recorded.rotation
    is_replaced = is_rotated and declared.expire_after_days is not None and not is_reset
    if is_replaced or has_other_lifetime(declared, recorded):
        return _create(declared, time)
    is_issued = is_rotated or declared.reset not in (None, recorded.reset)
    status = declared.status or (Status.ACTIVE if is_issued else existing.status)
    return Slot(
        _record(declared, replace(existing, status=status), time if is_issued else recorded.issued),
        replace(existing, status=status),
    )


def _create(declared: DesiredCredential, time: datetime) -> Slot:
    lifetime = find_lifetime(declared)
    existing = Credential(
        id="",
        user=declared.user,
        service=declared.service,
        status=declared.status or Status.ACTIVE,
        created=time,
        family=service_family(declared.service) or Family.API_KEY,
        login="",
        expires=None if lifetime is None else add_time(time, lifetime),
    )
    return Slot(_record(declared, existing, time), existing)


def _record(declared: DesiredCredential, existing: Credential, issued: datetime | None) -> RecordedCredential:
    return RecordedCredential(
        resource=declared.resource_name,
        id=existing.id,
        user=existing.user,
        service=existing.service,
        created=existing.created,
        reset=declared.reset,
        trigger=declared.trigger,
        rotation=declared.rotation or 0,
        issued=issued,
        status=existing.status,
        expires=existing.expires,
        age_days=declared.expire_after_days,
        is_enforced=declared.status is not None,
        is_retired=declared.status is Status.INACTIVE,
        deliver=declared.deliver,
        has_secret=declared.deliver is None or declared.deliver.keep_in_state,
    )
