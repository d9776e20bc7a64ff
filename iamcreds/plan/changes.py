"""What a preview would do to credentials, in the domain's words, and whether that is too much; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from iamcreds.errors import PreviewError
from iamcreds.plan.preview import MASK
from iamcreds.plan.properties import NOT_SHOWN, Property, properties, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iamcreds.plan.preview import Diagnostic, Preview, State, Step

_CREDENTIAL = re.compile(r"dynamic/iam:\w*Credential")
_ACCESS_KEYS = "dynamic/iam:AccessKeys"
_FRAMES = ("pulumi:pulumi:Stack", "iamcreds:index:SpecFile")
"""Components: nothing in AWS."""

_POLICY_WORDS = {"max": "max", "max_age_days": "maxAgeDays", "max_idle_days": "maxIdleDays", "enforce": "enforce"}


class Action(StrEnum):
    """What is done to a credential; RECORD changes what the state says of it, and nothing in AWS."""

    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"
    RENAME = "rename"
    RESET = "reset"
    SWITCH_OFF = "switch off"
    SWITCH_ON = "switch on"
    PROTECT = "protect"
    UNPROTECT = "unprotect"
    RECORD = "record"


REMOVALS = frozenset({Action.DELETE, Action.REPLACE, Action.RESET, Action.SWITCH_OFF})
"""After these, a password that worked works no more."""

_ACTIONS = {
    "create": Action.CREATE,
    "import": Action.CREATE,
    "delete": Action.DELETE,
    "delete-replaced": Action.DELETE,
    "replace": Action.REPLACE,
    "create-replacement": Action.REPLACE,
    "import-replacement": Action.REPLACE,
    "update": None,
    "same": None,
}
_WITHOUT_EFFECT = frozenset(
    {"refresh", "read", "read-replacement", "read-discard", "discard", "discard-replaced", "remove-pending-replace"}
)


@dataclass(frozen=True, order=True)
class Note:
    """Why, in our words, and the value that it is about, in anybody's."""

    words: str
    value: str = ""


@dataclass(frozen=True, order=True)
class Change:
    """What happens to one credential; `name` is its resource name."""

    user: str
    name: str
    service: str
    actions: tuple[Action, ...]
    notes: tuple[Note, ...] = ()
    properties: tuple[Property, ...] = ()


@dataclass(frozen=True, order=True)
class PolicyChange:
    """An access-key policy of a user that is declared, changed or taken away (None)."""

    user: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Plan:
    """All that a preview would do; `credentials` is how many the stack has before, None where the preview hides it."""

    stack: str
    credentials: int | None
    changes: tuple[Change, ...] = ()
    policies: tuple[PolicyChange, ...] = ()
    others: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing went wrong; findings and warnings alone are for drift runs."""
        return not (self.changes or self.policies or self.others or self.errors)

    @property
    def removals(self) -> int:
        """How many credentials are deleted, replaced, reset or switched off."""
        return sum(not REMOVALS.isdisjoint(one.actions) for one in self.changes)


def plan(preview: Preview) -> Plan:
    """What a preview would do.

    Raises:
        PreviewError: it has a step that nobody knows here.
    """
    seen = {step.old.urn: step.old for step in preview.steps if step.op == "refresh" and step.old}
    last = _last_of_each([step for step in preview.steps if _is_known(step.op)])
    return Plan(
        stack=preview.stack,
        credentials=_credentials(preview),
        changes=tuple(sorted(_changes(last, seen))),
        policies=tuple(sorted(_policies(last))),
        others=tuple(sorted(_others(last))),
        findings=_said(preview.diagnostics, "warning", of_access_keys=True),
        warnings=_said(preview.diagnostics, "warning", of_access_keys=False),
        errors=_said(preview.diagnostics, "error"),
    )


def _is_known(op: str) -> bool:
    if op not in _ACTIONS and op not in _WITHOUT_EFFECT:
        raise PreviewError(f"the preview has a step {op!r}, which this version of iamcreds does not know: update it")
    return op in _ACTIONS


def _last_of_each(steps: Iterable[Step]) -> list[Step]:
    """One step a resource: a replacement may come as three, of which `replace` tells most."""
    ranked = sorted(steps, key=lambda step: (_ACTIONS[step.op] is Action.REPLACE, step.op == "replace"))
    return list({step.urn: step for step in ranked}.values())


def _credentials(preview: Preview) -> int | None:
    """How many credentials the stack has; None where not every resource it has is in the preview."""
    had = {step.old.urn: step.old for step in preview.steps if step.old}
    counted = sum(number for op, number in preview.summary.items() if _ACTIONS.get(op) is not Action.CREATE)
    return sum(_is_credential(old) for old in had.values()) if counted <= len(had) else None


def _is_credential(state: State | None) -> bool:
    return state is not None and _CREDENTIAL.search(state.type) is not None


def _changes(steps: Iterable[Step], seen: Mapping[str, State]) -> Iterator[Change]:
    for step in steps:
        state = step.new or step.old
        actions = tuple(_actions(step))
        if state is not None and _is_credential(state) and actions:
            notes = tuple(_notes(step, actions, seen))
            user, service = (shown(state.inputs.get(name, ""), quoted=False) for name in ("user", "service"))
            yield Change(user, state.name, service, actions, notes, tuple(properties(step.old, step.new)))


def _actions(step: Step) -> Iterator[Action]:
    action = _ACTIONS[step.op]
    if action is not None:
        yield action
    elif step.old and step.new:
        if step.old.name != step.new.name:
            yield Action.RENAME
        if step.op == "update":
            yield from list(_effects(step.old, step.new)) or [Action.RECORD]
        if step.old.is_protected != step.new.is_protected:
            yield Action.PROTECT if step.new.is_protected else Action.UNPROTECT


def _effects(old: State, new: State) -> Iterator[Action]:
    """What an update does in AWS; a declared status acts where the live one is another.

    A trigger that is a secret shows no change, so the worse is believed.
    """
    reset = new.inputs.get("reset")
    if reset == MASK or reset not in (None, old.outputs.get("reset")):
        yield Action.RESET
    if new.inputs.get("status") not in (None, old.outputs.get("status")):
        yield Action.SWITCH_ON if new.inputs["status"] == "Active" else Action.SWITCH_OFF


def _notes(step: Step, actions: Sequence[Action], seen: Mapping[str, State]) -> Iterator[Note]:
    old, new = step.old, step.new
    recorded = seen.get(old.urn if old else step.urn)
    if Action.CREATE in actions and recorded:
        yield Note("somebody deleted it")
    if Action.RENAME in actions and old:
        yield Note("was", old.name)
    if old and recorded and recorded.outputs.get("status") != old.outputs.get("status"):
        yield Note("somebody made it", shown(old.outputs.get("status"), quoted=False))
    if Action.RESET in actions and new:
        yield Note("because of", shown(new.inputs.get("reset"), quoted=False))
    if Action.RECORD in actions:
        yield Note("nothing changes in AWS")
    for reason in step.reasons:
        yield Note("it has expired") if reason == "status" else Note("another", reason)


def _policies(steps: Iterable[Step]) -> Iterator[PolicyChange]:
    """Policies are compared over all files: a user who moves to another one keeps the policy."""
    watchers = [step for step in steps if any(_ACCESS_KEYS in side.type for side in (step.old, step.new) if side)]
    before, after = _by_user(one.old for one in watchers), _by_user(one.new for one in watchers)
    for user in sorted({*before, *after}):
        if before.get(user) != after.get(user):
            yield PolicyChange(user, before.get(user), after.get(user))


def _by_user(states: Iterable[State | None]) -> dict[str, str]:
    found = [state.inputs.get("users") for state in states if state]
    return {user: _policy(policy) for users in found if isinstance(users, dict) for user, policy in users.items()}


def _policy(policy: object) -> str:
    if not isinstance(policy, dict):
        return NOT_SHOWN
    told = [(word, shown(policy[name])) for name, word in _POLICY_WORDS.items() if name in policy]
    return ", ".join(word if value == "true" else f"{word} {value}" for word, value in told) or "no limit"


def _others(steps: Iterable[Step]) -> Iterator[str]:
    """What else the program would do, as `create aws:iam/user:User jane`."""
    for step in steps:
        state = step.new or step.old
        if state is None or step.op == "same" or _is_credential(state):
            continue
        if _ACCESS_KEYS not in state.type and state.type not in _FRAMES:
            yield f"{_ACTIONS[step.op] or step.op} {state.type} {state.name}"


def _said(said: Iterable[Diagnostic], severity: str, *, of_access_keys: bool | None = None) -> tuple[str, ...]:
    wanted = (one for one in said if one.severity == severity and one.message)
    return tuple(sorted({one.message for one in wanted if of_access_keys in (None, _ACCESS_KEYS in one.urn)}))
