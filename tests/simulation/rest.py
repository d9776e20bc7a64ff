"""The end of a history: three quiet updates of every stack converge, or fail with a reason and a solution."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.resource_names import slot_name, split_slot
from tests.simulation.engine import Run
from tests.simulation.process import new_process
from tests.simulation.rules import orphans, password
from tests.simulation.state import Options
from tests.simulation.successor_rules import find_slots, is_overdue, is_retirement_overdue
from tests.simulation.world import USERS, Conditions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.clock import Clock
    from tests.simulation.program import Declared
    from tests.simulation.rules import Record
    from tests.simulation.state import Resource, Stack
    from tests.simulation.world import World

QUIET_UPS = 3
WAYS_OUT = 6
"""The maximum number of solutions to apply."""

PAUSE = 600.0
"""The seconds before every quiet update, after which no list lags and no credential is young."""

_ID = re.compile(r"ACCA\w{17}")
_DELETE_COMMAND = re.compile(r"--service-specific-credential-id (ACCA\w+)")
_NO_PLACE = re.compile(r"(\S+): (?:: )?quota exceeded: IAM allows two")
_ADOPTING = re.compile(
    r"(\S+): (?:: )?cannot import credential ACCA\w+ as a \S+ credential of user \S+: (?!it does not exist)"
)
_PROTECTED = re.compile(
    r"(\S+?):?(?: :)? (?:\S+ credential(?: ACCA\w+)? of user \S+ is protected|cannot be deleted because"
    r"|unable to replace)"
)
_RENAMED = re.compile(r"has no IAM user ([\w-]+): IAM renamed it to ([\w-]+)")


class Rest:
    """The final part of a history.

    Args:
        clock: the clock of the history.
        worlds: the account, and another one.
        stacks: all stacks.
        record: receives violations.
        end: is called after every run.
        tell: receives a line about each event.
    """

    def __init__(  # noqa: PLR0913 - the properties of a history
        self,
        *,
        clock: Clock,
        worlds: tuple[World, World],
        stacks: list[Stack],
        record: Record,
        end: Callable[[Run], None],
        tell: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._world, self._elsewhere = worlds
        self._stacks = stacks
        self._record = record
        self._end = end
        self._tell = tell
        self._seeds = count(1)

    def play(self) -> None:
        """Play quiet updates of every stack, and check the result."""
        self._tell("- all is quiet")
        self._world.conditions = Conditions()
        for stack in self._stacks:
            if stack.state or stack.program.declared:
                self._converge(stack)
        for found in orphans(self._world, self._stacks):
            self._judge_orphan(found)

    def _converge(self, stack: Stack) -> None:
        for _ in range(WAYS_OUT):
            run = self._quiet_ups(stack)
            if not run.failed:
                self._judge_converged(run)
                return
            if not self._take_a_way_out(run):
                break
        self._record.broken("no way out", f"{stack.name}: {'; '.join(run.errors)}")

    def _compare_orders(self, stack: Stack) -> None:
        """Preview twice, with resources in two orders, and then update with `--continue-on-error`."""
        previews = [self._quiet_run(stack, Options(update=False)) for _ in range(2)]
        self._record.agree("orders", previews[0].foreseen, previews[1].foreseen)
        if stack.program.is_yaml and not self._others_fail(previews[0]):
            update = self._quiet_run(stack, Options(go_on=True))
            self._record.agree("preview and update", previews[1].foreseen, update.decisions)

    @staticmethod
    def _others_fail(run: Run) -> bool:
        """Return True if the preview has errors other than rejections."""
        return len(run.errors) > sum(decision == "rejected" for decision in run.foreseen.values())

    def _quiet_ups(self, stack: Stack) -> Run:
        self._compare_orders(stack)
        for _ in range(QUIET_UPS + self._count_deferred(stack)):
            run = self._quiet_run(stack, Options(preview=True))
        return run

    def _count_deferred(self, stack: Stack) -> int:
        """Return the number of updates that rotations may need in addition because of their limit."""
        return 0 if stack.program.max_rotations is None else len(stack.program.declared)

    def _quiet_run(self, stack: Stack, options: Options) -> Run:
        self._clock.seconds += PAUSE
        self._record.quiet = True
        self._record.forget_touches(self._clock.seconds)
        self._tell(f"- {stack.name}: a quiet {'up' if options.update else 'preview'}")
        run = Run(stack, self._home(stack), options, self._record, seed=next(self._seeds), new_process=new_process)
        run.start()
        self._clock.play()
        self._end(run)
        return run

    def _home(self, stack: Stack) -> World:
        """Return the account of the stack's state."""
        accounts = {resource.outputs.get("account_id") for resource in stack.state}
        return self._elsewhere if self._elsewhere.account in accounts else self._world

    # Solutions

    def _take_a_way_out(self, run: Run) -> bool:
        """Apply the solutions that the failure names; return True if there is one."""
        text = "; ".join(run.errors)
        if "this resource is declared for account" in text:  # not the state's account, and a user must decide
            run.stack.program.account = run.world.account
            return True
        ways = (
            self._follow_renamed, self._add_users, self._make_place, self._create_instead, self._unprotect,
            self._declare_later,
        )  # fmt: skip
        taken = [way(run, text) for way in ways]
        return any(taken)

    def _declare_later(self, run: Run, text: str) -> bool:
        """Declare a credential without free quota only after an update has deleted the old one."""
        declared = run.stack.program.declared
        waiting: dict[str, Declared] = {}
        for _ in range(WAYS_OUT):
            names = [name for name in _NO_PLACE.findall(text) if name in declared]
            waiting |= {name: declared.pop(name) for name in names}
            if not names and not (waiting and self._unprotect(run, text)):
                break
            self._tell(f"- way out: {' and '.join(names)}  wait for a completed update")
            text = "; ".join(self._quiet_ups(run.stack).errors)
        declared |= waiting
        return bool(waiting)

    def _create_instead(self, run: Run, text: str) -> bool:
        """Remove `adopt` from declarations whose credential cannot be adopted."""
        names = [name for name in _ADOPTING.findall(text) if name in run.stack.program.declared]
        for name in names:
            self._tell(f"- way out: {name} no longer adopts a credential")
            run.stack.program.change(name, {"adopt": None, "password": None})
        return bool(names)

    def _unprotect(self, run: Run, text: str) -> bool:
        names = {split_slot(name)[0] for name in _PROTECTED.findall(text)}
        for name in names:
            self._tell(f"- way out: {name} is no longer protected")
            declared = run.stack.program.declared.get(name)
            for each in (name, *(() if declared is None else declared.former_names)):
                run.stack.unprotect(each)
                run.stack.unprotect(slot_name(each, 2))
            run.stack.program.change(name, {"protect": False})
        return bool(names)

    def _follow_renamed(self, run: Run, text: str) -> bool:
        renamed = dict(_RENAMED.findall(text))
        for user, new_name in renamed.items():
            self._tell(f"- way out: the credentials of user {user} are declared for {new_name}")
            run.stack.program.rename_user(user, new_name)
        return bool(renamed)

    def _add_users(self, run: Run, text: str) -> bool:
        missing = [user for user in USERS if user not in run.world.users and f"no IAM user {user}" in text]
        missing += [user for user in USERS if user not in run.world.users and f"for user {user}: the account" in text]
        for user in missing:
            self._tell(f"- way out: the user {user} is created")
            run.world.add_user(user)
        return bool(missing)

    def _make_place(self, run: Run, text: str) -> bool:
        """Delete credentials named as unmanaged; if another stack has one, remove its declaration here."""
        others = {found for stack in self._stacks if stack is not run.stack for found in stack.ids()}
        commanded = set(_DELETE_COMMAND.findall(text))
        taken = False
        errors = (error for error in run.errors if not (_NO_PLACE.search(error) or _PROTECTED.search(error)))
        named = "; ".join(error for error in errors if _DELETE_COMMAND.search(error) or not _ADOPTING.search(error))
        for found in dict.fromkeys(_ID.findall(named)):
            existing = run.world.existing().get(found)
            if existing is None or found in run.stack.ids():
                continue
            if found in others:
                self._tell(f"- way out: another stack has {found}, and {run.stack.name} no longer declares its group")
                run.stack.program.drop_all_of(existing.user, existing.service)
            elif found in commanded or not commanded:
                self._tell(f"- way out: {found} is deleted")
                run.world.delete(existing.user, found)
            taken = True
        return taken

    # Conditions

    def _judge_converged(self, run: Run) -> None:
        """Check that the last update changed nothing, and that the existing credentials are as declared."""
        stack = run.stack
        if run.changes:
            self._record.broken("does not converge", f"{stack.name}: up after up: {run.changes}")
        names = sorted(resource.name for resource in stack.credentials)
        wanted = sorted(stack.program.declared)
        if sorted(self._list_declared(stack)) != wanted:
            self._record.broken("not as declared", f"{stack.name}: state has {names}, not {wanted}")
            return
        for resource in stack.credentials:
            if resource.id not in self._record.ambiguous and not self._is_as_declared(stack, resource):
                self._record.broken("not as declared", f"{stack.name}: {resource}, {resource.outputs}")
        for name, declared in stack.program.declared.items():
            self._judge_rotation(stack, declared)
            if declared.renew_before_hours is not None and not self._is_renewed(stack, name, declared):
                slots = {found.name: found.outputs for found in stack.credentials if split_slot(found.name)[0] == name}
                self._record.broken("not renewed", f"{stack.name}: {slots}")
            if declared.has_successors:
                self._judge_reset(stack, name)

    def _judge_rotation(self, stack: Stack, declared: Declared) -> None:
        """Check that no rotation and no retirement is overdue."""
        slots, world = find_slots(stack.credentials, declared), self._home(stack)
        if slots and is_overdue(slots, declared, world):
            self._record.broken("not rotated", f"{stack.name}: {[found.outputs for found in slots]}")
        if slots and is_retirement_overdue(slots, declared, world):
            self._record.broken("not retired", f"{stack.name}: {[found.outputs for found in slots]}")

    def _list_declared(self, stack: Stack) -> list[str]:
        """Return the declared names of the state's resources; only some credentials may have two, once each."""
        names = [resource.name for resource in stack.credentials]
        slots = [name for name in names if self._may_have_two(stack, split_slot(name)[0])]
        once = [name for name in names if name not in slots]
        return once + (sorted({split_slot(name)[0] for name in slots}) if len(slots) == len(set(slots)) else slots)

    def _may_have_two(self, stack: Stack, name: str) -> bool:
        """Return True for a credential with successors, and for one whose current key a person deactivated."""
        declared, existing = stack.program.declared.get(name), self._home(stack).existing()
        slots = [found for found in stack.credentials if split_slot(found.name)[0] == name]
        current = max(slots, key=lambda found: found.outputs.get("rotation") or 0)
        is_inactive = current.id in existing and existing[current.id].stored_status is Status.INACTIVE
        return declared is not None and (declared.has_successors or (declared.status is None and is_inactive))

    def _is_renewed(self, stack: Stack, name: str, declared: Declared) -> bool:
        """Return True if a key works and is not due for renewal, or if someone deactivated the current one."""
        existing, now = self._home(stack).existing(), self._clock.now()
        slots = [found for found in stack.credentials if split_slot(found.name)[0] == name]
        current = max(slots, key=lambda found: (found.outputs.get("rotation") or 0, found.name == name))
        found = existing.get(current.id)
        if found is None or current.id in self._record.named | self._record.ambiguous:
            return True  # reported by other rules, or without the declared expiry
        if found.stored_status is Status.INACTIVE or current.outputs.get("deactivated"):
            return True
        others = [existing[slot.id] for slot in slots if slot.id != current.id and slot.id in existing]
        if any(other.expires and found.expires and now < other.expires < found.expires for other in others):
            return True  # there is no room before the previous one expires
        before = timedelta(hours=declared.renew_before_hours or 0)
        return found.expires is not None and found.expires - before > now

    def _judge_reset(self, stack: Stack, name: str) -> None:
        """Check that after a `reset` of the current key no previous one works, unless a person deactivated it."""
        existing = self._home(stack).existing()
        slots = [found for found in stack.credentials if split_slot(found.name)[0] == name and found.id in existing]
        current = max(slots, key=lambda found: found.outputs.get("rotation") or 0, default=None)
        if current is None or existing[current.id].status(self._clock.now()) is not Status.ACTIVE:
            return
        for other in slots:
            is_older = current.outputs.get("reset") not in (None, other.outputs.get("reset"))
            if is_older and existing[other.id].status(self._clock.now()) is Status.ACTIVE:
                self._record.broken("leaked key works", f"{stack.name}: {other}, {current}")

    def _is_as_declared(self, stack: Stack, resource: Resource) -> bool:
        declared = stack.program.declared[split_slot(resource.name)[0]]
        existing = self._home(stack).existing().get(resource.id)
        return (
            existing is not None
            and (existing.user, existing.service) == (declared.user, declared.service)
            and (self._has_expiry_as_declared(stack, resource, declared) or resource.id in self._record.named)
            and (password(resource) is not None or (resource.id in self._record.named and declared.reset is None))
        )

    def _has_expiry_as_declared(self, stack: Stack, resource: Resource, declared: Declared) -> bool:
        """Return True also for a previous credential, and while `notBefore` defers a changed `expire`."""
        current, *_ = find_slots(stack.credentials, declared) or [resource]
        existing = self._home(stack).existing()[resource.id]
        is_previous = declared.has_successors and current.id != resource.id
        start = None if declared.rotate is None else declared.rotate.not_before
        if is_previous or (start is not None and start > self._clock.now()):
            return True
        return (existing.expires is None) == (declared.age_days is None)

    def _judge_orphan(self, credential_id: str) -> None:
        """Check that every orphan of a run was reported, unless the run was killed."""
        run = self._record.lost.get(credential_id)
        user = self._world.existing()[credential_id].user.removesuffix("-new")
        if run is None or run.dead or any(credential_id in text or user in text for text in run.errors):
            return
        self._record.broken("orphan", f"{run.stack.name} made {credential_id} without a report")
