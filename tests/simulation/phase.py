"""The preview or update of a run: reads, checks and diffs, steps, deletions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.errors import IamcredsError
from tests.simulation.clock import Group
from tests.simulation.locks import Slots
from tests.simulation.process import plan_slots
from tests.simulation.state import Kind, Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi.dynamic import CheckFailure, CheckResult

    from tests.simulation.engine import Run
    from tests.simulation.program import Goal

THREADS = 4
"""The number of calls that a provider process handles concurrently (fact 14)."""


class Stopped(Exception):  # noqa: N818 - not an error of iamcreds: the engine stops the run
    """The run cannot continue."""


class Phase:
    """The preview or update of a run: its own provider processes, reads, checks, steps and deletions."""

    def __init__(self, run: Run, state: list[Resource]) -> None:
        self.run = run
        run.told.clear()
        run.handed_over = []
        self.state = state
        self.before = [replace(resource) for resource in state]
        self.dry = run.previewing
        self.stopping = False
        self.refused: list[str] = []
        self.reading = run.new_process(run)
        self.checking = run.new_process(run) if run.stack.config_changed else self.reading
        self.slots = Slots(run.clock, THREADS)
        self.steps = Group(run.clock, run)
        self.registered: set[int] = set()
        self.targets = run.options.targets

    def play(self) -> None:
        """Run the whole operation."""
        try:
            self._read_all()
            self._register_all()
        except Stopped:
            pass
        self.steps.wait()
        if self.run.errors and (self.stopping or not self.run.options.go_on):
            return
        self._delete_the_rest()

    # Reads

    def _read_all(self) -> None:
        if not self.run.options.refresh:
            return
        wanted = [
            resource for resource in self.state if self._is_targeted(resource.name) and not resource.pending_replacement
        ]
        self.run.random.shuffle(wanted)
        self.run.clock.gather([lambda resource=resource: self._read(resource) for resource in wanted], self.run)  # type: ignore[misc]
        if self.stopping:
            raise Stopped

    def _read(self, resource: Resource) -> None:
        if self.stopping:
            return
        provider = self.reading[resource.kind]
        found = self._ask(lambda: provider.read(resource.id, crossed(resource.outputs)), resource.name)
        if found is None:
            self.stopping = True  # a read that fails stops the run (fact 32)
        elif not found.id:
            self.run.record.dropped(self.run, resource)
            self.state.remove(resource)
        else:
            olds = resource.inputs
            resource.id, resource.outputs = found.id, crossed(found.outs)
            resource.inputs = crossed(found.inputs) if found.inputs is not None else olds
            refreshed = crossed(resource.outputs)
            answer = self._ask(lambda: provider.diff(resource.id, refreshed, crossed(olds)), resource.name)
            self.stopping = self.stopping or answer is None

    # Checks, diffs and steps

    def _register_all(self) -> None:
        goals = [] if self.run.options.destroy else self._list_goals()
        self.run.random.shuffle(goals)
        for goal in goals:
            if self._is_stopped():
                raise Stopped
            self._register(goal)
        if self.refused:  # the program reports all rejections of a preview at once
            self.run.errors += self.refused
            self.stopping = True
            raise Stopped

    def _list_goals(self) -> list[Goal]:
        """Return the goals of the program, which ends with an error if it cannot read the account."""
        try:
            return self.run.stack.program.goals(
                self.before,
                previewing=self.dry,
                plan=lambda planned, state, program: plan_slots(self.run, planned, state, program),
            )
        except IamcredsError as error:
            self.run.errors.append(str(error))
            self.stopping = True
            raise Stopped from None

    def _register(self, goal: Goal) -> None:
        """Check and diff a resource, and schedule the resulting step."""
        old = self._old(goal)
        if old is not None:
            self.registered.add(id(old))
        if not self._is_targeted(goal.name):
            return
        replaced = old is not None and (old.taint or goal.name in self.run.options.replaced)
        inputs = self._check(goal, {} if old is None or replaced else old.inputs)
        if old is None:
            self._do(lambda: self._create(goal, inputs))
        elif replaced:
            self._replace(goal, inputs, old, delete_first=False)
        else:
            self._diff(goal, old, inputs)

    def _old(self, goal: Goal) -> Resource | None:
        for name in (goal.name, *goal.aliases):
            for resource in self.state:
                if resource.name == name and not resource.delete and id(resource) not in self.registered:
                    return resource
        return None

    def _check(self, goal: Goal, olds: dict[str, Any]) -> dict[str, Any]:
        provider = self.checking[goal.kind]
        answer = self._ask(lambda: provider.check(crossed(olds), crossed(goal.properties)), goal.name)
        if answer is None:
            self.stopping = True
            raise Stopped
        failures: list[CheckFailure] = answer.failures
        self._note_decision(goal, olds, answer)
        if failures:
            self.run.errors += [f"{goal.name}: {resource.property}: {resource.reason}" for resource in failures]
            self.stopping = True
            raise Stopped
        inputs: dict[str, Any] = crossed(answer.inputs)
        if self.dry:
            self.refused += [f"{goal.name}: {sentence}" for sentence in inputs.get("refused", ())]
        if goal.kind is Kind.UNMANAGED and self.dry:
            self.run.shown.update(_acted_on(inputs))
        return inputs

    def _note_decision(self, goal: Goal, olds: dict[str, Any], answer: CheckResult) -> None:
        """Record if a credential is created, adopted (by id) or rejected."""
        refused = answer.failures or answer.inputs.get("refused")
        if goal.kind is Kind.CREDENTIAL and (refused or not olds):
            decision = "rejected" if refused else answer.inputs.get("adopts", "created")
            self.run.decisions[goal.name] = decision

    def _diff(self, goal: Goal, old: Resource, inputs: dict[str, Any]) -> None:
        provider = self.checking[goal.kind]
        answer = self._ask(lambda: provider.diff(old.id, crossed(old.outputs), crossed(inputs)), goal.name)
        if answer is None:
            self.stopping = True
            raise Stopped
        if not (answer.changes or old.pending_replacement):
            old.name, old.inputs, old.protect = goal.name, inputs, goal.protect
        elif not (answer.replaces or old.pending_replacement):
            self._do(lambda: self._update(goal, old, inputs))
        else:
            fresh = self._check(goal, {})
            self._replace(goal, fresh, old, delete_first=bool(answer.delete_before_replace))

    def _replace(self, goal: Goal, inputs: dict[str, Any], old: Resource, *, delete_first: bool) -> None:
        """Replace the old resource, which is deleted first or last; the resource's own option has precedence."""
        if old.protect:
            self.run.errors.append(f"{goal.name}: unable to replace resource, as it is currently marked for protection")
            self.stopping = True
            raise Stopped
        delete_first = delete_first if goal.delete_first is None else goal.delete_first
        if delete_first and not old.pending_replacement:
            self._do(lambda: self._delete_then_create(goal, inputs, old))
        else:
            self._do(lambda: self._create(goal, inputs, old))

    def _create(self, goal: Goal, inputs: dict[str, Any], old: Resource | None = None) -> bool:
        """Create a resource; the replaced one, if any, is marked for deletion."""
        self.run.changes.append(f"create {goal.name}")
        if self.dry:
            return True
        self._note_acting(goal, inputs)
        made = self._ask(lambda: self.checking[goal.kind].create(crossed(inputs)), goal.name)
        if made is None:
            return False
        if old is not None and old.pending_replacement:
            self.state.remove(old)
        elif old is not None:
            old.delete, old.taint, old.name = True, False, goal.name
        new = Resource(goal.name, made.id, inputs, crossed(made.outs), goal.kind, goal.protect)
        self.registered.add(id(new))
        self.state.append(new)
        self.run.record.stored(self.run, new)
        return True

    def _delete_then_create(self, goal: Goal, inputs: dict[str, Any], old: Resource) -> None:
        self.run.changes.append(f"delete {old.name}")
        if self.dry:
            self.run.changes.append(f"create {goal.name}")
            return
        if not self._delete(old):
            return
        self.state.append(old)
        old.pending_replacement, old.name = True, goal.name
        if not self._is_stopped() and not self._create(goal, inputs, old):
            self.run.record.deleted_for_nothing(self.run, old)

    def _update(self, goal: Goal, old: Resource, inputs: dict[str, Any]) -> None:
        self.run.changes.append(f"update {goal.name}")
        if self.dry:
            return
        self._note_acting(goal, inputs)
        provider = self.checking[goal.kind]
        updated = self._ask(lambda: provider.update(old.id, crossed(old.outputs), crossed(inputs)), goal.name)
        if updated is not None:
            old.name, old.inputs, old.outputs = goal.name, inputs, crossed(updated.outs)
            old.protect = goal.protect
            self.run.record.stored(self.run, old)

    def _note_acting(self, goal: Goal, inputs: dict[str, Any]) -> None:
        """Record the ids that the unmanaged-credentials resource is going to change."""
        if goal.kind is Kind.UNMANAGED:
            self.run.acting = _acted_on(inputs)

    # Deletions

    def _delete_the_rest(self) -> None:
        gone = [resource for resource in self.state if resource.delete or id(resource) not in self.registered]
        gone = [resource for resource in gone if self._is_targeted(resource.name)]
        kept = [resource for resource in gone if resource.protect and not resource.delete]
        self.run.errors += [f"{resource.name} cannot be deleted because it is protected" for resource in kept]
        if self._is_stopped():
            return  # the engine rejects them before it deletes anything
        gone = [resource for resource in gone if resource not in kept]
        for resource in gone:
            if resource.pending_replacement:
                self.state.remove(resource)
            elif self.dry:
                if not resource.delete:  # a preview does not show resources that are marked for deletion (fact 18)
                    self.run.changes.append(f"delete {resource.name}")
            else:
                self.run.changes.append(f"delete {resource.name}")
                self._do(lambda resource=resource: self._delete(resource))  # type: ignore[misc]
        self.steps.wait()

    def _delete(self, resource: Resource) -> bool:
        answer = self._ask(lambda: self._deleted(resource), resource.name)
        if answer is None:
            return False
        self.run.record.gone(self.run, resource)
        self.state.remove(resource)
        return True

    def _deleted(self, resource: Resource) -> bool:
        self.checking[resource.kind].delete(resource.id, crossed(resource.outputs))
        return True

    # Requests

    def _is_targeted(self, name: str) -> bool:
        return self.targets is None or name in self.targets

    def _is_stopped(self) -> bool:
        return self.stopping or (bool(self.run.errors) and not self.run.options.go_on)

    def _do(self, step: Callable[[], object]) -> None:
        """Schedule a step, which is skipped if the run has failed by then."""

        def work() -> None:
            if not self._is_stopped():
                step()

        self.steps.add(work)

    def _ask(self, call: Callable[[], Any], name: str) -> Any:  # noqa: ANN401 - any response of a provider
        """Return a provider's response, or None after a failure, which is an error of the run."""
        with self.slots:
            self.run.clock.sleep(self.run.random.random() * 0.01)
            try:
                return call()
            except IamcredsError as error:
                self.run.errors.append(f"{name}: {error}")
            except Exception as error:  # noqa: BLE001 - a bug, and a finding
                self.run.errors.append(f"{name}: unexpected {error!r}")
                self.run.crashes.append(error)
        return None


def _acted_on(inputs: dict[str, Any]) -> set[str]:
    """Return the ids of unmanaged credentials that are to be deactivated or deleted."""
    return {*inputs.get("deactivates", ()), *inputs.get("deletes", ())}


def crossed(properties: Any) -> Any:  # noqa: ANN401 - any property values
    """Return properties as after a transfer through the engine: a copy in which every number is a float."""
    match properties:
        case bool() | str() | None:
            return properties
        case int():
            return float(properties)
        case dict():
            return {name: crossed(value) for name, value in properties.items()}
        case list() | tuple():
            return [crossed(value) for value in properties]
        case _:
            return properties
