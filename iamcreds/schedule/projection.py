"""The coming events of one declared credential: its plan at each date, and the effect of an update then; pure.

The dates are those of the plan that the program makes. So an update at each of the dates does the shown step. A later
update does it later, and moves the dates that follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from iamcreds.drift.rules.credential_limits import CredentialTooOld
from iamcreds.drift.rules.expiring import ExpiringSoon
from iamcreds.drift.rules.expiry import Expired
from iamcreds.due_dates import add_time, find_issue, find_overdue_date, find_renewal, find_retirement, find_rotation
from iamcreds.model import Status
from iamcreds.planning.slot_plan import Moment
from iamcreds.schedule.age_limits import find_violation
from iamcreds.schedule.event import Event, EventKind
from iamcreds.schedule.projected_update import project_update

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from iamcreds.desired import DesiredUser
    from iamcreds.planning.slot_facts import SlotFacts
    from iamcreds.planning.slot_plan import Slot
    from iamcreds.schedule.projected_update import ProjectedUpdate


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The facts from which the events of one declared credential follow.

    Attributes:
        facts: the facts that decide its plan.
        user: its user.
        account: 12-digit account ID.
        max_age_days: the maximum age of its password, None without a limit, or if the age is unknown.
    """

    facts: SlotFacts
    user: DesiredUser
    account: str
    max_age_days: int | None = None

    def find_events(self, now: datetime, until: datetime) -> Iterator[Event]:
        """Yield the events up to a time, and those that are overdue now; events at the same time in any order."""
        facts, time = self.facts, now
        blocked: set[tuple[EventKind, int]] = set()  # a blocked event is found at each later date again
        while time <= until:
            update = project_update(facts, Moment(time, self.account))
            yield from self._find_ends(update, is_first=time == now)
            for each in self._repeat(update):
                facts = each.after
                for event in self._find_steps(each, is_first=time == now):
                    if (event.kind, event.rotation) not in blocked:
                        yield event
                    if event.blocked_by:
                        blocked.add((event.kind, event.rotation))
            later = min((date for date in self._find_dates(facts) if date > time), default=None)
            if later is None:
                return
            time = later

    def _repeat(self, update: ProjectedUpdate) -> Iterator[ProjectedUpdate]:
        """Yield an update, and the next one if it rotates or renews at the same time after a reset or a retirement."""
        yield update
        while update.before.slots != update.after.slots and self._is_successor_due(update):
            update = project_update(update.after, Moment(update.time, self.account))
            yield update

    def _is_successor_due(self, update: ProjectedUpdate) -> bool:
        """Return True if a rotation or renewal is due after an update that had none."""
        is_issued = update.plan.rotated is not None or update.plan.renewed is not None
        return not is_issued and any(due <= update.time for due in self._find_successor_dates(update.after))

    def _find_steps(self, update: ProjectedUpdate, *, is_first: bool) -> Iterator[Event]:
        """Yield the steps of an update; at present, with the dates since which they are due."""
        plan, desired, current, time = update.plan, update.before.desired, update.before.current, update.time
        if current is None:
            return
        previous = next((each for each in update.before.slots.values() if each is not current), None)
        if plan.rotated is not None and desired.rotate is not None:
            end = add_time(time, timedelta(hours=desired.rotate.overlap_hours))
            yield self._make(
                EventKind.ROTATE,
                self._find_due_rotation(update, current) if is_first else time,
                current,
                "rotation-due",
                until=end if plan.rotated.expires is None else min(end, plan.rotated.expires),
                blocked_by=update.blocked_by,
                overdue=find_overdue_date(desired, current.recorded),
            )
        if plan.renewed is not None:
            due = (
                find_renewal(desired, plan.renewed, None if previous is None else previous.existing)
                if is_first
                else None
            )
            yield self._make(
                EventKind.RENEW,
                time if due is None else min(due, time),
                current,
                "renewal-overdue",
                until=plan.renewed.expires,
                blocked_by=update.blocked_by,
            )
        if plan.retired is not None and previous is not None:
            end = find_retirement(desired, current.recorded, _find_last_read(update.before)) or time
            yield self._make(EventKind.RETIRE, min(end, time) if is_first else time, previous, is_previous=True)

    def _find_due_rotation(self, update: ProjectedUpdate, current: Slot) -> datetime:
        """Return the time since which a rotation by its interval is due; any other one is due now."""
        desired, recorded = update.before.desired, current.recorded
        by_interval = replace(desired, trigger=None, expire_after_days=recorded.age_days)
        due = find_rotation(by_interval, recorded, self.account)
        return update.time if due is None else min(due, update.time)

    def _find_successor_dates(self, facts: SlotFacts) -> Iterator[datetime]:
        """Yield the time of the next rotation or renewal, if there is one."""
        current = facts.current
        if current is not None:
            dates = (
                find_rotation(facts.desired, current.recorded, self.account),
                find_renewal(facts.desired, current.existing),
            )
            yield from filter(None, dates)

    def _find_dates(self, facts: SlotFacts) -> Iterator[datetime]:
        """Yield the dates at which the plan may change, or at which a credential expires or becomes too old."""
        yield from self._find_successor_dates(facts)
        if facts.current is not None:
            dates = (
                find_retirement(facts.desired, facts.current.recorded, _find_last_read(facts)),
                *(None if slot.existing is None else slot.existing.expires for slot in facts.slots.values()),
                *(self._find_limit(slot) for slot in facts.slots.values()),
            )
            yield from filter(None, dates)

    def _find_ends(self, update: ProjectedUpdate, *, is_first: bool) -> Iterator[Event]:
        """Yield the expiries and violations at the time of an update; at present, also those of the past."""
        time = update.time
        for slot in update.before.slots.values():
            existing, is_previous = slot.existing, slot is not update.before.current
            if existing is None:
                continue
            is_expiring = existing.expires == time or (is_first and not is_previous and not slot.works_at(time))
            if existing.expires is not None and is_expiring and not (is_previous and slot.is_deactivated):
                yield self._make_expiry(slot, update, existing.expires, is_first=is_first)
            limit = self._find_limit(slot)
            if limit is not None and (limit == time or (is_first and limit < time)) and slot.works_at(time):
                yield self._make(
                    EventKind.VIOLATE,
                    limit,
                    slot,
                    CredentialTooOld.rule,
                    limit=self.max_age_days,
                    is_previous=is_previous,
                )

    def _make_expiry(self, slot: Slot, update: ProjectedUpdate, expires: datetime, *, is_first: bool) -> Event:
        """Return the expiry of a credential; no update has replaced the current one."""
        is_previous = slot is not update.before.current
        return self._make(
            EventKind.EXPIRE,
            min(expires, update.time),
            slot,
            Expired.rule if is_first and not is_previous else ExpiringSoon.rule,
            is_previous=is_previous,
            blocked_by=() if is_previous else update.blocked_by,
            is_kept=not is_previous and not update.blocked_by and update.after.current == slot,
        )

    def _find_limit(self, slot: Slot) -> datetime | None:
        """Return the time at which the password of an active credential becomes too old, None for never."""
        is_active = slot.existing is not None and slot.existing.status is Status.ACTIVE
        if self.max_age_days is None or not is_active:
            return None
        since = find_issue(slot.recorded)
        return find_violation(CredentialTooOld.rule, since, self.max_age_days, self.user, self.facts.desired)

    def _make(self, kind: EventKind, when: datetime, slot: Slot, rule: str = "", **values: Any) -> Event:  # noqa: ANN401
        desired = self.facts.desired
        return Event(
            when=when,
            kind=kind,
            user=desired.user,
            service=desired.service,
            id=slot.recorded.id,
            rule=rule,
            location=desired.location,
            owner=desired.owner,
            desired=desired,
            rotation=slot.recorded.rotation,
            **values,
        )


def _find_last_read(facts: SlotFacts) -> date | None:
    return None if facts.store is None else facts.store.last_read
