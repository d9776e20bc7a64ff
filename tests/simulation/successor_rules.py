"""The rules about the two slots of a credential: passwords in use, leaked passwords, due rotations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from iamcreds.model import Status
from iamcreds.resource_names import split_slot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from tests.simulation.engine import Run
    from tests.simulation.program import Declared
    from tests.simulation.state import Resource, Stack
    from tests.simulation.world import World

MARGIN = timedelta(hours=1)
"""The time before the end of an overlap in which a run may begin and the overlap may end."""


def find_slots(resources: Iterable[Resource], declared: Declared) -> list[Resource]:
    """Return the slots of a declared credential, the current one first; `--target` may leave one its former name."""
    names = {declared.resource_name, *declared.former_names}
    slots = [found for found in resources if split_slot(found.name)[0] in names and not found.delete]
    return sorted(slots, key=lambda found: (-(found.outputs.get("rotation") or 0), split_slot(found.name)[1]))


def is_in_use(resource: Resource, declared: Declared, run: Run, touched: Collection[str]) -> bool:
    """Return True if someone may use the password: of the current credential, or of the previous one in its overlap.

    The previous one may also be in use if the current one does not work, or was deactivated manually.
    """
    current = find_slots(run.stack.credentials, declared)[0]
    if current.id == resource.id:
        return not _is_retired(resource)
    found = run.world.existing().get(current.id)
    if found is not None and found.status(run.world.now()) is Status.INACTIVE and not _is_retired(current):
        return current.id not in touched  # a list that lags may show the current one as Active
    if _is_retired(resource) or current.outputs.get("reset") not in (None, resource.outputs.get("reset")):
        return False
    if found is None or found.status(run.world.now()) is Status.EXPIRED:
        return current.id not in touched
    return run.world.now() + MARGIN < find_overlap_end(current, declared)


def find_overlap_end(current: Resource, declared: Declared) -> datetime:
    """Return the time from which the previous credential may be retired."""
    hours = 0 if declared.rotate is None else declared.rotate.overlap_hours
    return find_issue(current.outputs) + timedelta(hours=hours)


def find_issue(outputs: dict[str, Any]) -> datetime:
    """Return the time of the last create or reset."""
    return datetime.fromisoformat(outputs.get("issued_at", outputs["create_date"]))


def _is_retired(resource: Resource) -> bool:
    return "desired_status" in resource.outputs


def find_rotated(run: Run) -> Iterator[str]:
    """Yield the declared names of the credentials that a run rotated."""
    for name, declared in run.stack.program.declared.items():
        before, after = find_slots(run.before, declared), find_slots(run.stack.credentials, declared)
        slots = {split_slot(found.name)[1] for found in (*before[:1], *after[:1])}
        if declared.rotate is not None and before and after and len(slots) > 1:
            yield name


def is_overdue(slots: Sequence[Resource], declared: Declared, world: World) -> bool:
    """Return True if a rotation is overdue: it does not wait for a date, for an overlap or for a person."""
    policy, current, existing, now = declared.rotate, slots[0], world.existing(), world.now()
    found = existing.get(current.id)
    if policy is None or found is None or found.status(now) is not Status.ACTIVE:
        return False
    if any(other.id in existing and existing[other.id].status(now) is Status.ACTIVE for other in slots[1:]):
        return False  # see is_retirement_overdue
    if policy.not_before is not None and now < policy.not_before:
        return False
    if declared.trigger is not None and current.outputs.get("trigger") not in (None, declared.trigger):
        return True
    return policy.every_hours is not None and find_issue(current.outputs) + timedelta(hours=policy.every_hours) < now


def is_retirement_overdue(slots: Sequence[Resource], declared: Declared, world: World) -> bool:
    """Return True if the overlap has ended, and the previous credential still works next to the current one."""
    existing, now = world.existing(), world.now()
    working = [found for found in slots if found.id in existing and existing[found.id].status(now) is Status.ACTIVE]
    has_ended = find_overlap_end(slots[0], declared) + MARGIN < now
    return declared.rotate is not None and len(working) > 1 and has_ended


@dataclass
class Leaks:
    """The passwords that a `reset` in specs declares as leaked.

    Attributes:
        declared: secrets by id, for each stack, credential and text of `reset`.
        reset: the secrets of completed resets, by id; they must never work again.
    """

    declared: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)
    reset: dict[str, set[str]] = field(default_factory=dict)

    def find(self, stack: Stack, world: World) -> None:
        """Record the passwords of both slots if specs declare a new `reset`."""
        for name, declared in stack.program.declared.items():
            slots = find_slots(stack.credentials, declared)
            is_new = slots and declared.reset not in (None, slots[0].outputs.get("reset"))
            if is_new and declared.reset is not None and declared.has_successors:
                secrets = {found.id: world.secrets[found.id] for found in slots if found.id in world.existing()}
                self.declared.setdefault((stack.name, name, declared.reset), secrets)

    def forget(self, credential_id: str) -> None:
        """Forget the passwords of a credential that a person activates."""
        self.reset.pop(credential_id, None)
        for secrets in self.declared.values():
            secrets.pop(credential_id, None)

    def find_working(self, run: Run) -> Iterator[str]:
        """Yield the ids of credentials whose leaked password works after a run."""
        if not (run.failed or run.options.narrowed or run.options.destroy) and run.options.update:
            self._complete(run.stack)
        for credential_id, found in run.world.existing().items():
            is_active = found.status(run.world.now()) is Status.ACTIVE
            if is_active and run.world.secrets[credential_id] in self.reset.get(credential_id, ()):
                yield credential_id

    def _complete(self, stack: Stack) -> None:
        for stack_name, name, text in list(self.declared):
            declared = stack.program.declared.get(name)
            slots = [] if declared is None else find_slots(stack.credentials, declared)
            if stack.name == stack_name and slots and slots[0].outputs.get("reset") == text:
                for credential_id, secret in self.declared.pop((stack_name, name, text)).items():
                    self.reset.setdefault(credential_id, set()).add(secret)
