"""An update of one declared credential at a time, and its effect on the facts of the next plan; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iamcreds.drift.successors import find_taken
from iamcreds.due_dates import add_time, find_issue, find_lifetime, has_other_lifetime
from iamcreds.model import RecordedCredential, Status
from iamcreds.planning.slot_facts import SlotFacts
from iamcreds.planning.slot_plan import Moment, Slot, make_existing

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential
    from iamcreds.planning.slot_plan import SlotPlan


@dataclass(frozen=True)
class ProjectedUpdate:
    """An update at a time.

    Attributes:
        time: the time.
        before: the facts before the update.
        plan: the plan that follows from them.
        blocked_by: the unmanaged credentials that block a create of the plan; then the update changes nothing.
        after: the facts after the update. A created credential has no id.
    """

    time: datetime
    before: SlotFacts
    plan: SlotPlan
    blocked_by: tuple[Credential, ...]
    after: SlotFacts


def project_update(facts: SlotFacts, moment: Moment) -> ProjectedUpdate:
    """Return the update at a moment."""
    plan = facts.plan(moment)
    blocked_by = _find_blocking(facts, plan, moment.now)
    return ProjectedUpdate(
        moment.now, facts, plan, blocked_by, facts if blocked_by else _apply_plan(facts, plan, moment.now)
    )


def _find_blocking(facts: SlotFacts, plan: SlotPlan, time: datetime) -> tuple[Credential, ...]:
    """Return the unmanaged credentials if they block a create, because the plan adopts or imports none of them."""
    if not facts.unmanaged:
        return ()
    slots = ((declared, facts.slots.get(declared.slot)) for declared in plan.slots)
    created = ((declared, slot) for declared, slot in slots if _is_created(declared, slot, plan, time))
    is_blocked = any(_find_taken(facts, declared, slot) is None for declared, slot in created)
    return tuple(facts.unmanaged) if is_blocked else ()


def _is_created(declared: DesiredCredential, slot: Slot | None, plan: SlotPlan, time: datetime) -> bool:
    """Return True if the update creates a credential in the slot, or replaces the one in it."""
    if slot is None or slot.existing is None:
        return True
    if not slot.works_at(time):
        is_required = declared.status is not None or _is_issued(declared, slot)
        return is_required or not slot.recorded.was_deactivated
    is_reset_in_place = plan.rotated is None and _is_reset(declared, slot)
    is_replaced = _is_rotated(declared, slot) and declared.expire_after_days is not None and not is_reset_in_place
    return is_replaced or has_other_lifetime(declared, slot.recorded)


def _is_rotated(declared: DesiredCredential, slot: Slot) -> bool:
    return (declared.rotation or 0) > slot.recorded.rotation


def _is_issued(declared: DesiredCredential, slot: Slot) -> bool:
    """Return True if the update issues a new password or key."""
    return _is_rotated(declared, slot) or _is_reset(declared, slot)


def _is_reset(declared: DesiredCredential, slot: Slot) -> bool:
    return declared.reset not in (None, slot.recorded.reset)


def _find_taken(facts: SlotFacts, declared: DesiredCredential, slot: Slot | None) -> Credential | None:
    """Return the unmanaged credential that becomes the created one; a replacement adopts none."""
    is_replacement = slot is not None and slot.existing is not None
    return None if is_replacement else find_taken(declared, facts.unmanaged, 1)


def _apply_plan(facts: SlotFacts, plan: SlotPlan, time: datetime) -> SlotFacts:
    slots = {declared.slot: _apply(facts, declared, plan, time) for declared in plan.slots}
    ids = {slot.recorded.id for slot in slots.values()}
    unmanaged = tuple(each for each in facts.unmanaged if each.id not in ids)
    after = SlotFacts(facts.desired, slots, unmanaged, store=facts.store)
    is_known = facts.current is None or after.current is None or _is_same_secret(facts.current, after.current)
    return after if is_known or facts.store is None else replace(after, store=None)


def _is_same_secret(slot: Slot, other: Slot) -> bool:
    return slot.recorded.rotation == other.recorded.rotation and find_issue(slot.recorded) == find_issue(other.recorded)


def _apply(facts: SlotFacts, declared: DesiredCredential, plan: SlotPlan, time: datetime) -> Slot:
    slot = facts.slots.get(declared.slot)
    if slot is None or slot.existing is None or _is_created(declared, slot, plan, time):
        taken = _find_taken(facts, declared, slot) if facts.unmanaged else None
        return _create(declared, time) if taken is None else _take(declared, taken, time)
    if not slot.works_at(time):
        return slot
    is_issued, is_activated = _is_issued(declared, slot), _is_rotated(declared, slot)
    status = declared.status or (Status.ACTIVE if is_activated else slot.existing.status)
    existing = slot.existing if status is slot.existing.status else replace(slot.existing, status=status)
    return _record(declared, existing, time if is_issued else slot.recorded.issued)


def _create(declared: DesiredCredential, time: datetime) -> Slot:
    lifetime = find_lifetime(declared)
    recorded = RecordedCredential(
        resource=declared.resource_name,
        id="",
        user=declared.user,
        service=declared.service,
        created=time,
        status=declared.status or Status.ACTIVE,
        expires=None if lifetime is None else add_time(time, lifetime),
    )
    return _record(declared, make_existing(recorded), time)


def _take(declared: DesiredCredential, taken: Credential, time: datetime) -> Slot:
    """Import an unmanaged credential as it is, or reset it and activate it."""
    is_reset = declared.adopt is None or declared.reset is not None
    status = declared.status or (taken.status if declared.adopt is not None else Status.ACTIVE)
    return _record(declared, replace(taken, status=status), time if is_reset else None)


def _record(declared: DesiredCredential, existing: Credential, issued: datetime | None) -> Slot:
    recorded = RecordedCredential(
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
    return Slot(recorded, existing)
