"""The operations that runs call, with their purposes, and the IAM policies that permit them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from iamcreds.policies import secret_permissions
from iamcreds.policies.documents import extend_policies, fill_policies, make_policy, make_statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.desired import Desired, DesiredUser
    from iamcreds.policies.documents import Owner

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

_DELETE = "iam:DeleteServiceSpecificCredential"
_SERVICE = "iam:ServiceSpecificCredentialServiceName"

_Grant: TypeAlias = tuple[tuple[str, ...], str]
"""Services, sorted, and a user with declared credentials for them."""


@dataclass(frozen=True, order=True)
class _IamUser:
    """A user with `iamUser`, with the ARNs of the policies and of the boundary (empty without one)."""

    policies: tuple[str, ...]
    boundary: str
    user: str


def up_policy(owner: Owner) -> dict[str, Any]:
    """Return the policy for `pulumi up`; it limits changes to the owner's users."""
    return make_policy(
        make_statement("Read", READS, "*"), make_statement("ChangeCredentials", WRITES, owner.user_arn("*"))
    )


def policies_for_users(desired: Desired, owner: Owner) -> list[dict[str, Any]]:
    """Return the policies for `pulumi up` with these specs: one, or several if one would exceed IAM's size quota.

    Creating, resetting, activating and deactivating credentials is limited to declared users and the services declared
    for each, and writing secrets to declared names. Deleting is permitted for every user of the owner, because removed
    and renamed users are not declared.
    """
    grants = sorted((_list_services(user), user.name) for user in desired.users if user.credentials)
    policies = fill_policies(grants, _fixed_statements(owner), lambda selected: _change_statements(selected, owner))
    policies = extend_policies(
        policies,
        _list_iam_users(desired),
        _fixed_user_statements(owner),
        lambda selected: _user_statements(selected, owner),
    )
    return extend_policies(
        policies,
        secret_permissions.list_secrets(desired, owner),
        secret_permissions.fixed_statements(desired, owner),
        lambda selected: secret_permissions.write_statements(selected, owner),
    )


def policy_for_services(desired: Desired, owner: Owner) -> dict[str, Any]:
    """Return the policy for `pulumi up` with these specs: for any user of the account, but only declared services."""
    services = {service for user in desired.users for service in _list_services(user)}
    statements = [*_fixed_statements(owner), *_change_statements([(tuple(sorted(services)), "*")], owner)]
    iam_users = _list_iam_users(desired)
    if iam_users:
        of_all = [replace(iam_user, user="*") for iam_user in iam_users]
        statements += [*_fixed_user_statements(owner), *_user_statements(of_all, owner)]
    secrets = secret_permissions.widen_secrets(desired, owner)
    statements += secret_permissions.fixed_statements(desired, owner)
    return make_policy(*statements, *secret_permissions.write_statements(secrets, owner))


def _fixed_statements(owner: Owner) -> list[dict[str, Any]]:
    """Return the statements that do not depend on specs."""
    delete = make_statement("DeleteCredentials", {_DELETE: WRITES[_DELETE]}, owner.user_arn("*"))
    return [make_statement("Read", READS, "*"), delete]


def _list_services(user: DesiredUser) -> tuple[str, ...]:
    return tuple(sorted({credential.service for credential in user.credentials}))


def _change_statements(grants: Iterable[_Grant], owner: Owner) -> Iterator[dict[str, Any]]:
    """Yield one statement for each set of services; all three operations support the condition key."""
    operations = {operation: purpose for operation, purpose in WRITES.items() if operation != _DELETE}
    for number, (services, group) in enumerate(groupby(grants, key=lambda grant: grant[0]), 1):
        users = [user for _, user in group]
        statement = make_statement(f"ChangeCredentials{number}", operations, _list_arns(users, owner))
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
        make_statement("ReadUsers", USER_READS, "*"),
        make_statement("DeleteUsers", USER_DELETES, owner.user_arn("*")),
    ]


def _user_statements(iam_users: Sequence[_IamUser], owner: Owner) -> Iterator[dict[str, Any]]:
    """Yield the statements for users with `iamUser`, limited to the boundaries and policies declared for each."""
    yield make_statement("MakeUsers", USER_WRITES, _list_users(iam_users, owner))
    bounded = sorted((iam_user.boundary, iam_user) for iam_user in iam_users if iam_user.boundary)
    for number, (boundary, group) in enumerate(groupby(bounded, key=lambda pair: pair[0]), 1):
        arns = _list_users([iam_user for _, iam_user in group], owner)
        bound = make_statement(f"BoundUsers{number}", {"iam:PutUserPermissionsBoundary": ""}, arns)
        yield {**bound, "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}}
    with_policies = [iam_user for iam_user in iam_users if iam_user.policies]
    for number, (policies, users) in enumerate(groupby(with_policies, key=lambda iam_user: iam_user.policies), 1):
        attach = make_statement(
            f"AttachPolicies{number}", {"iam:AttachUserPolicy": ""}, _list_users(list(users), owner)
        )
        yield {**attach, "Condition": {"ArnEquals": {"iam:PolicyARN": list(policies)}}}


def _list_users(iam_users: Sequence[_IamUser], owner: Owner) -> list[str]:
    return _list_arns(list(dict.fromkeys(iam_user.user for iam_user in iam_users)), owner)


def _list_arns(users: Sequence[str], owner: Owner) -> list[str]:
    """Return the ARNs of each user without a path and below any path, because specs may not declare the path.

    User names contain neither slashes nor asterisks.
    """
    return [owner.user_arn(f"{path}{user}") for user in users for path in ("", "*/")]


def preview_policy(desired: Desired | None = None) -> dict[str, Any]:
    """Return the read-only policy for `pulumi preview`, with these specs if given."""
    has_iam_users = desired is not None and bool(_list_iam_users(desired))
    return _read_policy(READS | (USER_READS if has_iam_users else {}), desired)


def drift_policy(desired: Desired | None = None) -> dict[str, Any]:
    """Return the read-only policy for `iamcreds drift` and `iamcreds report`, with these specs if given."""
    return _read_policy(READS | DRIFT_READS, desired)


def _read_policy(reads: dict[str, str], desired: Desired | None) -> dict[str, Any]:
    stores = [] if desired is None else secret_permissions.read_statements(desired)
    return make_policy(make_statement("Read", reads, "*"), *stores)
