"""The facts that decide the plan of a credential with successors, and the plan that follows from them; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from iamcreds.model import Existing
from iamcreds.planning.rotation import plan_slots
from iamcreds.planning.slot_plan import avoid_adoption
from iamcreds.slots import rank_slot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential
    from iamcreds.planning.slot_plan import Moment, Slot, SlotPlan, StoreFacts


@dataclass(frozen=True)
class SlotFacts:
    """The facts that decide the plan of a credential.

    Attributes:
        desired: the credential as specs declare it.
        slots: the slots that the state has, by number.
        unmanaged: the unmanaged credentials of its user and service.
        siblings: other credentials of its user and service that the stack still has.
        store: the facts of the secret store about the current one, None without a delivery.
    """

    desired: DesiredCredential
    slots: Mapping[int, Slot]
    unmanaged: Sequence[Credential] = ()
    siblings: Sequence[Credential] = ()
    store: StoreFacts | None = None

    def plan(self, moment: Moment, deferral: str | None = None) -> SlotPlan:
        """Plan the slots; `deferral` is a reason to defer a rotation to a later run, None for none."""
        if self.siblings and len(self.slots) == 1:
            deferral = _describe_siblings(self.siblings)
        planned = plan_slots(self.desired, self.slots, moment, store=self.store, deferral=deferral)
        plan = avoid_adoption(planned, self.unmanaged)
        is_create = plan.rotated is not None and len(self.slots) == 1
        adopts = plan.slots[-1].existing is Existing.ADOPT
        return replace(plan, is_blocked=True) if is_create and self.unmanaged and not adopts else plan

    @cached_property
    def current(self) -> Slot | None:
        """The slot of the current credential, None if the state has no slot."""
        slots = self.slots.values()
        return max(slots, key=lambda slot: rank_slot(slot.recorded.resource, slot.recorded.rotation), default=None)

    @property
    def is_renamed(self) -> bool:
        """Return True if IAM renamed the user, and specs do not."""
        users = {each.existing.user for each in self.slots.values() if each.existing is not None}
        return not users <= {self.desired.user, self.desired.user_was}


def _describe_siblings(siblings: Iterable[Credential]) -> str:
    """Return the reason why a rotation waits: the stack still has other credentials of the user and service."""
    return f"{' and '.join(each.id for each in siblings)} of the same user and service must be deleted first"
