"""Which access-key policies a preview would declare, change or take away; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.pull_request.changes import PolicyChange
from iamcreds.pull_request.properties import NOT_SHOWN, format_value
from iamcreds.text.formatting import format_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.pull_request.preview import State, Step

_TYPE = "dynamic/iam:AccessKeys"


def is_watcher(type_or_urn: str) -> bool:
    """Whether a resource with this type, or in this URN, watches access keys."""
    return _TYPE in type_or_urn


def compare_policies(steps: Iterable[Step]) -> Iterator[PolicyChange]:
    """The policies that change, by user, over all spec files: a user who moves to another one keeps the policy."""
    watchers = [step for step in steps if is_watcher(step.urn)]
    before, after = _collect(step.old for step in watchers), _collect(step.new for step in watchers)
    for user in sorted({*before, *after}):
        if before.get(user) != after.get(user):
            yield PolicyChange(user, before.get(user), after.get(user))


def _collect(states: Iterable[State | None]) -> dict[str, str]:
    declared = [state.inputs.get("users") for state in states if state]
    return {user: _format(policy) for users in declared if isinstance(users, dict) for user, policy in users.items()}


def _format(policy: object) -> str:
    return format_policy(policy, format_value) if isinstance(policy, dict) else NOT_SHOWN
