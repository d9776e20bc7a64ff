"""`iamcreds permissions`: what a policy allows is what the account declares."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from iamcreds.cli import main

READS = ["GetAccessKeyLastUsed", "GetUser", "ListAccessKeys", "ListServiceSpecificCredentials", "ListUsers"]
REPORTS = ["GenerateCredentialReport", "GetCredentialReport"]
WRITES = [f"{verb}ServiceSpecificCredential" for verb in ("Create", "Delete", "Reset", "Update")]


@pytest.mark.parametrize(
    ("run", "statements"),
    [
        ("up", {"Read": READS, "ChangeCredentials": WRITES}),
        ("preview", {"Read": READS}),
        ("drift", {"Read": READS + REPORTS}),
    ],
)
def test_policies(run: str, statements: dict[str, list[str]]) -> None:
    """A run's policy allows the operations of IAM that it calls, and no others."""
    policy = json.loads(CliRunner().invoke(main, ["permissions", "--for", run]).stdout)
    assert policy["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}
    assert {statement["Sid"]: statement["Action"] for statement in policy["Statement"]} == {
        name: sorted(f"iam:{operation}" for operation in operations) for name, operations in statements.items()
    }


def test_account() -> None:
    """With an account, changes are allowed to its users alone, and without one to any account's."""
    for words, users in (
        ([], "arn:aws:iam::*:user/*"),
        (["--account", "123456789012"], "arn:aws:iam::123456789012:user/*"),
    ):
        policy = json.loads(CliRunner().invoke(main, ["permissions", *words]).stdout)
        assert [statement["Resource"] for statement in policy["Statement"]] == ["*", users]


@pytest.mark.parametrize("words", [["--account", "1234"], ["--for", "drift", "--account", "123456789012"]])
def test_refused(words: list[str]) -> None:
    """An account that is none, or where it would change nothing, is refused with what is allowed."""
    result = CliRunner().invoke(main, ["permissions", *words])
    assert result.exit_code == 2
    assert "12 digits, and only with --for up" in result.stderr
