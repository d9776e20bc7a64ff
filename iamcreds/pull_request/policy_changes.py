"""The changes of access key policies in a preview; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.pull_request.changes import PolicyChange
from iamcreds.pull_request.properties import NOT_SHOWN, format_value
from iamcreds.resource_types import ACCESS_KEYS_TYPE
from iamcreds.text.formatting import format_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.pull_request.preview import State, Step


def find_policy_changes(steps: Iterable[Step]) -> Iterator[PolicyChange]:
    """Yield the changed policies by user, across all spec files, so a user may move to a different file."""
    watchers = [step for step in steps if step.type == ACCESS_KEYS_TYPE]
    before, after = _collect(step.old for step in watchers), _collect(step.new for step in watchers)
    for user in sorted({*before, *after}):
        if before.get(user) != after.get(user):
            yield PolicyChange(user, before.get(user), after.get(user))


def _collect(states: Iterable[State | None]) -> dict[str, str]:
    declared = [state.inputs.get("users") for state in states if state]
    return {user: _format(policy) for users in declared if isinstance(users, dict) for user, policy in users.items()}


def _format(policy: object) -> str:
    return format_policy(policy, format_value) if isinstance(policy, dict) else NOT_SHOWN
