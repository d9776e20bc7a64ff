"""The rules that every history must follow, and the facts that they depend on."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.resource_names import slot_name, split_slot
from tests.simulation.clock import START
from tests.simulation.state import Kind
from tests.simulation.successor_rules import Leaks, find_rotated, find_slots, is_in_use
from tests.simulation.world import HUMAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.emulator.models import Credential
    from tests.simulation.engine import Run
    from tests.simulation.program import Declared
    from tests.simulation.state import Resource, Stack
    from tests.simulation.world import World

_DELETE_COMMAND = re.compile(r"--service-specific-credential-id (ACCA\w+)")
_UNKNOWN = re.compile(
    r"unmanaged credentials? .*? already exists?\. Options|credential \S+ \([^)]*\) of user \S+ is unmanaged\."
)
SECOND = 1.0
"""The tolerance for a date that is truncated to the second, on a clock known to the second."""

_ID = re.compile(r"ACCA\w{17}")
_RESET_SAID = re.compile(r"may already be reset|is already reset")


@dataclass(frozen=True)
class Violation:
    """A violation of a rule, with its details."""

    rule: str
    how: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.how}"


@dataclass
class Record:
    """The actions of the runs of a history, and the rules that they broke.

    Attributes:
        violations: in the order of their detection.
        doubtful: ids with a password reset after the last write of the state, and the run (None: a person).
        makers: the run that created each credential.
        lost: the credentials that a run created and that are in no state yet.
        ambiguous: the credentials created within the time of a lost Create.
        adopted: the credentials adopted by Reset.
        named: the credentials imported by a spec.
        owned: all ids that were ever in the state of a stack, by the stack's name.
        touched_by_human: the times of manual changes, in the history's seconds.
        outdated: the credentials whose password is newer than the one in a restored state.
        leaks: the passwords that a `reset` declares as leaked.
        quiet: True if only the specs can make a run fail.
    """

    violations: list[Violation] = field(default_factory=list)
    doubtful: dict[str, Run | None] = field(default_factory=dict)
    makers: dict[str, Run] = field(default_factory=dict)
    lost: dict[str, Run] = field(default_factory=dict)
    ambiguous: set[str] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    owned: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    touched_by_human: dict[str, float] = field(default_factory=dict)
    outdated: set[str] = field(default_factory=set)
    leaks: Leaks = field(default_factory=Leaks)
    quiet: bool = False

    def broken(self, rule: str, how: str) -> None:
        """Record a violation."""
        self.violations.append(Violation(rule, how))

    def forget_touches(self, before: float) -> None:
        """Forget manual changes before that time, because a run that begins now can see them."""
        self.touched_by_human = {found: when for found, when in self.touched_by_human.items() if when > before}

    # Edits and manual changes

    def restored(self, stack: Stack, world: World) -> None:
        """Record that an older state was restored, which lacks newer credentials and passwords."""
        existing = world.existing()
        self.owned[stack.name] = stack.ids()
        for resource in stack.credentials:
            if resource.id in existing and password(resource) != world.secrets[resource.id]:
                self.doubtful[resource.id] = None
                self.outdated.add(resource.id)

    def find_leaked(self, stack: Stack, world: World) -> None:
        """Record the passwords that a new `reset` declares as leaked."""
        self.leaks.find(stack, world)

    def activated_by_human(self, credential_id: str) -> None:
        """Record that a person activated or deactivated a credential, and may use a leaked password."""
        self.leaks.forget(credential_id)

    # Reports of the wire

    def created(self, run: Run, made: Credential) -> None:
        """Record that a run created a credential."""
        self._only_in_update(run, f"created {made.id}")
        run.made.add(made.id)
        self.makers[made.id] = self.lost[made.id] = run
        recorded = {resource.outputs.get("account_id") for resource in run.stack.state} - {None}
        expected = {run.stack.program.account} - {None} | recorded
        if expected - {run.world.account}:
            self.broken("another account", f"{run.stack.name} created {made.id} in account {run.world.account}")

    def find_kept(self, run: Run) -> dict[str, Resource]:
        """Return the credentials with successors that work, and that nothing in specs or options ends, by id."""
        program, options = run.stack.program, run.options
        existing = run.world.existing()
        return {
            resource.id: copy(resource)
            for resource in run.stack.credentials
            if (declared := program.find(resource.name)) is not None
            and self._must_keep(run, resource, declared)
            and not (
                options.destroy or slot_name(declared.resource_name, split_slot(resource.name)[1]) in options.replaced
            )
            and not (resource.delete or resource.pending_replacement or resource.taint)
            and declared.reset in (None, resource.outputs.get("reset"))
            and declared.age_days == resource.outputs.get("age_days")
            and resource.id in existing
            and existing[resource.id].status(run.world.now()) is Status.ACTIVE
            and existing[resource.id].user == resource.outputs["user"] == declared.user
            and resource.id not in self.outdated
        }

    def _must_keep(self, run: Run, resource: Resource, declared: Declared) -> bool:
        """Return True if specs declare successors of the credential, and if someone may use its password."""
        if declared.rotate is not None:
            return is_in_use(resource, declared, run, self.touched_by_human)
        if _is_former_rotation(resource, declared, run.stack):
            return True
        is_kept = "desired_status" not in resource.outputs and not _outlives_current(resource, run.stack)
        return declared.renew_before_hours is not None and is_kept

    def _keeps(self, run: Run, credential_id: str, done: str) -> None:
        """Check that a working credential with successors was not deleted, reset or deactivated without a reason."""
        if credential_id in run.working and credential_id not in self.touched_by_human:
            self.broken("working key", f"{run.stack.name} {done} {run.working[credential_id]}, which works")

    def switched(self, run: Run, credential_id: str, status: Status) -> None:
        """Record that a run activated or deactivated a credential."""
        self._only_in_update(run, f"switched {credential_id}")
        if status is Status.INACTIVE:
            self._keeps(run, credential_id, "deactivated")
        mine = run.owns(credential_id) or credential_id in self.ambiguous
        if credential_id in run.acting:
            self._unmanaged(run, credential_id, "deactivated")
        elif not (mine or _may_adopt(run, credential_id) or _names(run, credential_id, "status")):
            self.broken("not ours", f"{run.stack.name} switched {credential_id}, which is not in its state")

    def reset(self, run: Run, credential_id: str) -> None:
        """Record that a run reset a credential."""
        self._only_in_update(run, f"reset {credential_id}")
        self._keeps(run, credential_id, "reset")
        run.was_reset.add(credential_id)
        self.doubtful[credential_id] = run
        if _looks_made_by(run, credential_id) and not self._is_known_on_machine(run, credential_id):
            self.ambiguous.add(credential_id)
        elif run.owns(credential_id):
            pass
        elif _names(run, credential_id) and not _may_adopt(run, credential_id):
            if not _names(run, credential_id, "reset"):
                self.broken("reset by name", f"{run.stack.name} reset {credential_id}, which it imports unchanged")
        elif _may_adopt(run, credential_id):
            self.adopted.add(credential_id)
        else:
            self.broken("not ours", f"{run.stack.name} reset {credential_id}, which is not in its state")

    def _is_known_on_machine(self, run: Run, credential_id: str) -> bool:
        """Return True if another run on the same machine created the credential and recorded it."""
        maker = self.makers.get(credential_id)
        is_here = maker is not None and maker.machine is run.machine
        return is_here and maker is not None and credential_id in self.owned[maker.stack.name]

    def deleted(self, run: Run, credential_id: str) -> None:
        """Record that a run deleted a credential."""
        self._only_in_update(run, f"deleted {credential_id}")
        former = run.world.former.get(credential_id)
        if former is not None and former.status(run.world.now()) is Status.ACTIVE:
            self._keeps(run, credential_id, "deleted")
        self.lost.pop(credential_id, None)
        if credential_id in run.acting:
            self._unmanaged(run, credential_id, "deleted")
        elif not run.owns(credential_id):
            self.broken("not ours", f"{run.stack.name} deleted {credential_id}, which is not in its state")

    def _unmanaged(self, run: Run, credential_id: str, done: str) -> None:
        """Check that the change of an unmanaged credential was previewed, and that the stack never managed it."""
        self.touched_by_human[credential_id] = run.clock.seconds  # for another stack, this is a manual change
        if credential_id in self.owned[run.stack.name] or run.owns(credential_id) or _names(run, credential_id):
            self.broken("unmanaged is ours", f"{run.stack.name} {done} {credential_id}, which is its own")
        if self.quiet and run.options.preview and credential_id not in run.shown:
            self.broken("unmanaged not shown", f"{run.stack.name} {done} {credential_id}, which no preview showed")

    def _only_in_update(self, run: Run, what: str) -> None:
        if run.previewing:
            self.broken("preview changes", f"a preview {what}")

    # Reports of the engine

    def stored(self, run: Run, resource: Resource) -> None:
        """Record a write of the state."""
        self.lost.pop(resource.id, None)
        if resource.kind is not Kind.CREDENTIAL:
            return
        self.owned[run.stack.name].add(resource.id)
        named = {declared.adopt for declared in run.stack.program.declared.values()}
        if resource.id in named - run.made - run.knew:
            self.named.add(resource.id)
        if run.world.secrets.get(resource.id) == password(resource):
            self.doubtful.pop(resource.id, None)
            self.outdated.discard(resource.id)

    def dropped(self, run: Run, resource: Resource) -> None:
        """Check that a credential that a read reported as gone does not exist."""
        if resource.id in run.world.existing():
            self.broken("dropped", f"{resource.name}: {resource.id} exists and was reported as gone")

    def gone(self, run: Run, resource: Resource) -> None:
        """Check that a credential that a delete reported as deleted does not exist."""
        if resource.id in run.world.existing():
            self.broken("not deleted", f"{resource.name}: {resource.id} exists and was reported as deleted")

    def deleted_for_nothing(self, run: Run, resource: Resource) -> None:
        """Report a credential that was deleted for a replacement that was not created."""
        if self.quiet:
            self.broken("deleted for nothing", f"{resource.name}: {resource.id} has no replacement: {run.errors}")

    # Checks after every run

    def judge(self, run: Run) -> None:
        """Check every rule that applies after a run."""
        for crash in run.crashes:
            self.broken("crash", repr(crash))
        said = [*run.errors, *run.warnings]
        for text in said:
            for secret in run.world.issued:
                if secret in text:
                    self.broken("leak", text)
        self._messages(run, said)
        self._successors(run)
        if self.quiet:
            self.agree("preview and update", run.foreseen, run.decisions)
        unforeseen = [text for text in run.errors if not self._is_foreseen(run, text)]
        if run.previewed_without_errors and self.quiet and unforeseen:
            self.broken("preview passed, up failed", "; ".join(unforeseen))
        if not run.failed and run.options.update and not run.options.narrowed:
            self._declared_status(run)

    def _successors(self, run: Run) -> None:
        """Check that a run left at most one new credential of a declared one with successors."""
        existing = run.world.existing()
        made = Counter(
            declared.resource_name
            for credential_id in (run.made | run.was_reset) & existing.keys()
            for declared in run.stack.program.declared.values()
            if declared.has_successors
            and (declared.user, declared.service) == (existing[credential_id].user, existing[credential_id].service)
        )
        for name in (name for name, number in made.items() if number > 1 and not run.is_forced):
            issued = sorted((run.made | run.was_reset) & existing.keys())
            self.broken("two successors", f"{run.stack.name}: {name} got new passwords of {issued}")
        rotated, limit = sorted(find_rotated(run)), run.stack.program.max_rotations
        if limit is not None and len(rotated) > limit and not run.is_forced:
            self.broken("too many rotations", f"{run.stack.name} rotated {rotated}, more than {limit}")
        for credential_id in self.leaks.find_working(run):
            self.broken("leaked password works", f"{run.stack.name}: {credential_id}")

    def agree(self, which: str, first: dict[str, str], second: dict[str, str]) -> None:
        """Check that the decisions of two runs about the same resources are equal, by resource name and id."""
        for name in sorted(first.keys() & second.keys()):
            if first[name] != second[name]:
                self.broken(f"{which} differ", f"{name}: {first[name]}, then {second[name]}")

    def _is_foreseen(self, run: Run, text: str) -> bool:
        """Return True if a preview warned about it: a user that the program may create, or a young credential."""
        warned = {found for warning in run.warnings for found in _ID.findall(warning)}
        if not run.stack.program.is_yaml and "no IAM user" in text:
            return True
        return bool(warned & set(_ID.findall(text)))

    def _messages(self, run: Run, said: Iterable[str]) -> None:
        for text in said:
            pointed = set(_DELETE_COMMAND.findall(text))
            for sentence in _UNKNOWN.finditer(text):
                pointed |= set(_ID.findall(sentence.group()))
            # A credential in a warning about unmanaged ones may be adopted by another resource of the same run.
            for credential_id in pointed & (run.knew if text in run.warnings else run.knew | run.stack.ids()):
                self.broken("points at our own", f"{credential_id} is in the state: {text}")

    def _declared_status(self, run: Run) -> None:
        existing = run.world.existing()
        for resource in run.stack.state:
            declared = run.stack.program.find(resource.name)
            is_live = resource.id in existing and not resource.delete
            shared = {found for name, ids in self.owned.items() if name != run.stack.name for found in ids}
            others = {*self.touched_by_human, *self.adopted, *shared}
            if declared is None or declared.status is None or not is_live or resource.id in others:
                continue
            if any(resource.id in text for text in run.warnings):
                continue  # too young for reliable lists, and the run warns about it
            if existing[resource.id].stored_status.value != declared.status:
                self.broken(
                    "status",
                    f"{resource.name}: {resource.id} is {existing[resource.id].stored_status},"
                    f" declared {declared.status}",
                )

    def judge_stacks(self, world: World, stacks: Iterable[Stack]) -> None:
        """Check the rules for all stacks together, after every step."""
        owners: dict[str, list[str]] = {}
        for stack in stacks:
            for resource in stack.credentials:
                if not resource.pending_replacement:
                    owners.setdefault(resource.id, []).append(f"{stack.name}:{resource.name}")
        for credential_id, names in owners.items():
            of_one_stack = len({name.partition(":")[0] for name in names}) < len(names)
            if len(names) > 1 and (of_one_stack or credential_id not in self.adopted | self.ambiguous | self.named):
                self.broken("one id twice", f"{credential_id} belongs to {' and '.join(names)}")
        shared = {credential_id for credential_id, names in owners.items() if len(names) > 1}
        existing = world.existing()
        for stack in stacks:
            for resource in stack.credentials:
                if (
                    resource.outputs.get("account_id") == world.account
                    and resource.id in existing
                    and not resource.delete
                    and resource.id not in shared
                ):
                    self._password(world, stack, resource)

    def _password(self, world: World, stack: Stack, resource: Resource) -> None:
        if password(resource) == world.secrets[resource.id]:
            return
        if password(resource) is None and resource.id in self.named:
            return  # and the stack's outputs state that
        if resource.id in self.doubtful:
            run = self.doubtful[resource.id]
            if run is None or run.dead or any(resource.id in text and _RESET_SAID.search(text) for text in run.errors):
                return
        self.broken(
            "dead password", f"{stack.name}:{resource.name}: the password of {resource.id} in the state does not work"
        )


def _is_former_rotation(resource: Resource, declared: Declared, stack: Stack) -> bool:
    """Return True if it is the current one of two slots that specs no longer declare."""
    slots = find_slots(stack.credentials, declared)
    is_current = len(slots) > 1 and slots[0].id == resource.id
    return is_current and declared.status is None and not declared.has_successors


def _outlives_current(resource: Resource, stack: Stack) -> bool:
    """Return True if it is not the current one but newer, or has a longer lifetime, and so leaves no room for long."""
    name = split_slot(resource.name)[0]
    slots = [found.outputs for found in stack.credentials if split_slot(found.name)[0] == name]
    current = max(slots, key=lambda outputs: outputs.get("rotation") or 0)
    issued = datetime.fromisoformat(current.get("issued_at", current["create_date"]))
    is_newer = datetime.fromisoformat(resource.outputs["create_date"]) > issued - timedelta(minutes=1)
    has_other_age = resource.outputs.get("age_days") != current.get("age_days")
    return current["credential_id"] != resource.id and (is_newer or has_other_age)


def password(resource: Resource) -> object:
    """Return the secret of a credential in the state."""
    return resource.outputs.get("service_password", resource.outputs.get("service_credential_secret"))


def _may_adopt(run: Run, credential_id: str) -> bool:
    """Return True if the stack's program declares `existing: adopt` for the credential's user and service."""
    found = run.world.existing().get(credential_id)
    return found is not None and any(
        declared.existing == "adopt" and (declared.user, declared.service) == (found.user, found.service)
        for declared in run.stack.program.declared.values()
    )


def _names(run: Run, credential_id: str, *fields: str) -> bool:
    """Return True if the stack's program imports this credential by id and declares these fields."""
    existing = run.world.existing().get(credential_id)
    return existing is not None and any(
        declared.adopt == credential_id
        and (declared.user, declared.service) == (existing.user, existing.service)
        and all(getattr(declared, field) is not None for field in fields)
        for declared in run.stack.program.declared.values()
    )


def _looks_made_by(run: Run, credential_id: str) -> bool:
    """Return True if it was created within the time of a failed Create of this run, to the second of IAM's dates.

    It cannot be distinguished from the result of that Create, and the product treats it as such.
    """
    found = run.world.existing().get(credential_id)
    if found is None or credential_id in run.made:
        return False
    made = (found.created - START).total_seconds()
    return any(
        (user, service) == (found.user, found.service) and began - SECOND - 1 < made < ended + SECOND
        for user, service, began, ended in run.lost
    )


def orphans(world: World, stacks: Iterable[Stack]) -> Iterator[str]:
    """Yield the credentials that a run created and that are in no state."""
    known = {credential_id for stack in stacks for credential_id in stack.ids()}
    yield from (found for found in world.existing() if found not in known and world.makers[found] != HUMAN)
