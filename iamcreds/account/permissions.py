"""The operations that runs call, and why; the IAM policies that they need are made of them."""

from __future__ import annotations

from typing import Any

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


def up_policy(account: str | None) -> dict[str, Any]:
    """What `pulumi up` needs; `account` (12 digits) narrows the changes to its users."""
    users = f"arn:aws:iam::{account or '*'}:user/*"
    return _policy(_statement("Read", READS, "*"), _statement("ChangeCredentials", WRITES, users))


def preview_policy() -> dict[str, Any]:
    """What `pulumi preview` needs: nothing that changes anything."""
    return _policy(_statement("Read", READS, "*"))


def drift_policy() -> dict[str, Any]:
    """What `iamcreds drift` and `iamcreds report` need: nothing that changes anything."""
    return _policy(_statement("Read", READS | DRIFT_READS, "*"))


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(name: str, operations: dict[str, str], resource: str) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": sorted(operations), "Resource": resource}
