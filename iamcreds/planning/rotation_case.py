"""A credential with its current and its other slot, as the rules of the plan read it; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from iamcreds.due_dates import find_issue, find_retirement, find_rotation, has_other_lifetime
from iamcreds.model import Status

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.delivery import Delivery
    from iamcreds.desired import DesiredCredential
    from iamcreds.planning.slot_plan import Moment, Slot, StoreFacts


@dataclass(frozen=True)
class RotationCase:
    """A credential with its current and its other slot, if the state has that."""

    desired: DesiredCredential
    number: int
    current: Slot
    other: Slot | None
    moment: Moment
    store: StoreFacts
    deferral: str | None

    @property
    def now(self) -> datetime:
        """The server time of the plan."""
        return self.moment.now

    @cached_property
    def is_lost(self) -> bool:
        """True if only a rotation can deliver a password: with `rotate`, it takes place ahead of time."""
        is_lost = self.store.is_lost or (self.store.is_finished and not self.has_two_passwords)
        return is_lost and self.desired.rotate is not None and self.current.works_at(self.now)

    @cached_property
    def due(self) -> datetime | None:
        """The time from which the rotation is due, None if it never is."""
        if self.is_lost:
            return find_issue(self.current.recorded)
        return find_rotation(self.desired, self.current.recorded, self.moment.account)

    @cached_property
    def retirement(self) -> datetime | None:
        """The time from which the previous credential is retired, None without successors."""
        return find_retirement(self.desired, self.current.recorded, self.store.last_read)

    @cached_property
    def is_due(self) -> bool:
        """True if the rotation is due."""
        return self.due is not None and self.due <= self.now

    @property
    def has_two_passwords(self) -> bool:
        """Return True if the other slot has a password that may be in use."""
        return self.working_other is not None and not self.working_other.is_deactivated

    @cached_property
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
        return self._keep_current(self._kept_delivery)

    def _keep_current(self, deliver: Delivery | None) -> DesiredCredential:
        recorded, days = self.current.recorded, self.desired.expire_after_days
        if self.desired.rotate is not None and has_other_lifetime(self.desired, recorded):
            days = recorded.age_days  # only the successor has the changed one
        return self._declare(
            self.number, recorded.rotation, trigger=self._kept_trigger, expire_after_days=days, deliver=deliver
        )

    @property
    def _kept_trigger(self) -> str | None:
        is_kept = self.desired.rotate is not None and self.current.recorded.trigger is not None
        return self.current.recorded.trigger if is_kept else self.desired.trigger

    @property
    def _kept_delivery(self) -> Delivery | None:
        """The declared delivery; the recorded one if only a successor's password can be delivered as declared."""
        declared, recorded = self.desired.deliver, self.current.recorded
        if declared is None or not (self.is_lost or self.store.is_finished):
            return declared
        return recorded.deliver if declared.needs_secret(recorded.deliver) else declared

    def keep_predecessor(self) -> DesiredCredential:
        """Declare the current slot next to its successor, which has a changed delivery; see `keep_current`."""
        return self._keep_current(self.current.recorded.deliver)

    def reissue_current(self, rotation: int) -> DesiredCredential:
        """Declare the current slot with a new password, for which a changed trigger needs no rotation."""
        return self._declare(self.number, rotation, trigger=self._applied_trigger)

    def keep_other(self, *, status: Status | None = None) -> tuple[DesiredCredential, ...]:
        """Declare the other slot as it is recorded; a changed `expire` does not concern a previous credential."""
        if self.working_other is None:
            return ()
        recorded = self.working_other.recorded
        kept = self._declare(
            3 - self.number,
            recorded.rotation,
            reset=recorded.reset,
            trigger=recorded.trigger,
            expire_after_days=recorded.age_days,
            status=status,
            deliver=recorded.deliver,
        )
        return (kept,)

    def spare_other(self) -> tuple[DesiredCredential, ...]:
        """Declare the other slot without a status if its password works, because it may be the only one in use."""
        is_retired = self.is_other_retired and not self.has_two_passwords
        return self.keep_other(status=Status.INACTIVE if is_retired else None)

    def issue_successor(self) -> DesiredCredential:
        """Declare the successor in the other slot; it is never imported."""
        rotation = self.current.recorded.rotation + 1
        return self._declare(3 - self.number, rotation, adopt=None, trigger=self._applied_trigger)

    @property
    def _applied_trigger(self) -> str | None:
        return self._kept_trigger if self.desired.trigger is None else self.desired.trigger

    def _declare(self, number: int, rotation: int, **values: Any) -> DesiredCredential:  # noqa: ANN401 - any fields
        """Declare a slot with changed values; each `replace` takes as long as all rules, so this is the only one."""
        adopt = self.desired.adopt if number == 1 else None
        return replace(self.desired, **{"slot": number, "rotation": rotation or None, "adopt": adopt, **values})
