"""`iamcreds permissions`: what a policy allows is what the account declares."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from iamcreds.account.permissions import DRIFT_READS, READS, WRITES
from iamcreds.cli import main


@pytest.mark.parametrize(
    ("run", "operations"), [("up", READS | WRITES), ("preview", READS), ("drift", READS | DRIFT_READS)]
)
def test_policies(run: str, operations: dict[str, str]) -> None:
    """A run's policy allows the operations it calls, and no others."""
    policy = json.loads(CliRunner().invoke(main, ["permissions", "--for", run]).stdout)
    assert sorted(action for statement in policy["Statement"] for action in statement["Action"]) == sorted(operations)


def test_account() -> None:
    """With an account, changes are allowed to its users alone."""
    policy = json.loads(CliRunner().invoke(main, ["permissions", "--account", "123456789012"]).stdout)
    assert policy["Statement"][1]["Resource"] == "arn:aws:iam::123456789012:user/*"


@pytest.mark.parametrize("words", [["--account", "1234"], ["--for", "drift", "--account", "123456789012"]])
def test_refused(words: list[str]) -> None:
    """An account that is none, or where it would change nothing, is refused with what is allowed."""
    result = CliRunner().invoke(main, ["permissions", *words])
    assert result.exit_code == 2
    assert "12 digits, and only with --for up" in result.stderr
