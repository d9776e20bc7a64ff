"""Histories of a declared credential with a delivery: the store is a second system, which people change as well.

`python -m tests.planning.delivered_histories N` plays N histories. The store, its checks and the order of writes are
those of the product; IAM and the provider's update are modeled.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

from iamcreds.delivery import SECRETS_MANAGER, DeliveredSecret, Delivery
from iamcreds.errors import AccountError, RejectedError
from iamcreds.model import Credential, RecordedCredential, Status
from iamcreds.planning.rotation import plan_slots
from iamcreds.planning.slot_plan import Moment, Slot, SlotPlan
from iamcreds.pulumi_engine import delivery_check, successor_facts
from iamcreds.pulumi_engine.delivering import SecretDelivery
from iamcreds.pulumi_engine.delivery_check import DeliveryCheck
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.run_context import RunContext
from iamcreds.stores.deliveries import Deliveries
from tests.planning.histories import (
    ACCOUNT,
    DAY,
    POLICIES,
    RUNS,
    STEPS,
    DiedError,
    World,
    find_missed_successor,
    find_wrong_end,
    report,
)
from tests.planning.memory_store import REGION, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.desired import DesiredCredential

DELIVERY = Delivery(SECRETS_MANAGER, "{service}/{user}", REGION)
MOVED = replace(DELIVERY, name="moved")
KEPT = replace(DELIVERY, keep_in_state=True)
DELIVERIES = {"deliver": DELIVERY, "undeliver": None, "move": MOVED, "keep": KEPT}
BY = 20
"""The days after which a previous password is retired although no one has read the new one."""

STORE_HANDS = ("lose", "overwrite", "late", "read")
DELIVERED_RUNS = (*RUNS, "die 4", "die 5", "die 6", "denied")
DELIVERED_STEPS = (*STEPS, *STORE_HANDS, *STORE_HANDS, *DELIVERIES, "when read", *DELIVERED_RUNS, *DELIVERED_RUNS)
BEGINNINGS = ((), ("40", "up", "7", "up", "28"))
"""The first steps of histories: none, or a rotation after which the next one resets a slot."""


@dataclass
class DeliveredWorld(World):
    """An account and a store with the secret of one declared credential.

    Attributes:
        passwords: the valid password of each credential, by id.
        known: the password that the state has, by id.
        store: the secret store.
        is_rejected: True if the last preview rejected the specs.
    """

    passwords: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    store: MemoryStore = field(init=False)
    is_rejected: bool = False
    _delivers: dict[int, bool] = field(default_factory=dict)
    _watches: bool = False
    _finished: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.store = MemoryStore(self._write)
        self.desired = replace(self.desired, deliver=DELIVERY)

    # Steps

    def act(self, step: str, number: int) -> None:
        """Act on the store, declare a delivery, or act as in the base class."""
        name = self.secret
        match step.split():
            case ["lose"]:
                self.store.lose(name)
            case ["overwrite"]:
                self.store.overwrite(name, number)
            case ["late"] if self.store.late is not None:
                self.store.late()
                self.store.late = None
            case ["read"] if name in self.store.secrets:
                self.store.secrets[name] = replace(self.store.secrets[name], last_read=self.now.date())
            case ["late" | "read"]:
                pass
            case [declared] if declared in DELIVERIES:
                self.desired = replace(self.desired, deliver=DELIVERIES[declared])
            case ["when", "read"] if self.desired.rotate is not None:
                self.desired = replace(self.desired, rotate=replace(self.desired.rotate, retire_by_hours=BY * 24))
            case ["when", "read"]:
                pass
            case ["denied"]:
                self.store.is_denied = True
                self.up()
                self.store.is_denied = False
            case _:
                super().act(step, number)

    @property
    def secret(self) -> str:
        """The declared name of the secret, empty without one."""
        declared = self.desired.deliver
        return "" if declared is None else declared.resolve_name("jane", self.desired.service, ACCOUNT)

    def is_useful(self) -> bool:
        """Return True if the store hands out a working password."""
        found = self.store.find_password(self.secret)
        if found is None or found[0] not in self.existing:
            return False
        return self.existing[found[0]].status is Status.ACTIVE and self.passwords[found[0]] == found[1]

    # Runs

    def plan(self) -> SlotPlan:
        """Plan as the program does, with the facts of the store."""
        slots = {number: Slot(each, self.existing.get(each.id)) for number, each in self.recorded.items()}
        facts = vars(successor_facts)["_read_store"](self._open(), self.desired, self.recorded)
        return plan_slots(self.desired, slots, Moment(self.now, ACCOUNT), store=facts)

    def up(self, *, writes: int | None = None, only: int | None = None) -> SlotPlan:
        """Preview, and apply unless the preview rejects the specs; then judge the store."""
        self.expire()
        for key in self.existing.keys() - {each.id for each in self.recorded.values()}:
            del self.existing[key]  # a person deletes the credential of a killed run, as its error suggests
        self.refresh()
        plan = self.plan()
        self.is_rejected = not self._is_accepted(plan)
        if self.is_rejected:
            return plan
        is_in_place = plan.is_reset or self._is_reset_in_place(plan)
        recorded = {each.id: each for each in self.recorded.values()}
        self._watches = self.is_useful() and not is_in_place and self._is_in_use()
        super().up(writes=writes, only=only)
        self._watch("the end")
        self._watches = False
        if plan.retired is not None and self.current is not None:
            current, previous = self.recorded[self.current], recorded[plan.retired.id]
            if current.reset in (None, previous.reset):  # else an interrupted reset ends a leaked password
                self._judge_retirement(plan)
        is_complete = self.writes_left != 0 and only is None and not self.store.is_denied
        if is_complete:
            self.broken += self._find_unhealed(plan)
        return plan

    def _is_in_use(self) -> bool:
        """Return True if the current credential was delivered to the declared secret, and no person deactivated it.

        The password of one that a person deactivated may be delivered, and a moved secret keeps an old password.
        """
        if self.current is None:
            return False
        recorded = self.recorded[self.current]
        existing, stored = self.existing.get(recorded.id), self.store.secrets[self.secret]
        is_deactivated = existing is not None and existing.status is Status.INACTIVE
        return not is_deactivated and recorded.delivered is not None and recorded.delivered.arn == stored.arn

    def _is_reset_in_place(self, plan: SlotPlan) -> bool:
        return self.current is not None and plan.slots[0].reset not in (None, self.recorded[self.current].reset)

    def _is_accepted(self, plan: SlotPlan) -> bool:
        """Return True if the checks of all declared slots accept the delivery."""
        try:
            self._delivers = {each.slot: self._check(each, plan) for each in plan.slots}
        except RejectedError:
            return False
        return True

    def _check(self, declared: DesiredCredential, plan: SlotPlan) -> bool:
        """Check a delivery as the provider does; return True if the run delivers the state's password."""
        number = declared.slot
        recorded = self.recorded.get(2 if declared.is_moved and number not in self.recorded else number)
        if recorded is None:
            DeliveryCheck(self._open(), _declare(declared), RunContext()).check_new()
            return False
        context = RunContext(
            resource=recorded.resource, owned={recorded.id: recorded.resource}, delivered=recorded.delivered,
            is_previous=any((each.rotation or 0) > (declared.rotation or 0) for each in plan.slots),
            has_secret=recorded.has_secret, rotate=self.desired.rotate,
            is_confirmed=plan.is_confirmed and declared is plan.slots[0],
        )  # fmt: skip
        check = DeliveryCheck(self._open(), _declare(declared), context)
        if self._is_replaced(declared, recorded):
            check.check_new()
            return False
        return "delivers" in check.check_kept(_read(recorded))

    def _is_replaced(self, declared: DesiredCredential, recorded: RecordedCredential) -> bool:
        existing = self.existing.get(recorded.id)
        is_newer = (declared.rotation or 0) > recorded.rotation
        is_gone = existing is None or existing.status is Status.EXPIRED
        is_aged = is_newer and declared.expire_after_days is not None
        return is_gone or is_aged or declared.expire_after_days != recorded.age_days

    def _open(self) -> Deliveries:
        """Return the stores of a new run."""
        opened = Deliveries(cast("Any", self._account))
        vars(opened)["_stores"][SECRETS_MANAGER, REGION] = self.store
        return opened

    @property
    def _account(self) -> SimpleNamespace:
        return SimpleNamespace(id=lambda: ACCOUNT, region=REGION, clock=SimpleNamespace(now=lambda: self.now))

    def _apply(self, number: int, declared: DesiredCredential, *, is_successor: bool) -> None:
        created, self._finished = self.created, None
        super()._apply(number, declared, is_successor=is_successor)
        if self.created == created and self._finished is not None:
            self._record(number, declared, self._finished)

    def _record(self, number: int, declared: DesiredCredential, outputs: dict[str, Any]) -> None:
        recorded, password = self.recorded[number], outputs.get("service_password")
        delivered = DeliveredSecret.find(outputs)
        self.recorded[number] = replace(
            recorded, deliver=declared.deliver, delivered=delivered, has_secret=password is not None,
            issued=outputs.get("issued_at", recorded.issued),
        )  # fmt: skip
        self.known = {key: value for key, value in self.known.items() if key != recorded.id}
        if password is not None:
            self.known[recorded.id] = password

    def _create(self, number: int, declared: DesiredCredential) -> None:
        """Create and deliver; a run that dies before its state is written leaves the credential."""
        before = self.recorded.get(number)
        delivery = self._open_delivery(declared, None)
        if delivery is not None:
            delivery.begin(resets=False)
        super()._create(number, declared)
        created = self.recorded.pop(number)
        if before is not None:
            self.recorded[number] = before
        self.passwords[created.id] = f"{created.id}#{self.created}"
        outputs = self._outputs(created.id) | {"service_password": self.passwords[created.id]}
        if delivery is not None:
            try:
                outputs = delivery.deliver(outputs)
            except AccountError:
                del self.existing[created.id]
                return
        self._write_state()
        self.recorded[number] = created
        self._record(number, declared, outputs)

    def _update(
        self,
        existing: Credential,
        declared: DesiredCredential,
        *,
        is_newer: bool,
        is_reset: bool,
        is_successor: bool,
    ) -> None:
        """Update and deliver in the provider's order: attempt, reset, activation, put, state."""
        recorded = next(each for each in self.recorded.values() if each.id == existing.id)
        delivers = self._delivers[declared.slot]
        is_issued = is_newer or is_reset
        is_activated = is_newer and declared.status is None and existing.status is Status.INACTIVE
        is_delivered = is_issued or delivers or declared.deliver != recorded.deliver
        delivery = self._open_delivery(declared, recorded) if is_delivered else None
        is_new = delivery is not None and is_issued and not is_activated
        finished = delivery.find_finished(existing.id) if delivery is not None and is_new else None
        if delivery is not None:
            delivery.begin(resets=is_issued and finished is None)
        olds = self._olds(recorded)
        if finished is None:
            super()._update(existing, declared, is_newer=is_newer, is_reset=is_reset, is_successor=is_successor)
        outputs = self._outputs(existing.id) | olds
        if is_issued and finished is None:
            outputs["service_password"] = self.passwords[existing.id]
        if delivery is None:
            dropped = {"delivery"} if declared.deliver is None else set()
            self._finished = {name: value for name, value in outputs.items() if name not in dropped}
        elif finished is not None:
            issued = finished.get("issued_at")
            self._finished = {**delivery.without_secret(outputs), **finished}
            self._finished["issued_at"] = recorded.issued if issued is None else type(self.now).fromisoformat(issued)
        else:
            try:
                self._finished = delivery.finish(outputs, olds, is_issued=is_issued, is_lost=delivers)
            except AccountError as error:
                raise DiedError from error  # the state stays as it was; other slots would go on
        if delivery is not None:
            self._write_state()

    def _end(self, credential_id: str, verb: str, *, is_meant: bool = False) -> None:
        super()._end(credential_id, verb, is_meant=is_meant)
        if verb == "reset":
            self.passwords[credential_id] += "+"

    def _may_end(self, credential_id: str) -> bool:
        """Return True also for a password that neither the store nor the state ever had."""
        is_unknown = self.passwords[credential_id] not in self.store.delivered and credential_id not in self.known
        return is_unknown or super()._may_end(credential_id)

    def _open_delivery(self, declared: DesiredCredential, recorded: RecordedCredential | None) -> SecretDelivery | None:
        olds = {} if recorded is None else self._olds(recorded)
        return SecretDelivery.open(cast("Any", self._account), self._open(), _declare(declared), olds)

    def _olds(self, recorded: RecordedCredential) -> dict[str, Any]:
        known = self.known.get(recorded.id)
        outputs: dict[str, Any] = {} if known is None else {"service_password": known}
        outputs |= {} if recorded.deliver is None else {"deliver": recorded.deliver.properties()}
        return outputs | ({} if recorded.delivered is None else {"delivery": recorded.delivered.properties()})

    def _outputs(self, credential_id: str) -> dict[str, Any]:
        return {"credential_id": credential_id, "service": self.desired.service, "service_user_name": "jane-at-1"}

    def _write(self, line: str) -> None:
        self._watch(line)
        super()._write(line)

    def _write_state(self) -> None:
        """Let a run die before it writes its state."""
        if self.writes_left == 0:
            raise DiedError
        if self.writes_left is not None:
            self.writes_left -= 1

    # Rules

    def _watch(self, line: str) -> None:
        """Require that a secret that worked before a run works at each of its writes, unless the run replaces it."""
        replaced = any(each.startswith("replace") for each in self.log)
        if self._watches and not replaced and not self.is_useful():
            self.broken.append(f"the store hands out a dead password before {line}: {self.log}")
            self._watches = False

    def _judge_retirement(self, plan: SlotPlan) -> None:
        """Require that a previous password is retired after a read on a later day or after `by`."""
        rotate = self.desired.rotate
        if plan.retired is None or rotate is None or rotate.retire_by_hours is None:
            return
        issued = self.issued[self.recorded[self.current or 1].id]
        secret = self.store.secrets.get(self.secret)
        is_read = secret is not None and secret.last_read is not None and secret.last_read > issued.date()
        if not is_read and self.now < issued + BY * DAY:
            self.broken.append(f"{plan.retired.id} is retired unread")

    def _find_unhealed(self, plan: SlotPlan) -> Iterator[str]:
        """Yield a store without the current password after a complete run, unless only a person or time can heal it."""
        current = None if self.current is None else self.recorded[self.current]
        if current is None or not self.secret or (plan.is_lost and plan.rotated is None):
            return
        if current.id not in self.existing or self.existing[current.id].status is not Status.ACTIVE:
            return
        is_issued = any(line.startswith(("create", "reset")) for line in self.log)
        if self.desired.rotate is None and not current.has_secret and not is_issued:
            return
        found = self.store.find_password(self.secret)
        if not self.is_useful():
            yield f"the store does not hand out a working password: {self.log}"
        elif found is not None and found[0] != current.id:
            yield f"the store hands out the password of {found[0]}, and {current.id} is the current one"


def _declare(declared: DesiredCredential) -> CredentialInputs:
    return CredentialInputs.declare(declared, declared=2, account=None)


def _read(recorded: RecordedCredential) -> CredentialInputs:
    deliver = None if recorded.deliver is None else recorded.deliver.properties()
    return CredentialInputs(
        user="jane", service=recorded.service, reset=recorded.reset, rotation=recorded.rotation or None, deliver=deliver
    )


def play(policy: DesiredCredential, steps: Sequence[str]) -> list[str]:
    """Return the rules that a history breaks."""
    world = DeliveredWorld(policy)
    with mock.patch.object(delivery_check, "warn"):
        world.up()
        for number, step in enumerate(steps):
            world.act(step, number)
        for _ in range(5):
            world.up()
        if world.log and not world.is_rejected:
            world.broken.append(f"no rest: {world.log}")
        current = world.recorded.get(world.current or 1)
        existing = None if current is None else world.existing.get(current.id)
        if not world.is_rejected and current is not None and existing is not None and existing.status is Status.ACTIVE:
            world.broken += find_wrong_end(world, current)
            world.broken += find_missed_successor(world)
            world.broken += _find_lost(world)
    return world.broken


def _find_lost(world: DeliveredWorld) -> Iterator[str]:
    """Yield a secret that two months of runs have not healed, although the specs declare a rotation."""
    is_rotating = world.desired.rotate is not None and world.desired.rotate.not_before is None
    if is_rotating and world.secret and not world.is_useful():
        yield "the store never gets a working password"


def find_broken_history(count: int, first: int = 0) -> str:
    """Play histories by seed; return a description of the first one that breaks a rule, empty if none does."""
    for seed in range(first, first + count):
        choice = random.Random(seed)  # noqa: S311 - not a secret
        policy = choice.choice(POLICIES)
        steps = [*choice.choice(BEGINNINGS), *choice.choices(DELIVERED_STEPS, k=choice.randrange(1, 16))]
        broken = play(policy, steps)
        if broken:
            return f"seed {seed}, {policy.declared_name}: {steps}: {broken}"
    return ""


if __name__ == "__main__":
    sys.exit(report(find_broken_history))
