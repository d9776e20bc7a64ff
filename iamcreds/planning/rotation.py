"""The plan of the two slots of a credential with successors, before the program registers them; pure.

A renewed or rotated credential is two resources: slot 1 and slot 2. The slot with the greater `rotation` is the
current one. A renewal creates its successor in the other slot before it expires, and the previous credential works
until its own expiry. A rotation issues a new password in the other slot, and the previous credential works until the
overlap ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.desired import Retire
from iamcreds.due_dates import find_renewal
from iamcreds.model import Status
from iamcreds.planning.rotation_case import RotationCase
from iamcreds.planning.slot_plan import SlotPlan, StoreFacts, outlives

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iamcreds.desired import DesiredCredential
from iamcreds.planning.slot_plan import Moment, Slot


def plan_slots(
    desired: DesiredCredential,
    slots: Mapping[int, Slot],
    moment: Moment,
    *,
    store: StoreFacts | None = None,
    deferral: str | None = None,
) -> SlotPlan:
    """Plan the slots of a credential.

    Args:
        desired: the credential as specs declare it, in slot 1 and without a rotation.
        slots: the slots that the state has, by number.
        moment: time and account.
        store: the facts of the secret store about the current credential, None without a delivery.
        deferral: a reason to defer a rotation to a later run, None for none.
    """
    if not slots:
        return SlotPlan((desired,))
    number = max(slots, key=lambda number: (slots[number].recorded.rotation, -number))
    store = StoreFacts() if store is None else store
    case = RotationCase(desired, number, slots[number], slots.get(3 - number), moment, store, deferral)
    plans = (rule(case) for rule in (*_RULES, _keep))
    plan = next(plan for plan in plans if plan is not None)
    return replace(
        plan,
        rotation=case.current.recorded.rotation,
        due=case.due,
        is_due=case.is_due,
        is_lost=case.is_lost,
        is_confirmed=store.is_confirmed,
    )


def _reset(case: RotationCase) -> SlotPlan | None:
    """Reset and activate the current credential, and deactivate the previous one, which may be compromised as well."""
    recorded = case.current.recorded
    if not (case.desired.has_successors or case.other) or case.desired.reset in (None, recorded.reset):
        return None
    current = case.reissue_current(recorded.rotation + 1)
    return SlotPlan((current, *case.keep_other(status=Status.INACTIVE)), is_reset=True)


def _recreate(case: RotationCase) -> SlotPlan | None:
    """Create the current credential again in its slot; the other one may be the only working one.

    An expired credential that was deactivated manually is not created again, so it keeps its trigger.
    """
    if case.current.works_at(case.now):
        return None
    is_kept = case.current.existing is not None and case.current.recorded.was_deactivated
    current = case.keep_current() if is_kept else case.reissue_current(case.current.recorded.rotation)
    return replace(_keep(case), slots=(current, *case.spare_other()))


def _reissue_retired(case: RotationCase) -> SlotPlan | None:
    """Issue a new password in a retired slot if the state has lost the current one, as after a failed create."""
    is_lost = case.working_other is None and case.current.recorded.is_retired and case.current.is_deactivated
    if not is_lost or case.desired.status is not None:
        return None
    return SlotPlan((case.reissue_current(case.current.recorded.rotation + 1),))


def _respect_deactivation(case: RotationCase) -> SlotPlan | None:
    """Change nothing if the current credential was deactivated manually: the previous one may be in use again."""
    if not case.current.is_deactivated or case.desired.status is not None:
        return None
    return SlotPlan((case.keep_current(), *case.spare_other()))


def _finish(case: RotationCase) -> SlotPlan | None:
    """Record a rotation whose run was killed after the store got the new password, which consumers may use already.

    If the state needs the password, which no run reads, the provider delivers the current password again first.
    """
    declared = case.desired.deliver
    if not case.store.is_finished or not case.has_two_passwords or declared is None:
        return None
    if declared.keep_in_state or case.deferral is not None:
        return SlotPlan((case.keep_current(), *case.keep_other()), deferral=case.deferral)
    slots = case.keep_predecessor(), case.issue_successor()
    return SlotPlan(slots, rotated=case.current.existing, is_finished=True)


def _end_successors(case: RotationCase) -> SlotPlan | None:
    """Declare only the current credential if specs no longer declare successors, then in slot 1."""
    if case.desired.has_successors:
        return None
    other = None if case.other is None else case.other.existing
    is_moved = case.number > 1 and case.other is None
    current = replace(case.keep_current(), slot=1, is_moved=True) if is_moved else case.keep_current()
    return SlotPlan((current,), deleted=other)


def _rotate(case: RotationCase) -> SlotPlan | None:
    """Issue a new password in the other slot if it is due, unless the previous password still works."""
    if not case.is_due or case.has_two_passwords:
        return None
    if case.deferral is not None:
        return replace(_keep(case), deferral=case.deferral)
    return SlotPlan((case.keep_predecessor(), case.issue_successor()), rotated=case.current.existing)


def _renew(case: RotationCase) -> SlotPlan | None:
    """Create the successor if the current credential expires soon, and the other slot is free or would not be in time.

    A previous credential outlives the current one only if `after` was shortened since; then the successor replaces it.
    """
    existing, due = case.current.existing, find_renewal(case.desired, case.current.existing)
    if existing is None or due is None or due > case.now:
        return None
    other = None if case.working_other is None else case.working_other.existing
    if other is not None and not outlives(other, existing):
        return None
    return SlotPlan((case.keep_predecessor(), case.issue_successor()), renewed=existing, deleted=other)


def _retire(case: RotationCase) -> SlotPlan | None:
    """Deactivate or delete the previous credential after the overlap; it stays Inactive until the next rotation.

    A previous credential of a renewed one ends by its expiry, unless it was issued without one.
    """
    policy, other = case.desired.rotate, case.working_other
    end = case.retirement
    if other is None or end is None or not (case.is_other_retired or end <= case.now):
        return None
    if policy is None and other.recorded.expires is not None:
        return None
    is_activated = other.recorded.is_retired and case.has_two_passwords
    if policy is not None and policy.retire is Retire.DELETE:
        return SlotPlan((case.keep_current(),), retired=None if is_activated else other.existing)
    retired = None if other.recorded.is_retired else other.existing
    return SlotPlan((case.keep_current(), *case.keep_other(status=Status.INACTIVE)), retired=retired)


def _wait(case: RotationCase) -> SlotPlan | None:
    """Keep both passwords until the overlap ends, although the next rotation is due."""
    if not (case.is_due and case.has_two_passwords):
        return None
    return replace(_keep(case), waits_until=case.retirement)


def _keep(case: RotationCase) -> SlotPlan:
    """Keep both slots; a previous credential works until it expires, and is deleted afterwards."""
    other = case.other
    retired = Status.INACTIVE if case.is_other_retired else None
    is_deleted = other is not None and not other.works_at(case.now)
    return SlotPlan(
        (case.keep_current(), *case.keep_other(status=retired)),
        deleted=other.existing if other is not None and is_deleted else None,
    )


_RULES: tuple[Callable[[RotationCase], SlotPlan | None], ...] = (
    _reset,
    _recreate,
    _reissue_retired,
    _respect_deactivation,
    _finish,
    _end_successors,
    _rotate,
    _renew,
    _retire,
    _wait,
)
"""The rules in their order; the first one that applies decides."""
