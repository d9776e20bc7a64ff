"""The operations that runs call, with their purposes, and the IAM policies that permit them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from iamcreds.desired import Desired, DesiredUser

READS = {
    "iam:ListServiceSpecificCredentials": "existing credentials of all users, page by page",
    "iam:ListUsers": "existence of the users of new credentials",
    "iam:GetUser": "confirmation that a user does not exist",
    "iam:ListAccessKeys": "access keys of users with an access key policy",
    "iam:GetAccessKeyLastUsed": "last use of these access keys",
}
"""The read operations of every run, with their purposes; STS GetCallerIdentity needs no permission."""

DRIFT_READS = {
    "iam:GenerateCredentialReport": "credential report that selects the users whose access keys are read",
    "iam:GetCredentialReport": "the content of this report",
}
"""Further operations of `iamcreds drift`. Without them, it reads the access keys of every user with a policy."""

WRITES = {
    "iam:CreateServiceSpecificCredential": "a newly declared credential",
    "iam:UpdateServiceSpecificCredential": "activation or deactivation",
    "iam:ResetServiceSpecificCredential": "a declared reset, or the password after a lost response to Create",
    "iam:DeleteServiceSpecificCredential": "a credential that is no longer declared",
}
"""The write operations, with their purposes."""

USER_READS = {"iam:ListAttachedUserPolicies": "policies attached to users with `iamUser`"}
"""Further read operations of pulumi-aws (by its documentation and that of AWS's operations)."""

USER_WRITES = {
    "iam:CreateUser": "a newly declared user",
    "iam:UpdateUser": "a changed path",
    "iam:TagUser": "declared tags",
    "iam:UntagUser": "tags that are no longer declared",
    "iam:DeleteUserPermissionsBoundary": "a boundary that is no longer declared",
}
"""Write operations of pulumi-aws for declared users, except for boundaries and attachments; from the same sources."""

USER_DELETES = {
    "iam:DeleteUser": "a user who is no longer declared",
    "iam:DetachUserPolicy": "a policy that is no longer declared",
    "iam:ListGroupsForUser": "deletion of a user",
}
"""Operations of pulumi-aws for removed users and policies. Removal of users from groups is not among them."""


MAX_LENGTH = 6_144
"""Maximum number of characters of a managed policy without white space (IAM User Guide, quotas)."""

MAX_POLICIES = 10
"""Default quota of managed policies per role (IAM User Guide, quotas)."""

_DELETE = "iam:DeleteServiceSpecificCredential"
_SERVICE = "iam:ServiceSpecificCredentialServiceName"

_Item = TypeVar("_Item")
_Grant: TypeAlias = tuple[tuple[str, ...], str]
"""Services, sorted, and a user with declared credentials for them."""


@dataclass(frozen=True, order=True)
class _IamUser:
    """A user with `iamUser`, with the ARNs of the policies and of the boundary (empty without one)."""

    policies: tuple[str, ...]
    boundary: str
    user: str


@dataclass(frozen=True)
class Owner:
    """The owner of the users in a policy.

    Attributes:
        account: the 12-digit account ID; None for any account.
        partition: the AWS partition: `aws`, `aws-us-gov` or `aws-cn`.
    """

    account: str | None = None
    partition: str = "aws"

    def user_arn(self, user: str) -> str:
        """Return the ARN of a user, which may include a path; an asterisk is a wildcard."""
        return f"arn:{self.partition}:iam::{self.account or '*'}:user/{user}"


def up_policy(owner: Owner) -> dict[str, Any]:
    """Return the policy for `pulumi up`; it limits changes to the owner's users."""
    return _policy(_statement("Read", READS, "*"), _statement("ChangeCredentials", WRITES, owner.user_arn("*")))


def policies_for_users(desired: Desired, owner: Owner) -> list[dict[str, Any]]:
    """Return the policies for `pulumi up` with these specs: one, or several if one would exceed IAM's size quota.

    Creating, resetting, activating and deactivating credentials is limited to declared users and the services declared
    for each. Deleting is permitted for every user of the owner, because removed and renamed users are not declared.
    """
    grants = sorted((_list_services(user), user.name) for user in desired.users if user.credentials)
    policies = _fill(grants, _fixed_statements(owner), lambda selected: _change_statements(selected, owner))
    iam_users = _list_iam_users(desired)
    if not iam_users:
        return policies
    *full, last = policies
    fixed = [*last["Statement"], *_fixed_user_statements(owner)]
    if _length(_policy(*fixed)) > MAX_LENGTH:
        full, fixed = policies, _fixed_user_statements(owner)
    return [*full, *_fill(iam_users, fixed, lambda selected: _user_statements(selected, owner))]


def _fill(
    items: Iterable[_Item], fixed: list[dict[str, Any]], write: Callable[[list[_Item]], Iterator[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return policies with the fixed statements and those of the items, each with as many items as fit."""
    selected: list[_Item] = []
    policies = [_policy(*fixed)]
    for item in items:
        longer = _policy(*fixed, *write([*selected, item]))
        if _length(longer) > MAX_LENGTH:
            selected, fixed = [], []
            longer = _policy(*write([item]))
            policies.append(longer)
        policies[-1] = longer
        selected.append(item)
    return policies


def policy_for_services(desired: Desired, owner: Owner) -> dict[str, Any]:
    """Return the policy for `pulumi up` with these specs: for any user of the account, but only declared services."""
    services = {service for user in desired.users for service in _list_services(user)}
    statements = [*_fixed_statements(owner), *_change_statements([(tuple(sorted(services)), "*")], owner)]
    iam_users = _list_iam_users(desired)
    if iam_users:
        of_all = [replace(iam_user, user="*") for iam_user in iam_users]
        statements += [*_fixed_user_statements(owner), *_user_statements(of_all, owner)]
    return _policy(*statements)


def _fixed_statements(owner: Owner) -> list[dict[str, Any]]:
    """Return the statements that do not depend on specs."""
    delete = _statement("DeleteCredentials", {_DELETE: WRITES[_DELETE]}, owner.user_arn("*"))
    return [_statement("Read", READS, "*"), delete]


def _list_services(user: DesiredUser) -> tuple[str, ...]:
    return tuple(sorted({credential.service for credential in user.credentials}))


def _change_statements(grants: Iterable[_Grant], owner: Owner) -> Iterator[dict[str, Any]]:
    """Yield one statement for each set of services; all three operations support the condition key."""
    operations = {operation: purpose for operation, purpose in WRITES.items() if operation != _DELETE}
    for number, (services, group) in enumerate(groupby(grants, key=lambda grant: grant[0]), 1):
        users = [user for _, user in group]
        statement = _statement(f"ChangeCredentials{number}", operations, _list_arns(users, owner))
        yield {**statement, "Condition": {"StringEquals": {_SERVICE: list(services)}}}


def _list_iam_users(desired: Desired) -> list[_IamUser]:
    """Return the users with `iamUser`, sorted by their policies."""
    users = ((user.name, user.iam_user) for user in desired.users)
    iam_users = [
        _IamUser(tuple(sorted(iam_user.policy_arns)), iam_user.permissions_boundary or "", name)
        for name, iam_user in users
        if iam_user is not None
    ]
    return sorted(iam_users)


def _fixed_user_statements(owner: Owner) -> list[dict[str, Any]]:
    """Return the statements that do not depend on specs, because removed users are not declared."""
    return [
        _statement("ReadUsers", USER_READS, "*"),
        _statement("DeleteUsers", USER_DELETES, owner.user_arn("*")),
    ]


def _user_statements(iam_users: Sequence[_IamUser], owner: Owner) -> Iterator[dict[str, Any]]:
    """Yield the statements for users with `iamUser`, limited to the boundaries and policies declared for each."""
    yield _statement("MakeUsers", USER_WRITES, _list_users(iam_users, owner))
    bounded = sorted((iam_user.boundary, iam_user) for iam_user in iam_users if iam_user.boundary)
    for number, (boundary, group) in enumerate(groupby(bounded, key=lambda pair: pair[0]), 1):
        arns = _list_users([iam_user for _, iam_user in group], owner)
        bound = _statement(f"BoundUsers{number}", {"iam:PutUserPermissionsBoundary": ""}, arns)
        yield {**bound, "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}}
    with_policies = [iam_user for iam_user in iam_users if iam_user.policies]
    for number, (policies, users) in enumerate(groupby(with_policies, key=lambda iam_user: iam_user.policies), 1):
        attach = _statement(f"AttachPolicies{number}", {"iam:AttachUserPolicy": ""}, _list_users(list(users), owner))
        yield {**attach, "Condition": {"ArnEquals": {"iam:PolicyARN": list(policies)}}}


def _list_users(iam_users: Sequence[_IamUser], owner: Owner) -> list[str]:
    return _list_arns(list(dict.fromkeys(iam_user.user for iam_user in iam_users)), owner)


def _list_arns(users: Sequence[str], owner: Owner) -> list[str]:
    """Return the ARNs of each user without a path and below any path, because specs may not declare the path.

    User names contain neither slashes nor asterisks.
    """
    return [owner.user_arn(f"{path}{user}") for user in users for path in ("", "*/")]


def _length(policy: dict[str, Any]) -> int:
    """Return the number of characters as IAM counts them."""
    return len(json.dumps(policy, separators=(",", ":")))


def preview_policy(desired: Desired | None = None) -> dict[str, Any]:
    """Return the read-only policy for `pulumi preview`, with these specs if given."""
    has_iam_users = desired is not None and bool(_list_iam_users(desired))
    return _policy(_statement("Read", READS | (USER_READS if has_iam_users else {}), "*"))


def drift_policy() -> dict[str, Any]:
    """Return the read-only policy for `iamcreds drift` and `iamcreds report`."""
    return _policy(_statement("Read", READS | DRIFT_READS, "*"))


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(name: str, operations: dict[str, str], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": sorted(operations), "Resource": resource}
