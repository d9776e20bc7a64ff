"""What must hold whatever happens, and what is remembered of a history to judge it by."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.clock import START
from tests.simulation.state import Kind
from tests.simulation.world import HUMAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.emulator.models import Credential
    from tests.simulation.engine import Run
    from tests.simulation.state import Resource, Stack
    from tests.simulation.world import World

_DELETE_COMMAND = re.compile(r"--service-specific-credential-id (ACCA\w+)")
_UNKNOWN = re.compile(
    r"does not know (.*?), nor its password|: (.*?) (?:is|are) live already, no resource of this"
    r"|credential \S+ \([^)]*\), which no spec declares and this stack has not"
)
SECOND = 1.0
"""How far from the time of a call a date may be that is cut to the second, on a clock that is known to the second."""

_ID = re.compile(r"ACCA\w{17}")
_RESET_SAID = re.compile(r"may already be reset|is reset already")


@dataclass(frozen=True)
class Violation:
    """A rule that was broken, and how."""

    rule: str
    how: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.how}"


@dataclass
class Record:
    """What the runs of a history did, and which rules they broke in doing it.

    Attributes:
        violations: in the order in which they were found.
        doubtful: ids whose password was reset since the state was written, and by which run (None: a human).
        makers: which run made what.
        lost: what a run made that no state has yet.
        ambiguous: what was made within the time of a lost Create.
        adopted: what was taken over by Reset.
        named: what was taken over because a spec names it.
        owned: what the state of a stack has ever had, by the stack's name.
        touched_by_human: when a human changed what, in the history's seconds.
        quiet: whether nothing but what the specs say can make a run fail.
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
    quiet: bool = False

    def broken(self, rule: str, how: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(rule, how))

    def forget_touches(self, before: float) -> None:
        """What a human did before then can be seen by a run that begins now."""
        self.touched_by_human = {found: when for found, when in self.touched_by_human.items() if when > before}

    # What the wire tells

    def created(self, run: Run, made: Credential) -> None:
        """A run made a credential."""
        self._only_in_update(run, f"created {made.id}")
        run.made.add(made.id)
        self.makers[made.id] = self.lost[made.id] = run
        recorded = {resource.outputs.get("account_id") for resource in run.stack.state} - {None}
        expected = {run.stack.program.account} - {None} | recorded
        if expected - {run.world.account}:
            self.broken("another account", f"{run.stack.name} created {made.id} in account {run.world.account}")

    def switched(self, run: Run, credential_id: str) -> None:
        """A run switched a credential on or off."""
        self._only_in_update(run, f"switched {credential_id}")
        mine = run.owns(credential_id) or credential_id in self.ambiguous
        if credential_id in run.acting:
            self._unmanaged(run, credential_id, "switched off")
        elif not (mine or _may_adopt(run, credential_id) or _names(run, credential_id, "status")):
            self.broken("not ours", f"{run.stack.name} switched {credential_id}, which is not in its state")

    def reset(self, run: Run, credential_id: str) -> None:
        """A run reset a credential."""
        self._only_in_update(run, f"reset {credential_id}")
        self.doubtful[credential_id] = run
        if _looks_made_by(run, credential_id) and not self._is_known_on_machine(run, credential_id):
            self.ambiguous.add(credential_id)
        elif run.owns(credential_id):
            pass
        elif _names(run, credential_id) and not _may_adopt(run, credential_id):
            if not _names(run, credential_id, "reset"):
                self.broken("reset by name", f"{run.stack.name} reset {credential_id}, which it adopts as it is")
        elif _may_adopt(run, credential_id):
            self.adopted.add(credential_id)
        else:
            self.broken("not ours", f"{run.stack.name} reset {credential_id}, which is not in its state")

    def _is_known_on_machine(self, run: Run, credential_id: str) -> bool:
        """Whether another run on the same machine made it, and has recorded that."""
        maker = self.makers.get(credential_id)
        is_here = maker is not None and maker.machine is run.machine
        return is_here and maker is not None and credential_id in self.owned[maker.stack.name]

    def deleted(self, run: Run, credential_id: str) -> None:
        """A run deleted a credential."""
        self._only_in_update(run, f"deleted {credential_id}")
        self.lost.pop(credential_id, None)
        if credential_id in run.acting:
            self._unmanaged(run, credential_id, "deleted")
        elif not run.owns(credential_id):
            self.broken("not ours", f"{run.stack.name} deleted {credential_id}, which is not in its state")

    def _unmanaged(self, run: Run, credential_id: str, done: str) -> None:
        """What is done to an unmanaged credential was shown before, and it was never the stack's own."""
        self.touched_by_human[credential_id] = run.clock.seconds  # for another stack it is somebody's hand
        if credential_id in self.owned[run.stack.name] or run.owns(credential_id) or _names(run, credential_id):
            self.broken("unmanaged is ours", f"{run.stack.name} {done} {credential_id}, which is its own")
        if self.quiet and run.options.preview and credential_id not in run.shown:
            self.broken("unmanaged not shown", f"{run.stack.name} {done} {credential_id}, which no preview showed")

    def _only_in_update(self, run: Run, what: str) -> None:
        if run.previewing:
            self.broken("preview changes", f"a preview {what}")

    # What the engine tells

    def stored(self, run: Run, resource: Resource) -> None:
        """The state was written."""
        self.lost.pop(resource.id, None)
        if resource.kind is not Kind.CREDENTIAL:
            return
        self.owned[run.stack.name].add(resource.id)
        named = {declared.adopt for declared in run.stack.program.declared.values()}
        if resource.id in named - run.made - run.knew:
            self.named.add(resource.id)
        if run.world.secrets.get(resource.id) == password(resource):
            self.doubtful.pop(resource.id, None)

    def dropped(self, run: Run, resource: Resource) -> None:
        """A read said that the credential is gone."""
        if resource.id in run.world.live():
            self.broken("dropped", f"{resource.name}: {resource.id} is live and was taken for gone")

    def gone(self, run: Run, resource: Resource) -> None:
        """A delete said that the credential is gone."""
        if resource.id in run.world.live():
            self.broken("not deleted", f"{resource.name}: {resource.id} is live and was said to be deleted")

    def deleted_for_nothing(self, run: Run, resource: Resource) -> None:
        """A credential was deleted to make place for a new one, and the new one was not made."""
        if self.quiet:
            self.broken("deleted for nothing", f"{resource.name}: {resource.id} has no successor: {run.errors}")

    # What is looked at after every run

    def judge(self, run: Run) -> None:
        """Everything that holds after a run."""
        for crash in run.crashes:
            self.broken("crash", repr(crash))
        said = [*run.errors, *run.warnings]
        for text in said:
            for secret in run.world.issued:
                if secret in text:
                    self.broken("leak", text)
        self._messages(run, said)
        if self.quiet:
            self.agree("preview and update", run.foreseen, run.decisions)
        unforeseen = [text for text in run.errors if not self._is_foreseen(run, text)]
        if run.previewed_without_errors and self.quiet and unforeseen:
            self.broken("preview passed, up failed", "; ".join(unforeseen))
        if not run.failed and run.options.update and not run.options.narrowed:
            self._declared_status(run)

    def agree(self, which: str, first: dict[str, str], second: dict[str, str]) -> None:
        """Decisions of two runs about the same are the same, by resource name and id."""
        for name in sorted(first.keys() & second.keys()):
            if first[name] != second[name]:
                self.broken(f"{which} differ", f"{name}: {first[name]}, then {second[name]}")

    def _is_foreseen(self, run: Run, text: str) -> bool:
        """Whether a preview warned: of a user whom another resource of the program may make, of what is too young."""
        warned = {found for warning in run.warnings for found in _ID.findall(warning)}
        if not run.stack.program.is_yaml and "no IAM user" in text:
            return True
        return bool(warned & set(_ID.findall(text)))

    def _messages(self, run: Run, said: Iterable[str]) -> None:
        for text in said:
            pointed = set(_DELETE_COMMAND.findall(text))
            for sentence in _UNKNOWN.finditer(text):
                pointed |= set(_ID.findall(sentence.group()))
            # What a warning says is unmanaged, another resource may adopt later in the same run.
            for credential_id in pointed & (run.knew if text in run.warnings else run.knew | run.stack.ids()):
                self.broken("points at our own", f"{credential_id} is in the state: {text}")

    def _declared_status(self, run: Run) -> None:
        live = run.world.live()
        for resource in run.stack.state:
            declared = run.stack.program.declared.get(resource.name)
            is_live = resource.id in live and not resource.delete
            shared = {found for name, ids in self.owned.items() if name != run.stack.name for found in ids}
            others = {*self.touched_by_human, *self.adopted, *shared}
            if declared is None or declared.status is None or not is_live or resource.id in others:
                continue
            if any(resource.id in text for text in run.warnings):
                continue  # too young for lists to be believed, and the run says so
            if live[resource.id].switched.value != declared.status:
                self.broken(
                    "status",
                    f"{resource.name}: {resource.id} is {live[resource.id].switched}, declared {declared.status}",
                )

    def judge_stacks(self, world: World, stacks: Iterable[Stack]) -> None:
        """What holds of all stacks together, after every step."""
        owners: dict[str, list[str]] = {}
        for stack in stacks:
            for resource in stack.credentials:
                if not resource.pending_replacement:
                    owners.setdefault(resource.id, []).append(f"{stack.name}:{resource.name}")
        for credential_id, names in owners.items():
            of_one_stack = len({name.partition(":")[0] for name in names}) < len(names)
            if len(names) > 1 and (of_one_stack or credential_id not in self.adopted | self.ambiguous | self.named):
                self.broken("one id twice", f"{credential_id} is of {' and '.join(names)}")
        shared = {credential_id for credential_id, names in owners.items() if len(names) > 1}
        live = world.live()
        for stack in stacks:
            for resource in stack.credentials:
                if (
                    resource.outputs.get("account_id") == world.account
                    and resource.id in live
                    and not resource.delete
                    and resource.id not in shared
                ):
                    self._password(world, stack, resource)

    def _password(self, world: World, stack: Stack, resource: Resource) -> None:
        if password(resource) == world.secrets[resource.id]:
            return
        if password(resource) is None and resource.id in self.named:
            return  # and the stack's outputs say so
        if resource.id in self.doubtful:
            run = self.doubtful[resource.id]
            if run is None or run.dead or any(resource.id in text and _RESET_SAID.search(text) for text in run.errors):
                return
        self.broken(
            "dead password", f"{stack.name}:{resource.name}: the password of {resource.id} in the state does not work"
        )


def password(resource: Resource) -> object:
    """The secret that the state has of a credential."""
    return resource.outputs.get("service_password", resource.outputs.get("service_credential_secret"))


def _may_adopt(run: Run, credential_id: str) -> bool:
    """Whether the stack's program says that it takes over what it finds there."""
    found = run.world.live().get(credential_id)
    return found is not None and any(
        declared.existing == "adopt" and (declared.user, declared.service) == (found.user, found.service)
        for declared in run.stack.program.declared.values()
    )


def _names(run: Run, credential_id: str, *fields: str) -> bool:
    """Whether the stack's program adopts this credential by id, for what it is, and declares these fields."""
    live = run.world.live().get(credential_id)
    return live is not None and any(
        declared.adopt == credential_id
        and (declared.user, declared.service) == (live.user, live.service)
        and all(getattr(declared, field) is not None for field in fields)
        for declared in run.stack.program.declared.values()
    )


def _looks_made_by(run: Run, credential_id: str) -> bool:
    """Whether it was made within the time of a Create of this run that failed, to the second that IAM's dates have.

    Nobody can tell it from what that Create has made, and the product takes it for that.
    """
    found = run.world.live().get(credential_id)
    if found is None or credential_id in run.made:
        return False
    made = (found.created - START).total_seconds()
    return any(
        (user, service) == (found.user, found.service) and began - SECOND - 1 < made < ended + SECOND
        for user, service, began, ended in run.lost
    )


def orphans(world: World, stacks: Iterable[Stack]) -> Iterator[str]:
    """Credentials that a run made and no state has."""
    known = {credential_id for stack in stacks for credential_id in stack.ids()}
    yield from (found for found in world.live() if found not in known and world.makers[found] != HUMAN)
