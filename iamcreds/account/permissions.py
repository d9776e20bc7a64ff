"""The operations that runs call, and why; the IAM policies that they need are made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.model import Desired, DesiredUser

READS = {
    "iam:ListServiceSpecificCredentials": "what is live, all users' a page at a time",
    "iam:ListUsers": "whether the users of new credentials exist",
    "iam:GetUser": "to be sure that a user is missing before saying so",
    "iam:ListAccessKeys": "the access keys of users with an access-key policy",
    "iam:GetAccessKeyLastUsed": "when those keys were last used",
}
"""Every operation that any run calls and that changes nothing, and why; STS GetCallerIdentity needs no permission."""

DRIFT_READS = {
    "iam:GenerateCredentialReport": "to have the report made that says whose access keys need a closer look",
    "iam:GetCredentialReport": "to read it",
}
"""Operations that `iamcreds drift` calls beside READS; without them it reads the access keys of every watched user."""

WRITES = {
    "iam:CreateServiceSpecificCredential": "a credential newly declared",
    "iam:UpdateServiceSpecificCredential": "one switched on or off",
    "iam:ResetServiceSpecificCredential": "a declared reset, or the password of a Create whose answer was lost",
    "iam:DeleteServiceSpecificCredential": "one no longer declared",
}
"""Every operation that is called and changes something, and why."""


MAX_LENGTH = 6_144
"""Characters of a managed policy at most, white space aside (the IAM guide, quotas)."""

MAX_POLICIES = 10
"""Managed policies of a role, unless AWS was asked for more (the IAM guide, quotas)."""

_DELETE = "iam:DeleteServiceSpecificCredential"
_SERVICE = "iam:ServiceSpecificCredentialServiceName"

_Grant = tuple[tuple[str, ...], str]
"""Services, sorted, and a user who is to have credentials for them."""


@dataclass(frozen=True)
class Owner:
    """Whose users are meant.

    Attributes:
        account: 12 digits, None for any account.
        partition: the part of AWS: `aws`, `aws-us-gov` or `aws-cn`.
    """

    account: str | None = None
    partition: str = "aws"

    def user_arn(self, user: str) -> str:
        """The ARN of a user, path included; an asterisk stands for anything."""
        return f"arn:{self.partition}:iam::{self.account or '*'}:user/{user}"


def up_policy(owner: Owner) -> dict[str, Any]:
    """What `pulumi up` needs; the changes are narrowed to the owner's users."""
    return _policy(_statement("Read", READS, "*"), _statement("ChangeCredentials", WRITES, owner.user_arn("*")))


def policies_for_users(desired: Desired, owner: Owner) -> list[dict[str, Any]]:
    """What `pulumi up` needs for these specs: a policy, or several where one would be longer than IAM allows.

    Credentials are made, reset and switched for declared users alone, for the services declared for each. They are
    deleted for every user of the owner: who has left the specs, or was renamed, is declared no more.
    """
    grants = sorted((_list_services(user), user.name) for user in desired.users if user.credentials)
    chosen: list[_Grant] = []
    fixed = _fixed_statements(owner)
    policies = [_policy(*fixed)]
    for grant in grants:
        longer = _policy(*fixed, *_change_statements([*chosen, grant], owner))
        if _length(longer) > MAX_LENGTH:
            chosen, fixed = [], []
            longer = _policy(*_change_statements([grant], owner))
            policies.append(longer)
        policies[-1] = longer
        chosen.append(grant)
    return policies


def policy_for_services(desired: Desired, owner: Owner) -> dict[str, Any]:
    """What `pulumi up` needs for these specs, for any user of the account, and for the declared services alone."""
    services = {service for user in desired.users for service in _list_services(user)}
    return _policy(*_fixed_statements(owner), *_change_statements([(tuple(sorted(services)), "*")], owner))


def _fixed_statements(owner: Owner) -> list[dict[str, Any]]:
    """What no spec narrows."""
    delete = _statement("DeleteCredentials", {_DELETE: WRITES[_DELETE]}, owner.user_arn("*"))
    return [_statement("Read", READS, "*"), delete]


def _list_services(user: DesiredUser) -> tuple[str, ...]:
    return tuple(sorted({credential.service for credential in user.credentials}))


def _change_statements(grants: Iterable[_Grant], owner: Owner) -> Iterator[dict[str, Any]]:
    """For each set of services, what the users may be given; all three operations know the condition key."""
    operations = {operation: why for operation, why in WRITES.items() if operation != _DELETE}
    for number, (services, group) in enumerate(groupby(grants, key=lambda grant: grant[0]), 1):
        users = [user for _, user in group]
        statement = _statement(f"ChangeCredentials{number}", operations, _list_arns(users, owner))
        yield {**statement, "Condition": {"StringEquals": {_SERVICE: list(services)}}}


def _list_arns(users: Sequence[str], owner: Owner) -> list[str]:
    """Each user without a path and below any path, which specs do not tell; a name has neither slash nor asterisk."""
    return [owner.user_arn(f"{path}{user}") for user in users for path in ("", "*/")]


def _length(policy: dict[str, Any]) -> int:
    """As IAM counts."""
    return len(json.dumps(policy, separators=(",", ":")))


def preview_policy() -> dict[str, Any]:
    """What `pulumi preview` needs: nothing that changes anything."""
    return _policy(_statement("Read", READS, "*"))


def drift_policy() -> dict[str, Any]:
    """What `iamcreds drift` and `iamcreds report` need: nothing that changes anything."""
    return _policy(_statement("Read", READS | DRIFT_READS, "*"))


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(name: str, operations: dict[str, str], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": sorted(operations), "Resource": resource}
