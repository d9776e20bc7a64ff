"""The operations that runs call, and why; the IAM policies that they need are made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

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

USER_READS = {"iam:ListAttachedUserPolicies": "which policies are attached to users with `iamUser`"}
"""What pulumi-aws calls beside READS that changes nothing (its documentation, and that of AWS's operations)."""

USER_WRITES = {
    "iam:CreateUser": "a user newly declared",
    "iam:UpdateUser": "another path",
    "iam:TagUser": "tags",
    "iam:UntagUser": "tags no longer declared",
    "iam:DeleteUserPermissionsBoundary": "a boundary no longer declared",
}
"""What pulumi-aws calls to make users what specs say, boundaries and attachments aside; as above."""

USER_DELETES = {
    "iam:DeleteUser": "a user no longer declared",
    "iam:DetachUserPolicy": "a policy no longer declared",
    "iam:ListGroupsForUser": "to delete a user",
}
"""What pulumi-aws calls for who or what has left the specs; taking users out of groups is not among it."""


MAX_LENGTH = 6_144
"""Characters of a managed policy at most, white space aside (the IAM guide, quotas)."""

MAX_POLICIES = 10
"""Managed policies of a role, unless AWS was asked for more (the IAM guide, quotas)."""

_DELETE = "iam:DeleteServiceSpecificCredential"
_SERVICE = "iam:ServiceSpecificCredentialServiceName"

_Item = TypeVar("_Item")
_Grant: TypeAlias = tuple[tuple[str, ...], str]
"""Services, sorted, and a user who is to have credentials for them."""


@dataclass(frozen=True, order=True)
class _Made:
    """A user whom specs have made, with the ARNs of the policies and of the boundary, empty for none."""

    policies: tuple[str, ...]
    boundary: str
    user: str


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
    policies = _fill(grants, _fixed_statements(owner), lambda chosen: _change_statements(chosen, owner))
    made = _list_made(desired)
    if not made:
        return policies
    *full, last = policies
    fixed = [*last["Statement"], *_fixed_user_statements(owner)]
    if _length(_policy(*fixed)) > MAX_LENGTH:
        full, fixed = policies, _fixed_user_statements(owner)
    return [*full, *_fill(made, fixed, lambda chosen: _user_statements(chosen, owner))]


def _fill(
    items: Iterable[_Item], fixed: list[dict[str, Any]], write: Callable[[list[_Item]], Iterator[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Policies that hold what is fixed and then what is written of the items, each as many as there is room for."""
    chosen: list[_Item] = []
    policies = [_policy(*fixed)]
    for item in items:
        longer = _policy(*fixed, *write([*chosen, item]))
        if _length(longer) > MAX_LENGTH:
            chosen, fixed = [], []
            longer = _policy(*write([item]))
            policies.append(longer)
        policies[-1] = longer
        chosen.append(item)
    return policies


def policy_for_services(desired: Desired, owner: Owner) -> dict[str, Any]:
    """What `pulumi up` needs for these specs, for any user of the account, and for the declared services alone."""
    services = {service for user in desired.users for service in _list_services(user)}
    statements = [*_fixed_statements(owner), *_change_statements([(tuple(sorted(services)), "*")], owner)]
    made = _list_made(desired)
    if made:
        of_all = [replace(each, user="*") for each in made]
        statements += [*_fixed_user_statements(owner), *_user_statements(of_all, owner)]
    return _policy(*statements)


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


def _list_made(desired: Desired) -> list[_Made]:
    """The users whom the specs have made, those with the same policies together."""
    users = ((user.name, user.iam_user) for user in desired.users)
    made = [
        _Made(tuple(sorted(iam_user.policy_arns)), iam_user.permissions_boundary or "", name)
        for name, iam_user in users
        if iam_user is not None
    ]
    return sorted(made)


def _fixed_user_statements(owner: Owner) -> list[dict[str, Any]]:
    """What no spec narrows: whoever has left the specs is declared no more."""
    return [
        _statement("ReadUsers", USER_READS, "*"),
        _statement("DeleteUsers", USER_DELETES, owner.user_arn("*")),
    ]


def _user_statements(made: Sequence[_Made], owner: Owner) -> Iterator[dict[str, Any]]:
    """Making users, with the boundaries and the policies that are declared for each and with no other."""
    yield _statement("MakeUsers", USER_WRITES, _list_users(made, owner))
    bounded = sorted((each.boundary, each) for each in made if each.boundary)
    for number, (boundary, group) in enumerate(groupby(bounded, key=lambda pair: pair[0]), 1):
        arns = _list_users([each for _, each in group], owner)
        bound = _statement(f"BoundUsers{number}", {"iam:PutUserPermissionsBoundary": ""}, arns)
        yield {**bound, "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}}
    attached = [each for each in made if each.policies]
    for number, (policies, same) in enumerate(groupby(attached, key=lambda each: each.policies), 1):
        attach = _statement(f"AttachPolicies{number}", {"iam:AttachUserPolicy": ""}, _list_users(list(same), owner))
        yield {**attach, "Condition": {"ArnEquals": {"iam:PolicyARN": list(policies)}}}


def _list_users(made: Sequence[_Made], owner: Owner) -> list[str]:
    return _list_arns(list(dict.fromkeys(each.user for each in made)), owner)


def _list_arns(users: Sequence[str], owner: Owner) -> list[str]:
    """Each user without a path and below any path, which specs do not tell; a name has neither slash nor asterisk."""
    return [owner.user_arn(f"{path}{user}") for user in users for path in ("", "*/")]


def _length(policy: dict[str, Any]) -> int:
    """As IAM counts."""
    return len(json.dumps(policy, separators=(",", ":")))


def preview_policy(desired: Desired | None = None) -> dict[str, Any]:
    """What `pulumi preview` needs, of these specs if they are given: nothing that changes anything."""
    has_made = desired is not None and bool(_list_made(desired))
    return _policy(_statement("Read", READS | (USER_READS if has_made else {}), "*"))


def drift_policy() -> dict[str, Any]:
    """What `iamcreds drift` and `iamcreds report` need: nothing that changes anything."""
    return _policy(_statement("Read", READS | DRIFT_READS, "*"))


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(name: str, operations: dict[str, str], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": sorted(operations), "Resource": resource}
