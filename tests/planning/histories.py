"""Histories of one declared credential: runs that may die, people, changed specs, and the rules that always hold.

`python -m tests.planning.histories N` plays N histories.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from iamcreds.desired import DesiredCredential, Retire, RotationPolicy
from iamcreds.model import Credential, RecordedCredential, SourceLocation, Status
from iamcreds.planning.rotation import plan_slots
from iamcreds.planning.slot_plan import Moment, Slot, SlotPlan
from iamcreds.resource_names import slot_name
from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ACCOUNT = "123456789012"
DAY = timedelta(days=1)
START = datetime(2026, 11, 21, tzinfo=UTC)
EVERY, OVERLAP = 30, 7
KEY = DesiredCredential(
    "jane", "bedrock.amazonaws.com", "bedrock", SourceLocation("a.yaml", 1, 1), expire_after_days=90
)
RENEWED = replace(KEY, renew_before_hours=14 * 24)
PASSWORD = replace(KEY, service="cassandra.amazonaws.com", name="keyspaces", expire_after_days=None)
ROTATION = RotationPolicy(OVERLAP * 24, EVERY * 24)
ROTATED = replace(PASSWORD, rotate=ROTATION)
ROTATED_KEY = replace(KEY, rotate=ROTATION)
TRIGGERED_KEY = replace(KEY, rotate=RotationPolicy(OVERLAP * 24))
POLICIES = (ROTATED, ROTATED_KEY, RENEWED, TRIGGERED_KEY)

HANDS = ("deactivate 1", "deactivate 2", "activate 1", "activate 2", "delete 1", "delete 2", "roll back")
SPECS = ("plain", "policy", "reset", "trigger", "delete", "wait", "expire")
RUNS = ("up", "up", "up", "die 0", "die 1", "die 2", "die 3", "only 1", "only 2")
TIMES = ("0", "1", "2", "5", "7", "15", "28", "40", "100")
STEPS = (*HANDS, *SPECS, *RUNS, *RUNS, *TIMES, *TIMES)


class DiedError(Exception):
    """The run was killed before a write."""


@dataclass
class World:
    """An account with the credentials of one declared credential, and the stack's state.

    Attributes:
        policy: the credential as specs declare it at first.
        desired: the credential as specs declare it now.
        recorded: the slots in the state, by number.
        existing: the credentials in IAM, by id.
        issued: the time of each credential's present password, by id.
        retired: the ids that a run has deactivated since their password was issued.
        log: the writes of the last run.
        broken: the broken rules.
    """

    policy: DesiredCredential
    now: datetime = START
    desired: DesiredCredential = field(init=False)
    recorded: dict[int, RecordedCredential] = field(default_factory=dict)
    existing: dict[str, Credential] = field(default_factory=dict)
    issued: dict[str, datetime] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    writes_left: int | None = None
    created: int = 0

    def __post_init__(self) -> None:
        self.desired = self.policy

    def act(self, step: str, number: int) -> None:
        """Pass time, act as a person, change the specs, or run."""
        match step.split():
            case ["up"]:
                self.up()
            case ["die", writes]:
                self.up(writes=int(writes))
            case ["only", slot]:
                self.up(only=int(slot))
            case ["roll", "back"]:
                self._roll_back()
            case [verb, slot]:
                self._touch(verb, int(slot))
            case [days] if days.isdigit():
                self.now += int(days) * DAY
                self.expire()
            case [spec]:
                self._declare(spec, number)

    def _declare(self, spec: str, number: int) -> None:
        rotate = self.policy.rotate
        match spec:
            case "plain":
                days = self.recorded[self.current or 1].age_days  # a different one would replace the key at once
                self.desired = replace(
                    self.desired, rotate=None, renew_before_hours=None, trigger=None, expire_after_days=days
                )
            case "policy":
                renew = self.policy.renew_before_hours
                self.desired = replace(self.desired, rotate=rotate, renew_before_hours=renew)
            case "reset":
                self.desired = replace(self.desired, reset=f"reset {number}")
            case "trigger" if self.desired.rotate is not None:
                self.desired = replace(self.desired, trigger=f"trigger {number}")
            case "delete" if rotate is not None and self.desired.rotate is not None:
                self.desired = replace(self.desired, rotate=replace(rotate, retire=Retire.DELETE))
            case "expire" if self.desired.rotate is not None and self.desired.expire_after_days is not None:
                self.desired = replace(self.desired, expire_after_days=60 + number)
            case "wait" if rotate is not None and self.desired.rotate is not None:
                self.desired = replace(self.desired, rotate=replace(rotate, not_before=self.now + 20 * DAY))

    def _touch(self, verb: str, slot: int) -> None:
        known = self.recorded.get(slot)
        credential = None if known is None else self.existing.get(known.id)
        if credential is None or credential.status is Status.EXPIRED:
            return
        if verb == "delete":
            del self.existing[credential.id]
        else:
            status = Status.ACTIVE if verb == "activate" else Status.INACTIVE
            self.existing[credential.id] = replace(credential, status=status)

    def _roll_back(self) -> None:
        """Activate the previous credential and deactivate the current one, as people do if a new password fails."""
        current = self.current
        if len(self.recorded) > 1 and current is not None:
            self._touch("activate", 3 - current)
            self._touch("deactivate", current)

    @property
    def current(self) -> int | None:
        """The number of the current slot, None if the state has none."""
        return max(self.recorded, key=lambda number: (self.recorded[number].rotation, -number), default=None)

    def expire(self) -> None:
        """Let IAM expire credentials."""
        for each in self.existing.values():
            if each.expires is not None and each.expires <= self.now:
                self.existing[each.id] = replace(each, status=Status.EXPIRED)

    def refresh(self) -> None:
        """Record statuses; a recorded deactivation is kept over the expiry."""
        for number, each in self.recorded.items():
            existing = self.existing.get(each.id)
            if existing is not None:
                was_inactive = each.status is Status.INACTIVE or each.is_deactivated
                is_kept = existing.status is Status.EXPIRED and was_inactive and not each.is_retired
                self.recorded[number] = replace(each, status=existing.status, is_deactivated=is_kept)

    def plan(self) -> SlotPlan:
        """Plan as the program does."""
        slots = {number: Slot(each, self.existing.get(each.id)) for number, each in self.recorded.items()}
        return plan_slots(self.desired, slots, Moment(self.now, ACCOUNT))

    def up(self, *, writes: int | None = None, only: int | None = None) -> SlotPlan:
        """Apply a plan as engine and provider do, up to a number of writes, or only to one slot."""
        self.expire()
        self.refresh()
        self.log.clear()
        self.writes_left = writes
        plan = self.plan()
        if plan.slots[0].is_moved:
            self.recorded[1] = self.recorded.pop(2)
        declared = {each.slot: each for each in plan.slots}
        try:
            for number, each in declared.items():
                if only in (None, number):
                    self._apply(number, each, is_successor=plan.rotated is not None and each is plan.slots[-1])
            for number in sorted(self.recorded.keys() - declared.keys()):
                if only in (None, number):
                    self._delete(self.recorded[number].id)
                    del self.recorded[number]
        except DiedError:
            return plan
        if plan.is_reset and only is None and self.count_working() > 1:
            self.broken.append("a leaked password still works after a reset")
        if sum(line.startswith(("create", "reset")) for line in self.log) > 2 - (plan.rotated is not None):
            self.broken.append(f"two passwords in one run: {self.log}")
        return plan

    def count_working(self) -> int:
        """Return the number of Active credentials."""
        return sum(each.status is Status.ACTIVE for each in self.existing.values())

    def _apply(self, number: int, declared: DesiredCredential, *, is_successor: bool) -> None:
        recorded = self.recorded.get(number)
        existing = None if recorded is None else self.existing.get(recorded.id)
        if recorded is None or existing is None:
            self._create(number, declared)
            return
        is_reset = declared.reset not in (None, recorded.reset)
        is_newer = (declared.rotation or 0) > recorded.rotation
        is_expired = existing.status is Status.EXPIRED and (is_reset or is_newer or not recorded.is_deactivated)
        is_aged = declared.expire_after_days is not None and is_newer and (is_successor or not is_reset)
        if is_expired or is_aged or declared.expire_after_days != recorded.age_days:
            self._delete(existing.id, is_replaced=True, is_meant=is_reset and not is_successor)
            self._create(number, declared)
            return
        self._update(existing, declared, is_newer=is_newer, is_reset=is_reset, is_successor=is_successor)
        status = self.existing[existing.id].status
        is_new = is_newer or is_reset
        self.recorded[number] = replace(
            recorded, resource=slot_name(declared.declared_name, number), reset=declared.reset, status=status,
            trigger=declared.trigger, rotation=declared.rotation or 0, is_enforced=declared.status is not None,
            is_retired=declared.status is Status.INACTIVE, issued=self.now if is_new else recorded.issued,
        )  # fmt: skip

    def _update(
        self, existing: Credential, declared: DesiredCredential, *, is_newer: bool, is_reset: bool, is_successor: bool
    ) -> None:
        if declared.status is Status.INACTIVE and existing.status is Status.ACTIVE:
            self._end(existing.id, "deactivate")
            self.existing[existing.id] = existing = replace(existing, status=Status.INACTIVE)
            self.retired.add(existing.id)
        if is_newer or is_reset:
            if existing.status is Status.ACTIVE and (is_successor or not is_reset):
                self.broken.append(f"a rotation resets the Active {existing.id}")
            self._end(existing.id, "reset", is_meant=is_reset and not is_successor)
            self.issued[existing.id] = self.now
            self.retired.discard(existing.id)
        if is_newer and declared.status is None and existing.status is Status.INACTIVE:
            self._write(f"activate {existing.id}")
            self.existing[existing.id] = replace(existing, status=Status.ACTIVE)

    def _create(self, number: int, declared: DesiredCredential) -> None:
        self.created += 1
        key, days = f"ACCA{self.created}", declared.expire_after_days
        self._write(f"create {key}")
        expires = None if days is None else self.now + days * DAY
        self.existing[key] = Credential(
            key, "jane", declared.service, Status.ACTIVE, self.now, Family.PASSWORD, "jane-at-1", expires
        )
        self.issued[key] = self.now
        self.recorded[number] = RecordedCredential(
            slot_name(declared.declared_name, number), key, "jane", declared.service, self.now, reset=declared.reset,
            trigger=declared.trigger, rotation=declared.rotation or 0, issued=self.now, expires=expires, age_days=days,
        )  # fmt: skip

    def _delete(self, credential_id: str, *, is_replaced: bool = False, is_meant: bool = False) -> None:
        if credential_id in self.existing:
            self._end(credential_id, "replace" if is_replaced else "delete", is_meant=is_meant)
            del self.existing[credential_id]

    def _end(self, credential_id: str, verb: str, *, is_meant: bool = False) -> None:
        """Write, and check that no password in use ends by it."""
        is_working = self.existing[credential_id].status is Status.ACTIVE
        if is_working and not is_meant and not self._may_end(credential_id):
            self.broken.append(f"{verb} {credential_id} although its password is in use")
        self._write(f"{verb} {credential_id}")

    def _may_end(self, credential_id: str) -> bool:
        """Return True if a password is no longer in use: replaced for the overlap, retired before, or leaked."""
        assert self.current is not None
        in_use = self.recorded[self.current]
        is_leaked = self.desired.reset not in (None, in_use.reset) or any(
            each.id == credential_id and in_use.reset not in (None, each.reset) for each in self.recorded.values()
        )
        if is_leaked and in_use.id != credential_id:
            return True
        current = self.existing.get(in_use.id)
        if current is None or current.status is not Status.ACTIVE:
            return False
        if credential_id in self.retired or not self.desired.has_successors:
            return in_use.id != credential_id
        successor = max((time for key, time in self.issued.items() if key != credential_id), default=START)
        is_replaced = successor > self.issued[credential_id] or in_use.id != credential_id
        rotate = self.desired.rotate
        return rotate is not None and is_replaced and successor + rotate.overlap_hours * DAY / 24 <= self.now

    def _write(self, line: str) -> None:
        if self.writes_left == 0:
            raise DiedError
        if self.writes_left is not None:
            self.writes_left -= 1
        self.log.append(line)


def play(policy: DesiredCredential, steps: Sequence[str]) -> list[str]:
    """Return the rules that a history breaks."""
    world = World(policy)
    world.up()
    for number, step in enumerate(steps):
        world.act(step, number)
    for _ in range(4):
        world.up()
    world.up()
    if world.log:
        world.broken.append(f"no rest: {world.log}")
    assert world.current is not None
    current = world.recorded[world.current]
    if world.existing[current.id].status is Status.ACTIVE:  # a manual deactivation stops everything
        world.broken += find_wrong_end(world, current)
        world.broken += find_missed_successor(world)
    return world.broken


def find_wrong_end(world: World, current: RecordedCredential) -> Iterator[str]:
    """Yield a slot or a leaked password that the last run should have ended."""
    others = [each for each in world.recorded.values() if each.id != current.id]
    if not world.desired.has_successors and list(world.recorded) != [1]:
        yield f"slot 2 is left: {world.recorded}"
    for each in others:
        if current.reset not in (None, each.reset) and world.existing[each.id].status is Status.ACTIVE:
            yield f"a leaked password works: {each.id}"


def find_missed_successor(world: World) -> Iterator[str]:
    """Run daily: a working password exists at every moment, and none becomes older than `every`."""
    rotate = world.desired.rotate
    if not world.desired.has_successors or (rotate is not None and rotate.not_before is not None):
        return
    for day in range(2 * EVERY):
        world.now += DAY
        world.expire()
        if not world.count_working():
            yield f"no working password on {world.now}"
        world.up()
        issued = world.issued[world.recorded[world.current or 1].id]
        is_old = world.now - issued > EVERY * DAY and day > OVERLAP
        if rotate is not None and rotate.every_hours is not None and is_old:
            yield f"not rotated since {issued}"
    trigger = world.recorded[world.current or 1].trigger
    if trigger != world.desired.trigger and world.desired.trigger is not None:
        yield f"not rotated by the trigger: {trigger}"


def find_broken_history(count: int) -> str:
    """Play histories by seed; return a description of the first one that breaks a rule, empty if none does."""
    for seed in range(count):
        choice = random.Random(seed)  # noqa: S311 - not a secret
        policy = choice.choice(POLICIES)
        steps = choice.choices(STEPS, k=choice.randrange(1, 16))
        broken = play(policy, steps)
        if broken:
            return f"seed {seed}, {policy.declared_name}: {steps}: {broken}"
    return ""


def report(find: Callable[[int], str]) -> int:
    """Play the number of histories in the first argument; print the first broken one, and return 1 if there is one."""
    count = int(sys.argv[1])
    broken = find(count)
    sys.stdout.write(broken or f"{count} histories, no broken rule")
    sys.stdout.write("\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(report(find_broken_history))
