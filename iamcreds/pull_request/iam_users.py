"""Which IAM users and attached policies a preview would make, change or take away; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from iamcreds.pull_request.changes import Note, Refusal, UserAction, UserChange
from iamcreds.pull_request.properties import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.pull_request.preview import Diagnostic, State, Step

_USER = "aws:iam/user:User"
_ATTACHMENT = "aws:iam/userPolicyAttachment:UserPolicyAttachment"

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
    UserAction.DELETE: Note("IAM refuses as long as the user has anything that is not the stack's"),
    UserAction.LET_GO: Note("stays in IAM as it is"),
}


def is_of_an_iam_user(type_: str) -> bool:
    """Whether a resource of this type is an IAM user, or a policy attached to one."""
    return type_ in (_USER, _ATTACHMENT)


def count_iam_users(states: Iterable[State]) -> int:
    """How many of these are IAM users."""
    return sum(state.type == _USER for state in states)


def find_user_refusals(diagnostics: Iterable[Diagnostic]) -> dict[str, Refusal]:
    """Return the IAM users that the program rejects, by URN: it reports each at its resource, with its location."""
    refusals = {}
    for found in diagnostics:
        parent, is_of_type, name = found.urn.partition(f"{_USER}::")
        reported = re.fullmatch(rf".+:\d+:\d+: {re.escape(name)}: (.+)", found.message)
        if found.severity == "error" and is_of_type and parent.endswith(("::", "$")) and reported:
            refusals[found.urn] = Refusal(name, reported[1])
    return refusals


def find_user_changes(steps: Iterable[Step]) -> Iterator[UserChange]:
    """What happens to each user and each attached policy; of an import that changes something there are two steps."""
    found: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        state = step.new or step.old
        if state is not None and is_of_an_iam_user(state.type):
            found[step.urn].append(step)
    for same in found.values():
        actions = tuple(dict.fromkeys(action for step in same for action in _find_actions(step)))
        if actions:
            yield _make_change(same, actions)


def _find_actions(step: Step) -> Iterator[UserAction]:
    old, new = step.old, step.new
    action = _OF_A_USER.get(step.op)
    if action is UserAction.DELETE and old is not None and old.is_retained:
        yield UserAction.LET_GO
    elif action is not None:
        yield action
    if old is not None and new is not None and old.is_protected != new.is_protected:
        yield UserAction.PROTECT if new.is_protected else UserAction.UNPROTECT


def _make_change(steps: Sequence[Step], actions: tuple[UserAction, ...]) -> UserChange:
    last = steps[-1]
    state = last.new or last.old
    assert state is not None  # noqa: S101 - those alone are looked at
    place = last.new.place if last.new else ""
    if state.type == _USER:
        notes = [*(_NOTES[action] for action in actions if action in _NOTES), *_note_properties(last, actions)]
        return UserChange(_text(state, "name"), "", actions, tuple(notes), place)
    actions = tuple(_OF_A_POLICY.get(action, action) for action in actions)
    notes = [_NOTES[action] for action in actions if action is UserAction.LET_GO]
    return UserChange(_text(state, "user"), _text(state, "policyArn"), actions, tuple(notes), place)


def _note_properties(step: Step, actions: Sequence[UserAction]) -> Iterator[Note]:
    """Which properties an update changes, by name."""
    if UserAction.UPDATE in actions and step.old and step.new:
        before, after = step.old.inputs, step.new.inputs
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        yield from [Note("changes", ", ".join(names))] if names else []


def _text(state: State, name: str) -> str:
    return format_value(state.inputs.get(name, state.name), quoted=False)
