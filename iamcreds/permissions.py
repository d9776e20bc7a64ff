"""The IAM policies that runs need, generated from the operations that `account.py` declares."""

from __future__ import annotations

from typing import Any

from iamcreds.account import DRIFT_READS, READS, WRITES


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
