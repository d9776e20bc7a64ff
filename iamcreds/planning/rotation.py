"""The plan of the two slots of a credential with successors, before the program registers them; pure.

A renewed or rotated credential is two resources: slot 1 and slot 2. The slot with the greater `rotation` is the
current one. A renewal creates its successor in the other slot before it expires, and the previous credential works
until its own expiry. A rotation issues a new password in the other slot, and the previous credential works until the
overlap ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iamcreds.desired import Retire
from iamcreds.due_dates import find_renewal, find_retirement, find_rotation, has_other_lifetime
from iamcreds.model import Status
from iamcreds.planning.slot_plan import SlotPlan, outlives

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.planning.slot_plan import Moment, Slot


def plan_slots(
    desired: DesiredCredential, slots: Mapping[int, Slot], moment: Moment, *, deferral: str | None = None
) -> SlotPlan:
    """Plan the slots of a credential.

    Args:
        desired: the credential as specs declare it, in slot 1 and without a rotation.
        slots: the slots that the state has, by number.
        moment: time and account.
        deferral: a reason to defer a rotation to a later run, None for none.
    """
    if not slots:
        return SlotPlan((desired,))
    number = max(slots, key=lambda number: (slots[number].recorded.rotation, -number))
    case = _Case(desired, number, slots[number], slots.get(3 - number), moment, deferral)
    plans = (rule(case) for rule in (*_RULES, _keep))
    plan = next(plan for plan in plans if plan is not None)
    return replace(plan, rotation=case.current.recorded.rotation, due=case.due, is_due=case.is_due)


@dataclass(frozen=True)
class _Case:
    """A credential with its current and its other slot, if the state has that."""

    desired: DesiredCredential
    number: int
    current: Slot
    other: Slot | None
    moment: Moment
    deferral: str | None

    @property
    def now(self) -> datetime:
        return self.moment.now

    @property
    def due(self) -> datetime | None:
        return find_rotation(self.desired, self.current.recorded, self.moment.account)

    @property
    def is_due(self) -> bool:
        return self.due is not None and self.due <= self.now

    @property
    def has_two_passwords(self) -> bool:
        """Return True if the other slot has a password that may be in use."""
        return self.working_other is not None and not self.working_other.is_deactivated

    @property
    def working_other(self) -> Slot | None:
        """The other slot, unless its credential is gone or expired: such a slot is never declared."""
        return self.other if self.other is not None and self.other.works_at(self.now) else None

    @property
    def is_other_retired(self) -> bool:
        """Return True if a run has retired the other slot, or if an interrupted reset still has to."""
        if self.other is None:
            return False
        other, current = self.other.recorded, self.current.recorded
        return other.is_retired or current.reset not in (None, other.reset)

    def keep_current(self) -> DesiredCredential:
        """Declare the current slot with its recorded trigger; the first trigger is recorded and rotates nothing."""
        recorded, days, trigger = self.current.recorded, self.desired.expire_after_days, self.desired.trigger
        if self.desired.rotate is not None and recorded.trigger is not None:
            trigger = recorded.trigger
        if self.desired.rotate is not None and has_other_lifetime(self.desired, recorded):
            days = recorded.age_days  # only the successor has the changed one
        return replace(self._declare(self.number, recorded.rotation), trigger=trigger, expire_after_days=days)

    def reissue_current(self, rotation: int) -> DesiredCredential:
        """Declare the current slot with a new password, for which a changed trigger needs no rotation."""
        return replace(self._declare(self.number, rotation), trigger=self._applied_trigger)

    def keep_other(self, *, status: Status | None = None) -> tuple[DesiredCredential, ...]:
        """Declare the other slot as it is recorded; a changed `expire` does not concern a previous credential."""
        if self.working_other is None:
            return ()
        recorded = self.working_other.recorded
        kept = self._declare(3 - self.number, recorded.rotation)
        kept = replace(kept, reset=recorded.reset, trigger=recorded.trigger, expire_after_days=recorded.age_days)
        return (replace(kept, status=status),)

    def spare_other(self) -> tuple[DesiredCredential, ...]:
        """Declare the other slot without a status if its password works, because it may be the only one in use."""
        is_retired = self.is_other_retired and not self.has_two_passwords
        return self.keep_other(status=Status.INACTIVE if is_retired else None)

    def issue_successor(self) -> DesiredCredential:
        """Declare the successor in the other slot; it is never imported."""
        successor = self._declare(3 - self.number, self.current.recorded.rotation + 1)
        return replace(successor, adopt=None, trigger=self._applied_trigger)

    @property
    def _applied_trigger(self) -> str | None:
        return self.keep_current().trigger if self.desired.trigger is None else self.desired.trigger

    def _declare(self, number: int, rotation: int) -> DesiredCredential:
        adopt = self.desired.adopt if number == 1 else None
        return replace(self.desired, slot=number, rotation=rotation or None, adopt=adopt)


def _reset(case: _Case) -> SlotPlan | None:
    """Reset and activate the current credential, and deactivate the previous one, which may be compromised as well."""
    recorded = case.current.recorded
    if not (case.desired.has_successors or case.other) or case.desired.reset in (None, recorded.reset):
        return None
    current = case.reissue_current(recorded.rotation + 1)
    return SlotPlan((current, *case.keep_other(status=Status.INACTIVE)), is_reset=True)


def _recreate(case: _Case) -> SlotPlan | None:
    """Create the current credential again in its slot; the other one may be the only working one.

    An expired credential that was deactivated manually is not created again, so it keeps its trigger.
    """
    if case.current.works_at(case.now):
        return None
    is_kept = case.current.existing is not None and case.current.recorded.was_deactivated
    current = case.keep_current() if is_kept else case.reissue_current(case.current.recorded.rotation)
    return replace(_keep(case), slots=(current, *case.spare_other()))


def _reissue_retired(case: _Case) -> SlotPlan | None:
    """Issue a new password in a retired slot if the state has lost the current one, as after a failed create."""
    is_lost = case.working_other is None and case.current.recorded.is_retired and case.current.is_deactivated
    if not is_lost or case.desired.status is not None:
        return None
    return SlotPlan((case.reissue_current(case.current.recorded.rotation + 1),))


def _respect_deactivation(case: _Case) -> SlotPlan | None:
    """Change nothing if the current credential was deactivated manually: the previous one may be in use again."""
    if not case.current.is_deactivated or case.desired.status is not None:
        return None
    return SlotPlan((case.keep_current(), *case.spare_other()))


def _end_successors(case: _Case) -> SlotPlan | None:
    """Declare only the current credential if specs no longer declare successors, then in slot 1."""
    if case.desired.has_successors:
        return None
    other = None if case.other is None else case.other.existing
    is_moved = case.number > 1 and case.other is None
    current = replace(case.keep_current(), slot=1, is_moved=True) if is_moved else case.keep_current()
    return SlotPlan((current,), deleted=other)


def _rotate(case: _Case) -> SlotPlan | None:
    """Issue a new password in the other slot if it is due, unless the previous password still works."""
    if not case.is_due or case.has_two_passwords:
        return None
    if case.deferral is not None:
        return replace(_keep(case), deferral=case.deferral)
    return SlotPlan((case.keep_current(), case.issue_successor()), rotated=case.current.existing)


def _renew(case: _Case) -> SlotPlan | None:
    """Create the successor if the current credential expires soon, and the other slot is free or would not be in time.

    A previous credential outlives the current one only if `after` was shortened since; then the successor replaces it.
    """
    existing, due = case.current.existing, find_renewal(case.desired, case.current.existing)
    if existing is None or due is None or due > case.now:
        return None
    other = None if case.working_other is None else case.working_other.existing
    if other is not None and not outlives(other, existing):
        return None
    return SlotPlan((case.keep_current(), case.issue_successor()), renewed=existing, deleted=other)


def _retire(case: _Case) -> SlotPlan | None:
    """Deactivate or delete the previous credential after the overlap; it stays Inactive until the next rotation.

    A previous credential of a renewed one ends by its expiry, unless it was issued without one.
    """
    policy, other = case.desired.rotate, case.working_other
    end = find_retirement(case.desired, case.current.recorded)
    if other is None or end is None or not (case.is_other_retired or end <= case.now):
        return None
    if policy is None and other.recorded.expires is not None:
        return None
    is_activated = other.recorded.is_retired and case.has_two_passwords
    if policy is not None and policy.retire is Retire.DELETE:
        return SlotPlan((case.keep_current(),), retired=None if is_activated else other.existing)
    retired = None if other.recorded.is_retired else other.existing
    return SlotPlan((case.keep_current(), *case.keep_other(status=Status.INACTIVE)), retired=retired)


def _wait(case: _Case) -> SlotPlan | None:
    """Keep both passwords until the overlap ends, although the next rotation is due."""
    if not (case.is_due and case.has_two_passwords):
        return None
    return replace(_keep(case), waits_until=find_retirement(case.desired, case.current.recorded))


def _keep(case: _Case) -> SlotPlan:
    """Keep both slots; a previous credential works until it expires, and is deleted afterwards."""
    other = case.other
    retired = Status.INACTIVE if case.is_other_retired else None
    is_deleted = other is not None and not other.works_at(case.now)
    return SlotPlan(
        (case.keep_current(), *case.keep_other(status=retired)),
        deleted=other.existing if other is not None and is_deleted else None,
    )


_RULES: tuple[Callable[[_Case], SlotPlan | None], ...] = (
    _reset,
    _recreate,
    _reissue_retired,
    _respect_deactivation,
    _end_successors,
    _rotate,
    _renew,
    _retire,
    _wait,
)
"""The rules in their order; the first one that applies decides."""
