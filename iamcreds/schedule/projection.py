"""The coming events of one declared credential: its plan at each date, and the effect of an update then; pure.

The dates are those of `plan_slots`, by which the program plans. So an update at each of the dates does what they show;
a later update does it later, and moves the dates that follow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.due_dates import add_time, find_issue, find_renewal, find_retirement, find_rotation
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

    def list_events(self, now: datetime, until: datetime) -> list[Event]:
        """Return the events up to a time, and those that are overdue now, soonest first."""
        return sorted(self._find_events(now, until), key=lambda event: event.order)

    def _find_events(self, now: datetime, until: datetime) -> Iterator[Event]:
        facts, time = self.facts, now
        blocked: set[tuple[EventKind, int]] = set()  # a blocked event is found at each later date again
        while time <= until:
            update = project_update(facts, Moment(time, self.account))
            yield from self._find_ends(update, now)
            since = None
            for each in self._repeat(update):
                facts = each.after
                for event in self._find_steps(each, now, since):
                    if (event.kind, event.rotation) not in blocked:
                        yield event
                    if event.blocked_by:
                        blocked.add((event.kind, event.rotation))
                    since = event.when
            later = min((date for date in self._find_dates(facts) if date > time), default=None)
            if later is None:
                return
            time = later

    def _repeat(self, update: ProjectedUpdate) -> Iterator[ProjectedUpdate]:
        """Yield an update, and those that have to follow it to rotate at the same time."""
        yield update
        while update.needs_another:
            update = project_update(update.after, Moment(update.time, self.account))
            yield update

    def _find_steps(self, update: ProjectedUpdate, now: datetime, since: datetime | None) -> Iterator[Event]:
        """Yield the events that an update causes. At present, they may be overdue, but not before an earlier step."""
        for event in self._list_steps(update):
            due = event.when if update.time == now else update.time
            yield replace(event, when=due if since is None else max(due, since))

    def _list_steps(self, update: ProjectedUpdate) -> Iterator[Event]:
        """Yield what an update does, with the dates since which it is due."""
        plan, desired, current, time = update.plan, update.before.desired, update.before.current, update.time
        if current is None:
            return
        blocked_by = update.blocked_by
        if plan.rotated is not None and desired.rotate is not None:
            end = add_time(time, timedelta(hours=desired.rotate.overlap_hours))
            until = end if plan.rotated.expires is None else min(end, plan.rotated.expires)
            yield replace(
                self._make(EventKind.ROTATE, self._find_due_rotation(update, current), current, "rotation-due"),
                until=until,
                blocked_by=blocked_by,
            )
        if plan.renewed is not None:
            due = find_renewal(desired, plan.renewed) or time
            event = self._make(EventKind.RENEW, min(due, time), current, "renewal-overdue")
            yield replace(event, until=plan.renewed.expires, blocked_by=blocked_by)
        previous = next((each for each in update.before.slots.values() if each is not current), None)
        if plan.retired is not None and previous is not None:
            end = find_retirement(desired, current.recorded, _find_last_read(update.before)) or time
            yield replace(self._make(EventKind.RETIRE, min(end, time), previous), is_previous=True)

    def _find_due_rotation(self, update: ProjectedUpdate, current: Slot) -> datetime:
        """Return the time since which a rotation by its interval is due; any other one is due now."""
        desired, recorded = update.before.desired, current.recorded
        by_interval = replace(desired, trigger=None, expire_after_days=recorded.age_days)
        due = find_rotation(by_interval, recorded, self.account)
        return update.time if due is None else min(due, update.time)

    def _find_dates(self, facts: SlotFacts) -> Iterator[datetime]:
        """Yield the dates at which the plan may change, or at which a credential expires or becomes too old."""
        current = facts.current
        if current is None:
            return
        dates = (
            find_rotation(facts.desired, current.recorded, self.account),
            find_renewal(facts.desired, current.existing),
            find_retirement(facts.desired, current.recorded, _find_last_read(facts)),
            *(None if slot.existing is None else slot.existing.expires for slot in facts.slots.values()),
            *(self._find_limit(slot) for slot in facts.slots.values()),
        )
        yield from (date for date in dates if date is not None)

    def _find_ends(self, update: ProjectedUpdate, now: datetime) -> Iterator[Event]:
        """Yield the expiries and violations at the time of an update; at present, also those of the past."""
        current, is_first = update.before.current, update.time == now
        for slot in update.before.slots.values():
            existing, is_previous = slot.existing, slot is not current
            if existing is None:
                continue
            if not slot.works_at(update.time) and existing.expires is not None and not is_previous:
                if is_first or existing.expires == update.time:
                    yield self._make_expiry(slot, update, is_past=is_first)
            elif existing.expires == update.time and existing.status is Status.ACTIVE:
                yield replace(self._make(EventKind.EXPIRE, update.time, slot, "expiring-soon"), is_previous=True)
            limit = self._find_limit(slot)
            is_violated = limit is not None and (limit == update.time or (is_first and limit < now))
            if limit is not None and is_violated and slot.works_at(update.time):
                event = self._make(EventKind.VIOLATE, limit, slot, "credential-too-old")
                yield replace(event, limit=self.max_age_days, is_previous=is_previous)

    def _make_expiry(self, slot: Slot, update: ProjectedUpdate, *, is_past: bool) -> Event:
        """Return the expiry of a current credential that no update has replaced."""
        when = update.time if slot.existing is None or slot.existing.expires is None else slot.existing.expires
        event = self._make(EventKind.EXPIRE, min(when, update.time), slot, "expired" if is_past else "expiring-soon")
        is_kept = not update.blocked_by and update.after.current == slot
        return replace(event, blocked_by=update.blocked_by, is_kept=is_kept)

    def _find_limit(self, slot: Slot) -> datetime | None:
        """Return the time at which the password of an active credential becomes too old, None for never."""
        is_active = slot.existing is not None and slot.existing.status is Status.ACTIVE
        if self.max_age_days is None or not is_active:
            return None
        since = find_issue(slot.recorded)
        return find_violation("credential-too-old", since, self.max_age_days, self.user, self.facts.desired)

    def _make(self, kind: EventKind, when: datetime, slot: Slot, rule: str = "") -> Event:
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
        )


def _find_last_read(facts: SlotFacts) -> date | None:
    return None if facts.store is None else facts.store.last_read
