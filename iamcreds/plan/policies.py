"""Which access-key policies a preview would declare, change or take away; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.plan.changes import PolicyChange
from iamcreds.plan.properties import NOT_SHOWN, format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.plan.preview import State, Step

_TYPE = "dynamic/iam:AccessKeys"
_FIELDS = {"max": "max", "max_age_days": "maxAgeDays", "max_idle_days": "maxIdleDays", "enforce": "enforce"}
"""The fields of a policy: the provider's names, and those of the specs."""


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
    if not isinstance(policy, dict):
        return NOT_SHOWN
    values = [(field, format_value(policy[name])) for name, field in _FIELDS.items() if name in policy]
    return ", ".join(field if value == "true" else f"{field} {value}" for field, value in values) or "no limit"
