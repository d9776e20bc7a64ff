"""The coming events of one declared credential: its plan at each date, and the effect of an update then; pure.

The dates are those of `plan_slots`, by which the program plans. So an update at each of the dates does what they show;
a later update does it later, and moves the dates that follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from iamcreds.due_dates import (
    add_time,
    find_issue,
    find_overdue_date,
    find_renewal,
    find_retirement,
    find_rotation,
)
from iamcreds.model import Existing, Status
from iamcreds.planning.rotation import plan_slots
from iamcreds.planning.slot_plan import Moment, StoreFacts
from iamcreds.schedule.event import Event, EventKind
from iamcreds.schedule.projected_slots import apply_plan
from iamcreds.slots import rank_slot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential
    from iamcreds.planning.slot_plan import Slot, SlotPlan


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The facts from which the events of one declared credential follow.

    Attributes:
        desired: the credential as specs declare it.
        slots: its slots by number; empty if the next update creates it.
        account: 12-digit account ID.
        unmanaged: the unmanaged credentials of its user and service, which may leave no quota for a successor.
        max_age_days: the maximum age of its password, None without a limit.
        last_read: the day of the last read of its secret in the store (UTC), None if unknown.
        is_lost: True if the store has lost its secret, so that the next update rotates it.
    """

    desired: DesiredCredential
    slots: Mapping[int, Slot]
    account: str
    unmanaged: tuple[Credential, ...] = ()
    max_age_days: int | None = None
    last_read: date | None = None
    is_lost: bool = False

    def list_events(self, now: datetime, until: datetime) -> list[Event]:
        """Return the events up to a time, and those that are overdue now, soonest first."""
        events = dict.fromkeys(self._find_events(now, until))  # a blocked one is found at each later date again
        return sorted(events, key=lambda event: event.order)

    def _find_events(self, now: datetime, until: datetime) -> Iterator[Event]:
        slots, time, store = self.slots, now, StoreFacts(is_lost=self.is_lost, last_read=self.last_read)
        earliest = datetime.min.replace(tzinfo=UTC)
        yield from self._find_past(slots, now)
        while True:
            plan = plan_slots(self.desired, slots, Moment(time, self.account), store=store)
            blocked_by = self._find_blocking(slots, plan)
            for step in self._find_steps(slots, plan, store, time, blocked_by):
                earliest = max(earliest, step.when)
                yield replace(step, when=earliest)  # a rotation that waits for a retirement follows it
            if not blocked_by:
                slots = apply_plan(plan, slots, time)
                store = store if plan.rotated is None else StoreFacts()
            if plan.retired is not None:
                continue  # the next update may rotate immediately
            later = min((date for date in self._find_dates(slots, store) if date > time), default=until + timedelta(1))
            if later > until:
                return
            yield from self._find_ends(slots, later)
            time = later

    def _find_blocking(self, slots: Mapping[int, Slot], plan: SlotPlan) -> tuple[Credential, ...]:
        """Return the unmanaged credentials that leave no quota for the successor of a plan."""
        is_create = (plan.rotated is not None or plan.renewed is not None) and len(slots) == 1
        is_adopted = self.desired.existing is Existing.ADOPT
        return self.unmanaged if is_create and not is_adopted else ()

    def _find_steps(
        self,
        slots: Mapping[int, Slot],
        plan: SlotPlan,
        store: StoreFacts,
        time: datetime,
        blocked_by: tuple[Credential, ...],
    ) -> Iterator[Event]:
        """Yield what an update at a time does."""
        desired, policy = self.desired, self.desired.rotate
        if plan.rotated is not None and policy is not None:
            due = time if plan.due is None else min(plan.due, time)
            end = add_time(max(due, time), timedelta(hours=policy.overlap_hours))
            rotation = self._make(
                EventKind.ROTATE, due, plan.rotated, rule="rotation-due", until=end, blocked_by=blocked_by
            )
            yield replace(rotation, overdue=find_overdue_date(desired, _find_current(slots).recorded))
        if plan.renewed is not None:
            due = find_renewal(desired, plan.renewed) or time
            yield self._make(
                EventKind.RENEW, due, plan.renewed, rule="renewal-overdue", until=plan.renewed.expires,
                blocked_by=blocked_by,
            )  # fmt: skip
        if plan.retired is not None:
            end = find_retirement(desired, _find_current(slots).recorded, store.last_read) or time
            yield self._make(EventKind.RETIRE, min(end, time), plan.retired, is_previous=True)

    def _find_dates(self, slots: Mapping[int, Slot], store: StoreFacts) -> Iterator[datetime]:
        """Yield the dates at which the plan may change, or at which a credential expires or becomes too old."""
        current = _find_current(slots)
        dates = (
            find_rotation(self.desired, current.recorded, self.account),
            find_renewal(self.desired, current.existing),
            find_retirement(self.desired, current.recorded, store.last_read),
        )
        yield from (date for date in dates if date is not None)
        for slot in slots.values():
            if slot.existing is not None and slot.existing.expires is not None:
                yield slot.existing.expires
            limit = self._find_limit(slot)
            if limit is not None:
                yield limit

    def _find_ends(self, slots: Mapping[int, Slot], at: datetime) -> Iterator[Event]:
        """Yield the expiries and violations at a time."""
        current = _find_current(slots)
        for slot in slots.values():
            existing, is_previous = slot.existing, slot is not current
            if existing is not None and existing.expires == at:
                yield self._make(EventKind.EXPIRE, at, existing, rule="expiring-soon", is_previous=is_previous)
            if existing is not None and self._find_limit(slot) == at and slot.works_at(at):
                yield self._make_violation(at, existing, is_previous=is_previous)

    def _find_past(self, slots: Mapping[int, Slot], now: datetime) -> Iterator[Event]:
        """Yield the expiry of a current credential that no update has replaced, and limits that are exceeded."""
        for slot in slots.values():
            existing, is_previous = slot.existing, slot is not _find_current(slots)
            if existing is None:
                continue
            if not slot.works_at(now) and existing.expires is not None and not is_previous:
                yield self._make(EventKind.EXPIRE, min(existing.expires, now), existing, rule="expired")
            limit = self._find_limit(slot)
            if limit is not None and limit < now and slot.works_at(now):
                yield self._make_violation(limit, existing, is_previous=is_previous)

    def _find_limit(self, slot: Slot) -> datetime | None:
        """Return the time at which the password of an active credential becomes too old, None for never."""
        is_active = slot.existing is not None and slot.existing.status is Status.ACTIVE
        if self.max_age_days is None or not is_active:
            return None
        return add_time(find_issue(slot.recorded), timedelta(days=self.max_age_days))

    def _make_violation(self, at: datetime, existing: Credential, *, is_previous: bool) -> Event:
        event = self._make(EventKind.VIOLATE, at, existing, rule="credential-too-old", is_previous=is_previous)
        return replace(event, limit=self.max_age_days)

    def _make(  # noqa: PLR0913 - the fields of an event
        self,
        kind: EventKind,
        when: datetime,
        existing: Credential,
        *,
        rule: str = "",
        until: datetime | None = None,
        is_previous: bool = False,
        blocked_by: tuple[Credential, ...] = (),
    ) -> Event:
        return Event(
            when=when,
            kind=kind,
            user=self.desired.user,
            service=self.desired.service,
            id=existing.id,
            rule=rule,
            location=self.desired.location,
            owner=self.desired.owner,
            desired=self.desired,
            is_previous=is_previous,
            until=until,
            blocked_by=blocked_by,
        )


def _find_current(slots: Mapping[int, Slot]) -> Slot:
    return max(slots.values(), key=lambda slot: rank_slot(slot.recorded.resource, slot.recorded.rotation))
