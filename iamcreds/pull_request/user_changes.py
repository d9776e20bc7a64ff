"""The changes of IAM users and attached policies in a preview; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from iamcreds.pull_request.changes import Note, RejectedChange, UserAction, UserChange
from iamcreds.pull_request.properties import format_name
from iamcreds.resource_types import IAM_USER_TYPE, POLICY_ATTACHMENT_TYPE, urn_name, urn_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.pull_request.preview import Diagnostic, State, Step

_OF_A_USER = {
    "create": UserAction.CREATE,
    "import": UserAction.IMPORT,
    "update": UserAction.UPDATE,
    "delete": UserAction.DELETE,
    "replace": UserAction.REPLACE,
    "create-replacement": UserAction.REPLACE,
    "delete-replaced": UserAction.REPLACE,
    "import-replacement": UserAction.REPLACE,
}
_OF_A_POLICY = {UserAction.CREATE: UserAction.ATTACH, UserAction.DELETE: UserAction.DETACH}
_NOTES = {
    UserAction.DELETE: Note("IAM rejects the deletion while the user has anything that the stack does not manage"),
    UserAction.RETAIN: Note("stays in IAM unchanged"),
}


def find_rejected_users(diagnostics: Iterable[Diagnostic]) -> dict[str, RejectedChange]:
    """Return the IAM users that the program rejects, by URN. Each has an error with its source location."""
    rejected = {}
    for diagnostic in diagnostics:
        name = urn_name(diagnostic.urn)
        reported = re.fullmatch(rf".+:\d+:\d+: {re.escape(name)}: (.+)", diagnostic.message)
        if diagnostic.severity == "error" and urn_type(diagnostic.urn) == IAM_USER_TYPE and reported:
            rejected[diagnostic.urn] = RejectedChange(name, reported[1])
    return rejected


def find_user_changes(steps: Iterable[Step]) -> Iterator[UserChange]:
    """Yield the change of each user and each attached policy. An import with changes has two steps."""
    per_resource: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        if step.type in (IAM_USER_TYPE, POLICY_ATTACHMENT_TYPE):
            per_resource[step.urn].append(step)
    for of_resource in per_resource.values():
        actions = tuple(dict.fromkeys(action for step in of_resource for action in _find_actions(step)))
        state = of_resource[-1].state
        if actions and state is not None:
            yield _make_change(of_resource[-1], state, actions)


def _find_actions(step: Step) -> Iterator[UserAction]:
    old, new = step.old, step.new
    action = _OF_A_USER.get(step.op)
    if action is UserAction.DELETE and old is not None and old.is_retained:
        yield UserAction.RETAIN
    elif action is not None:
        yield action
    if old is not None and new is not None and old.is_protected != new.is_protected:
        yield UserAction.PROTECT if new.is_protected else UserAction.UNPROTECT


def _make_change(step: Step, state: State, actions: tuple[UserAction, ...]) -> UserChange:
    if step.type == IAM_USER_TYPE:
        notes = [*(_NOTES[action] for action in actions if action in _NOTES), *_note_properties(step, actions)]
        return UserChange(format_name(state, "name", state.name), "", actions, tuple(notes), step.location)
    user, policy = (format_name(state, key, state.name) for key in ("user", "policyArn"))
    actions = tuple(_OF_A_POLICY.get(action, action) for action in actions)
    notes = [_NOTES[action] for action in actions if action is UserAction.RETAIN]
    return UserChange(user, policy, actions, tuple(notes), step.location)


def _note_properties(step: Step, actions: Sequence[UserAction]) -> Iterator[Note]:
    """Yield the names of the properties that an update changes."""
    if UserAction.UPDATE in actions and step.old and step.new:
        before, after = step.old.inputs, step.new.inputs
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        yield from [Note("changes", ", ".join(names))] if names else []
