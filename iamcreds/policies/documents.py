"""IAM policies as documents: their owner, their statements, and their distribution over several policies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MAX_LENGTH = 6_144
"""Maximum number of characters of a managed policy without white space (IAM User Guide, quotas)."""

MAX_POLICIES = 10
"""Default quota of managed policies per role (IAM User Guide, quotas)."""

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Owner:
    """The owner of the users and secrets in a policy.

    Attributes:
        account: the 12-digit account ID; None for any account.
        partition: the AWS partition: `aws`, `aws-us-gov` or `aws-cn`.
    """

    account: str | None = None
    partition: str = "aws"

    def user_arn(self, user: str) -> str:
        """Return the ARN of a user, which may include a path; an asterisk is a wildcard."""
        return self.arn("iam", "", f"user/{user}")

    def arn(self, service: str, region: str, resource: str) -> str:
        """Return the ARN of a resource; an asterisk is a wildcard."""
        return f"arn:{self.partition}:{service}:{region}:{self.account or '*'}:{resource}"


def make_policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """Return a policy with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def make_statement(
    name: str, operations: Iterable[str], resource: str | list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a statement that allows the operations."""
    statement = {"Sid": name, "Effect": "Allow", "Action": sorted(operations), "Resource": resource}
    return statement if condition is None else {**statement, "Condition": condition}


def fill_policies(
    items: Iterable[_Item], fixed: list[dict[str, Any]], write: Callable[[list[_Item]], Iterator[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return policies with the fixed statements and those of the items, each with as many items as fit."""
    selected: list[_Item] = []
    policies = [make_policy(*fixed)]
    for item in items:
        longer = make_policy(*fixed, *write([*selected, item]))
        if _count_characters(longer) > MAX_LENGTH:
            selected, fixed = [], []
            longer = make_policy(*write([item]))
            policies.append(longer)
        policies[-1] = longer
        selected.append(item)
    return policies


def extend_policies(
    policies: list[dict[str, Any]],
    items: Sequence[_Item],
    fixed: list[dict[str, Any]],
    write: Callable[[list[_Item]], Iterator[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Return the policies with further fixed statements and items, if there are items, in the last one if they fit."""
    if not items:
        return policies
    *full, last = policies
    statements = [*last["Statement"], *fixed]
    if _count_characters(make_policy(*statements)) > MAX_LENGTH:
        full, statements = policies, fixed
    return [*full, *fill_policies(items, statements, write)]


def _count_characters(policy: dict[str, Any]) -> int:
    """Return the number of characters as IAM counts them."""
    return len(json.dumps(policy, separators=(",", ":")))
