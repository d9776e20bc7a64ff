"""The plan of both slots: each rule by an example, and the invariants over random histories of runs and people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iamcreds.desired import DesiredCredential, RotationPolicy
from iamcreds.due_dates import find_renewal
from iamcreds.model import Credential, Existing, RecordedCredential, SourceLocation, Status
from iamcreds.planning.rotation import Moment, Slot, SlotPlan, avoid_adoption, plan_slots
from iamcreds.services import Family

SERVICE = "bedrock.amazonaws.com"
ACCOUNT = "123456789012"
DAY = timedelta(days=1)
START = datetime(2026, 11, 21, tzinfo=UTC)
PLAIN = DesiredCredential("jane", SERVICE, "bedrock", SourceLocation("a.yaml", 1, 1), expire_after_days=90)
RENEWED = replace(PLAIN, renew_before_hours=14 * 24)


def slot(  # noqa: PLR0913 - one per fact
    number: int = 1,
    rotation: int = 0,
    *,
    age: int = 0,
    status: Status | None = Status.ACTIVE,
    reset: str | None = None,
    days: int | None = 90,
    is_retired: bool = False,
) -> Slot:
    """Return a slot whose credential is that many days old at START; without a status it no longer exists."""
    created = START - age * DAY
    name = RENEWED.declared_name + ("~2" if number > 1 else "")
    expires = None if days is None else created + days * DAY
    recorded = RecordedCredential(
        name, f"ACCA{number}", "jane", SERVICE, created, reset=reset, rotation=rotation, age_days=days, expires=expires,
        is_retired=is_retired,
    )  # fmt: skip
    login = "jane-at-1"
    existing = Credential(
        recorded.id, "jane", SERVICE, status or Status.ACTIVE, created, Family.API_KEY, login, expires
    )
    return Slot(recorded, None if status is None else existing)


def plan(desired: DesiredCredential = RENEWED, *slots: Slot) -> SlotPlan:
    """Plan these slots at START."""
    return plan_slots(
        desired, {2 if each.recorded.resource.endswith("~2") else 1: each for each in slots}, Moment(START, ACCOUNT)
    )


def outline(plan: SlotPlan) -> list[tuple[int, int, str | None]]:
    """Return number, rotation and status of each declared slot."""
    return [(each.slot, each.rotation or 0, each.status and each.status.value) for each in plan.slots]


OLD = slot(age=80)


@pytest.mark.parametrize(
    ("desired", "slots", "expected"),
    [
        pytest.param(RENEWED, [], [(1, 0, None)], id="row 1: nothing is recorded"),
        pytest.param(replace(RENEWED, reset="x"), [slot()], [(1, 1, None)], id="row 2: reset"),
        pytest.param(
            replace(RENEWED, reset="x"), [OLD, slot(2, 1)], [(2, 2, None), (1, 0, "Inactive")],
            id="row 2: the previous key is deactivated",
        ),
        pytest.param(replace(RENEWED, reset="x"), [slot(reset="x")], [(1, 0, None)], id="row 2: already reset"),
        pytest.param(RENEWED, [slot(status=None), slot(2, age=70)], [(1, 0, None), (2, 0, None)], id="row 3: gone"),
        pytest.param(RENEWED, [slot(age=90, status=Status.EXPIRED)], [(1, 0, None)], id="row 3: slept through"),
        pytest.param(
            RENEWED, [slot(1, 2, age=95, status=Status.EXPIRED), slot(2, 1, age=99, status=Status.EXPIRED)],
            [(1, 2, None)], id="row 3: both expired",
        ),
        pytest.param(RENEWED, [slot(age=80, status=Status.INACTIVE)], [(1, 0, None)], id="row 4: deactivated and due"),
        pytest.param(
            RENEWED, [slot(1, 0, age=80, is_retired=True), slot(2, 1, status=Status.INACTIVE)],
            [(2, 1, None), (1, 0, None)], id="row 4: rolled back",
        ),
        pytest.param(PLAIN, [OLD, slot(2, 1)], [(2, 1, None)], id="row 5: no longer renewed"),
        pytest.param(
            replace(PLAIN, status=Status.INACTIVE), [OLD, slot(2, 1, status=Status.INACTIVE)], [(2, 1, "Inactive")],
            id="row 5: Inactive by specs",
        ),
        pytest.param(PLAIN, [slot(2, 1)], [(1, 1, None)], id="row 6: moved to slot 1"),
        pytest.param(RENEWED, [slot(age=75)], [(1, 0, None)], id="row 11: not due"),
        pytest.param(RENEWED, [slot(age=76)], [(1, 0, None), (2, 1, None)], id="row 8: due"),
        pytest.param(
            RENEWED, [slot(1, 0, age=91, status=Status.EXPIRED), slot(2, 1, age=76)], [(2, 1, None), (1, 2, None)],
            id="row 8: the other slot has expired",
        ),
        pytest.param(RENEWED, [OLD, slot(2, 1, age=76)], [(2, 1, None), (1, 0, None)], id="row 8: other still works"),
        pytest.param(
            RENEWED, [slot(1, 0, age=82, days=365), slot(2, 1, age=76)], [(2, 1, None), (1, 2, None)],
            id="row 8: other would outlive the current one",
        ),
        pytest.param(RENEWED, [slot(age=80, days=60)], [(1, 0, None)], id="a different lifetime is replaced"),
        pytest.param(RENEWED, [slot(age=80, days=None)], [(1, 0, None)], id="without an expiry"),
        pytest.param(RENEWED, [OLD, slot(2, 1)], [(2, 1, None), (1, 0, None)], id="row 11: both work"),
        pytest.param(
            RENEWED, [slot(1, 0, age=91, status=Status.EXPIRED), slot(2, 1)], [(2, 1, None)],
            id="row 11: the previous key has expired",
        ),
        pytest.param(
            replace(RENEWED, reset="x"), [slot(1, 0, age=80), slot(2, 2, reset="x")],
            [(2, 2, None), (1, 0, "Inactive")], id="row 11: the run of the reset failed before it retired the other",
        ),
        pytest.param(
            RENEWED, [slot(1, 0, age=80, reset="x"), slot(2, 1)], [(2, 1, None), (1, 0, None)],
            id="row 11: the reset was removed from specs",
        ),
        pytest.param(
            RENEWED, [slot(1, 0, status=Status.INACTIVE, is_retired=True), slot(2, 1)],
            [(2, 1, None), (1, 0, "Inactive")], id="row 11: retired stays retired",
        ),
    ],
)  # fmt: skip
def test_rows(desired: DesiredCredential, slots: list[Slot], expected: list[tuple[int, int, str | None]]) -> None:
    """Each row of the state machine decides as described."""
    assert outline(plan(desired, *slots)) == expected


def test_previous_keeps_its_inputs() -> None:
    """A changed lifetime and trigger concern the current key only, so the previous one is not replaced."""
    desired = replace(RENEWED, expire_after_days=30, reset="new", adopt="ACCA0")
    current, previous = plan(desired, slot(age=80, reset="old"), slot(2, 1, reset="new")).slots
    assert (current.expire_after_days, current.reset, current.adopt) == (30, "new", None)
    assert (previous.expire_after_days, previous.reset, previous.adopt) == (90, "old", "ACCA0")


def test_rotation_with_a_new_lifetime() -> None:
    """A due rotation with a changed lifetime issues one password: the key in use keeps its lifetime as previous one."""
    policy = RotationPolicy(overlap_hours=24, every_hours=20 * 24)
    previous, successor = plan(replace(PLAIN, expire_after_days=60, rotate=policy), OLD).slots
    assert (previous.slot, previous.expire_after_days) == (1, 90)
    assert (successor.slot, successor.expire_after_days) == (2, 60)


def test_imported() -> None:
    """The successor of a key in slot 2 is a new one in slot 1, although specs import the first one by its id."""
    current, successor = plan(replace(RENEWED, adopt="ACCA0"), slot(2, 1, age=80)).slots
    assert (current.adopt, successor.slot, successor.adopt) == (None, 1, None)


def test_names() -> None:
    """Slot 2 has the name of slot 1 and `~2`, also for former names; a moved slot continues the resource of slot 2."""
    renamed = replace(RENEWED, was="old", user_was="joan")
    (first, second) = plan(renamed, OLD).slots
    assert (first.resource_name, second.resource_name) == ("jane/bedrock", "jane/bedrock~2")
    assert second.former_resource_names == ("jane/bedrock/old~2", "joan/bedrock~2", "joan/bedrock/old~2")
    (moved,) = plan(PLAIN, slot(2, 1)).slots
    assert (moved.resource_name, moved.former_resource_names) == ("jane/bedrock", ("jane/bedrock~2",))


def test_concerned_credentials() -> None:
    """The plan names the key that it renews and the key that it deletes."""
    assert plan(RENEWED, OLD).renewed == OLD.existing
    expired = slot(1, 0, age=91, status=Status.EXPIRED)
    assert plan(RENEWED, expired, slot(2, 1)).deleted == expired.existing
    assert plan(PLAIN, OLD, slot(2, 1)).deleted == OLD.existing
    assert plan(RENEWED, OLD, slot(2, 1)).deleted is None
    long_lived = slot(1, 0, age=82, days=365)
    assert plan(RENEWED, long_lived, slot(2, 1, age=76)).deleted == long_lived.existing


@pytest.mark.parametrize(
    ("unmanaged", "existing"), [(slot(age=81), None), (slot(age=1), Existing.ADOPT), (slot(days=None), Existing.ADOPT)]
)
def test_adopted_successor(unmanaged: Slot, existing: Existing | None) -> None:
    """A successor adopts no key that expires before the current one: it would need a successor at once."""
    desired = replace(RENEWED, existing=Existing.ADOPT)
    assert unmanaged.existing is not None
    current, successor = avoid_adoption(plan(desired, OLD), [unmanaged.existing]).slots
    assert (current.existing, successor.existing) == (Existing.ADOPT, existing)
    for kept in (plan(desired, slot()), plan(RENEWED, OLD)):
        assert avoid_adoption(kept, [unmanaged.existing]) is kept


def test_due_date() -> None:
    """The renewal is due `renewBefore` ahead of the expiry; without an expiry or a renewal it never is."""
    assert find_renewal(RENEWED, OLD.existing) == START + (10 - 14) * DAY
    assert OLD.existing is not None
    second_less = replace(OLD.existing, expires=START + 10 * DAY - timedelta(seconds=1))
    assert find_renewal(RENEWED, second_less) == START + (10 - 14) * DAY - timedelta(seconds=1)
    for desired, existing in (
        (PLAIN, OLD.existing), (RENEWED, None), (RENEWED, slot(days=None).existing), (RENEWED, slot(days=60).existing)
    ):  # fmt: skip
        assert find_renewal(desired, existing) is None


@dataclass
class World:
    """An account with the keys of one declared credential, the stack's state, and the effects of an update."""

    now: datetime = START
    desired: DesiredCredential = RENEWED
    slots: dict[int, Slot] = field(default_factory=dict)
    created: int = 0
    log: list[str] = field(default_factory=list)

    def observe(self) -> None:
        """Let IAM expire keys."""
        for number, each in self.slots.items():
            existing = each.existing
            if existing is not None and existing.expires is not None and existing.expires <= self.now:
                self.slots[number] = replace(each, existing=replace(existing, status=Status.EXPIRED))

    def read(self) -> None:
        """Record statuses, as a refresh does; a recorded deactivation is kept over the expiry."""
        for number, each in self.slots.items():
            if each.existing is not None:
                was_inactive = each.recorded.status is Status.INACTIVE or each.recorded.is_deactivated
                is_kept = each.existing.status is Status.EXPIRED and was_inactive and not each.recorded.is_retired
                recorded = replace(each.recorded, status=each.existing.status, is_deactivated=is_kept)
                self.slots[number] = replace(each, recorded=recorded)

    def up(self) -> SlotPlan:
        """Apply a plan as the provider does."""
        self.observe()
        self.read()
        plan = plan_slots(self.desired, self.slots, Moment(self.now, ACCOUNT))
        declared = {each.slot: each for each in plan.slots}
        if plan.slots[0].is_moved:
            self.slots[1] = self.slots.pop(2)
        for number in sorted(self.slots.keys() - declared.keys()):
            self.log.append(f"delete {self.slots.pop(number).recorded.id}")
        for number, each in declared.items():
            self._apply(number, each)
        return plan

    def _apply(self, number: int, declared: DesiredCredential) -> None:
        known = self.slots.get(number)
        is_expired = known is not None and known.existing is not None and known.existing.status is Status.EXPIRED
        is_reset = known is not None and declared.reset not in (None, known.recorded.reset)
        is_greater = known is not None and (declared.rotation or 0) > known.recorded.rotation
        has_age = known is not None and known.recorded.age_days != declared.expire_after_days
        is_needed = is_expired and (is_reset or is_greater or not (known and known.recorded.is_deactivated))
        if known is None or known.existing is None or is_needed or has_age or (is_greater and not is_reset):
            self._create(number, declared)
            return
        status = declared.status or (Status.ACTIVE if is_greater else known.existing.status)
        if is_reset:
            self.log.append(f"reset {known.recorded.id}")
        existing = known.existing if is_expired else replace(known.existing, status=status)
        recorded = replace(
            known.recorded, reset=declared.reset, rotation=max(known.recorded.rotation, declared.rotation or 0),
            status=existing.status, is_retired=declared.status is Status.INACTIVE,
        )  # fmt: skip
        self.slots[number] = Slot(recorded, existing)

    def _create(self, number: int, declared: DesiredCredential) -> None:
        if number in self.slots and self.slots[number].existing is not None:
            self.log.append(f"delete {self.slots[number].recorded.id}")
        self.created += 1
        days = declared.expire_after_days
        new = slot(number, declared.rotation or 0, reset=declared.reset, days=days)
        expires = None if days is None else self.now + days * DAY
        key = f"ACCA{self.created}"
        assert new.existing is not None
        self.log.append(f"create {key}")
        self.slots[number] = Slot(
            replace(new.recorded, id=key, created=self.now, expires=expires),
            replace(new.existing, id=key, created=self.now, expires=expires),
        )

    def working(self) -> set[str]:
        """Return the ids of Active keys."""
        self.observe()
        existing = (each.existing for each in self.slots.values())
        return {each.id for each in existing if each is not None and each.status is Status.ACTIVE}


HANDS = st.sampled_from(["deactivate 1", "deactivate 2", "activate 1", "activate 2", "delete 1", "delete 2"])
SPECS = st.sampled_from(["renewed", "plain", "reset"])
STEPS = st.lists(st.one_of(st.integers(0, 100).map(str), HANDS, SPECS), max_size=12)


def act(world: World, step: str, number: int) -> None:
    """Pass time, act as a person, or change the specs."""
    match step.split():
        case ["renewed" | "plain" as spec]:
            world.desired = replace(RENEWED if spec == "renewed" else PLAIN, reset=world.desired.reset)
        case ["reset"]:
            world.desired = replace(world.desired, reset=f"reset {number}")
        case [verb, slot_number]:
            known = world.slots.get(int(slot_number))
            if known is not None and known.existing is not None and known.existing.status is not Status.EXPIRED:
                status = Status.ACTIVE if verb == "activate" else Status.INACTIVE
                changed = None if verb == "delete" else replace(known.existing, status=status)
                world.slots[int(slot_number)] = replace(known, existing=changed)
        case [days]:
            world.now += int(days) * DAY
            world.observe()


@given(STEPS)
@settings(max_examples=3_000, deadline=None)
def test_histories(steps: list[str]) -> None:
    """At most one new key per run, no working key is deleted or reset without a reason, and a second run is quiet."""
    world = World()
    world.up()
    for number, step in enumerate(steps):
        act(world, step, number)
        before = world.working()
        world.log.clear()
        is_reset = world.desired.reset is not None and any(
            each.recorded.reset != world.desired.reset for each in world.slots.values()
        )
        plan = world.up()
        creates = [line for line in world.log if line.startswith("create")]
        assert len(creates) <= 2 - (plan.renewed is not None)
        lost = before - world.working()
        is_plain = world.desired.renew_before_hours is None
        if not is_plain and not is_reset:
            assert lost == set()
        assert len(lost) <= 1 or is_reset
        for _ in range(
            0 if is_plain or is_reset else 2
        ):  # a reset is not a renewal, and slot 2 moves after slot 1 ended
            assert world.up().renewed is None
        world.up(), world.up()
        world.log.clear()
        world.up()
        assert world.log == []
