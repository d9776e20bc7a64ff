"""A year of daily runs: the notices and the schedule of each morning, and the update that follows.

`python -m tests.simulation.daily N` plays N years, and exits with code 1 if one of them breaks a rule.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from iamcreds.desired import CredentialPolicy, Desired, DesiredUser
from iamcreds.drift.comparing import compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.model import Credential, Inventory, StackExport, Status, User
from iamcreds.resource_names import split_slot
from iamcreds.schedule.event import EventKind
from iamcreds.schedule.events import Schedule, make_schedule
from iamcreds.schedule.notices import HORIZON, THRESHOLDS, find_notices
from iamcreds.services import Family, service_family
from iamcreds.state.recorded import find_date
from tests.simulation.history import Start, Wait, Work
from tests.simulation.making import DAY
from tests.simulation.making_daily import make_specs
from tests.simulation.play import Player
from tests.simulation.process import stage
from tests.simulation.program import read_state
from tests.simulation.successor_rules import find_issue, find_slots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from iamcreds.schedule.event import Event
    from iamcreds.schedule.notices import Notice
    from tests.simulation.state import Resource, Stack

PERIOD = timedelta(days=1)
"""The interval of the runs."""

MORNING = 43 * 60.0
"""The time from the notices to the update of a day, in seconds."""

SHIFT = timedelta(days=5)
"""The maximum change of a date within 30 days, by updates that run up to a day after their dates, or that fail."""

MAX_AGE_DAYS = 50
"""The limit of the policy, which some passwords exceed."""

REPLACE = "replace"
"""The replacement of an expired credential by an update."""

_Done = tuple[str, str]
"""A kind of event, or `REPLACE`, and the declared name of its credential."""


@dataclass
class Year:
    """A year of daily runs with the same specs.

    Attributes:
        seed: the seed of the specs, and of failed updates.
        days: the number of days.
        failing: the share of days without an update.
        schedule: makes the schedule of a morning, None for the real one.
    """

    seed: int
    days: int = 365
    failing: float = 0.05
    schedule: Callable[[Desired, Player], Schedule] | None = None
    broken: list[str] = field(default_factory=list)
    announced: list[Notice] = field(default_factory=list)

    def play(self) -> list[str]:
        """Play the year, and return a sentence for each broken rule."""
        random = Random(self.seed)  # noqa: S311 - not for secrets
        with stage():
            player = Player(lambda _line: None)
            for step in make_specs(random):
                player.step(step)
            player.step(Work((Start(0),), seed=self.seed))
            self.first, self.is_limited = player.world.now(), player.stacks[0].program.max_rotations is not None
            for number in range(self.days):
                self._play_day(player, number, is_updated=random.random() >= self.failing)
        self.broken += [f"simulation: {violation}" for violation in player.record.violations]
        return self.broken

    def _play_day(self, player: Player, number: int, *, is_updated: bool) -> None:
        player.clock.seconds = (number + 1) * DAY
        desired, stack = read_desired(player), player.stacks[0]
        schedule = (self.schedule or read_schedule)(desired, player)
        self._notify(find_notices(desired, schedule, PERIOD), schedule.now)
        self._judge_ends(player, schedule)
        player.step(Wait(MORNING))
        if not is_updated:
            return
        begin = player.world.now()
        player.step(Work((Start(0),), seed=self.seed + number))
        done = find_done(stack.backups[-1], stack, player.world.now())
        shown = find_shown(schedule, player.world.now(), stack.program.max_rotations)
        due = find_shown(schedule, begin, stack.program.max_rotations)
        due = {
            action: event for action, event in due.items() if not _expires(schedule, event, begin, player.world.now())
        }
        for action in sorted(done.keys() - shown.keys()):
            self.broken.append(f"{begin}: up did {action}, which the schedule did not show")
        for action in sorted(due.keys() - done.keys()):
            self.broken.append(f"{begin}: the schedule showed {action} at {due[action].when}, and up did not do it")
        for action in done.keys() & shown.keys():
            self._judge_announced(shown[action].kind, shown[action].resource, shown[action].when)

    def _notify(self, notices: Iterator[Notice], now: datetime) -> None:
        sent = list(notices)
        keys = [(each.event.kind, each.event.resource, each.event.id, each.event.rule, each.days) for each in sent]
        self.broken += [f"{now}: {key} is announced twice" for key in {key for key in keys if keys.count(key) > 1}]
        earlier = {(each.days, each.event) for each in self.announced if each.days}
        self.broken += [f"{now}: {each} is announced again" for each in sent if (each.days, each.event) in earlier]
        self.announced += sent

    def _judge_ends(self, player: Player, schedule: Schedule) -> None:
        """Check that the expiries and violations of the last day were announced."""
        now, existing = schedule.now, player.world.existing()
        for resource in player.stacks[0].credentials:
            found, name = existing.get(resource.id), split_slot(resource.name)[0]
            if found is not None and found.expires is not None and now - PERIOD < found.expires <= now:
                self._judge_announced(EventKind.EXPIRE, name, found.expires)
            limit = find_issue(resource.outputs) + timedelta(days=MAX_AGE_DAYS)
            is_active = found is not None and found.status(now) is Status.ACTIVE
            if is_active and now - PERIOD < limit <= now:
                self._judge_violation(name, limit)

    def _judge_violation(self, name: str, when: datetime) -> None:
        """Check that a violation was announced; late updates cause violations that no earlier schedule can show."""
        is_sent = any(each.days and _is_about(each, EventKind.VIOLATE, name, when) for each in self.announced)
        if not (self.failing or self.is_limited or is_sent) and when - timedelta(days=1) > self.first:
            self.broken.append(f"{name}: {EventKind.VIOLATE} at {when} was not announced")

    def _judge_announced(self, kind: EventKind, name: str, when: datetime) -> None:
        """Check that each threshold after the first days was announced before the date."""
        for days in THRESHOLDS:
            is_sent = any(each.days == days and _is_about(each, kind, name, when) for each in self.announced)
            if when - timedelta(days=days) > self.first + SHIFT and not is_sent:
                self.broken.append(f"{name}: {kind} at {when} was not announced {days} days before")


def _is_about(notice: Notice, kind: EventKind, name: str, when: datetime) -> bool:
    event = notice.event
    return (event.kind, event.resource) == (kind, name) and abs(event.when - when) < SHIFT


def _expires(schedule: Schedule, due: Event, begin: datetime, end: datetime) -> bool:
    """Return True if the credential of an event expires during an update, which may then replace it instead."""
    expiries = (event for event in schedule.events if event.kind is EventKind.EXPIRE)
    return any(event.resource == due.resource and begin <= event.when <= end for event in expiries)


def read_desired(player: Player) -> Desired:
    """Return the specs, with a policy that some passwords violate."""
    policy = CredentialPolicy(max_age_days=MAX_AGE_DAYS)
    users = (replace(user, credential_policy=policy) for user in player.stacks[0].program.list_users())
    return Desired(tuple(sorted(users, key=_name)), max_rotations=player.stacks[0].program.max_rotations)


def _name(user: DesiredUser) -> str:
    return user.name


def read_schedule(desired: Desired, player: Player) -> Schedule:
    """Return the schedule of the account and the state at the present time."""
    now, world = player.world.now(), player.world
    inventory = Inventory(
        account=world.account,
        read_at=now,
        users=tuple(User(name, created) for name, created in sorted(world.users.items())),
        credentials=tuple(
            Credential(
                id=each.id,
                user=each.user,
                service=each.service,
                status=each.status(now),
                created=each.created,
                family=service_family(each.service) or Family.API_KEY,
                login=each.login,
                expires=each.expires,
            )
            for each in world.existing().values()
        ),
    )
    state = make_recorded_state(
        StackExport(credentials=tuple(read_state(player.stacks[0].state, None).recorded.values()))
    )
    return make_schedule(desired, compare(desired, inventory, state=state), now + HORIZON)


def find_shown(schedule: Schedule, until: datetime, max_rotations: int | None) -> dict[_Done, Event]:
    """Return the events that one update at a time does according to a schedule: the first one of each credential."""
    shown: dict[str, tuple[_Done, Event]] = {}
    for event in schedule.events:
        action = REPLACE if event.kind is EventKind.EXPIRE else event.kind
        is_end = event.kind is EventKind.VIOLATE or (event.kind is EventKind.EXPIRE and event.is_previous)
        if event.when <= until and not is_end and event.resource not in shown:
            shown[event.resource] = (action, event.resource), event
    rotations = [action for action, _ in shown.values() if action[0] == EventKind.ROTATE]
    deferred = [] if max_rotations is None else rotations[max_rotations:]
    return {action: event for action, event in shown.values() if action not in deferred}


def find_done(before: Sequence[Resource], stack: Stack, now: datetime) -> dict[_Done, None]:
    """Return the actions of an update that ended now, from the states before and after it."""
    done: dict[_Done, None] = {}
    for name, declared in stack.program.declared.items():
        olds, news = find_slots(before, declared), find_slots(stack.credentials, declared)
        rotations = [(slots[0].outputs.get("rotation") or 0) for slots in (olds, news)]
        if rotations[1] > rotations[0]:
            done[EventKind.RENEW if declared.rotate is None else EventKind.ROTATE, name] = None
        elif news[0].id != olds[0].id:
            done[REPLACE, name] = None
        if any(_is_retired(old, news, now) for old in olds):
            done[EventKind.RETIRE, name] = None
    return done


def _is_retired(old: Resource, news: Sequence[Resource], now: datetime) -> bool:
    """Return True if an update deactivated or deleted a credential that worked before."""
    if old.outputs["status"] != Status.ACTIVE or "desired_status" in old.outputs:
        return False
    found = next((new for new in news if new.id == old.id), None)
    if found is not None:
        return "desired_status" in found.outputs
    expires = find_date(old.outputs, "expiration_date")
    return expires is None or expires > now


def main() -> int:
    """Parse the arguments and play the years."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.daily", description="Play years of daily runs.")
    parser.add_argument("count", type=int, nargs="?", default=20, help="number of years")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        for sentence in Year(seed).play():
            failed += 1
            sys.stdout.write(f"seed {seed}: {sentence}\n")
    sys.stdout.write(f"{arguments.count} years: {failed} rules broken\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
