"""IAM users and attached policies in the comment of a pull request, and in the gate."""

from __future__ import annotations

import pytest

from tests.pull_request.previews import make_preview, make_step, run_plan, run_recorded

USER = "aws:iam/user:User"
ATTACHMENT = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
POLICY = "arn:aws:iam::123456789012:policy/reading"
REFUSES = "IAM rejects the deletion while the user has anything that the stack does not manage"
JANE = {"name": "jane", "path": "/"}


def rows(output: str) -> list[str]:
    """Return the table rows for users and policies."""
    return [line for line in output.splitlines() if line.startswith(("| IAM user", "| policy"))]


def test_users_that_come() -> None:
    """Users that are created or imported, and attached policies, are rows; equal changes share one row."""
    done = run_recorded("iam-users")
    assert done.exit_code == 0
    assert "\n1 to create, 2 IAM users to create, 2 IAM users to import, 2 policies to attach; the stack" in done.stdout
    assert rows(done.stdout) == [
        "| IAM user `jane` | | import |  | `specs/team.yaml:10` |",
        "| IAM user `joe` | | import, update | changes `path` | `specs/team.yaml:13` |",
        "| IAM user `new-bot`, `new-one` | | create |  | `specs/team.yaml:4`, `specs/team.yaml:7` |",
        f"| policy `{POLICY}` of `new-bot`, `new-one` | | attach |  | `specs/team.yaml:4`, `specs/team.yaml:7` |",
    ]
    assert "Other resources" not in done.stdout


def test_users_that_go() -> None:
    """A deleted user differs from a retained one, and counts as a removal like a credential."""
    done = run_recorded("iam-users-gone", "--max-removals", "59%", "--at-least", "1")
    assert done.exit_code == 3
    assert "3 of 5 credentials and IAM users (60%) would be deleted" in done.stderr
    assert rows(done.stdout) == [
        "| IAM user `jane` | | update, protect | changes `tags` | `specs/team.yaml:1` |",
        "| IAM user `joe` | | retain | stays in IAM unchanged | `specs/team.yaml:13` |",
        f"| IAM user `new-bot`, `new-one` | | delete | {REFUSES} | `specs/team.yaml:4`, `specs/team.yaml:7` |",
        f"| policy `{POLICY}` of `new-bot`, `new-one` | | detach |  | `specs/team.yaml:4`, `specs/team.yaml:7` |",
    ]
    assert run_recorded("iam-users-gone", "--max-removals", "60%", "--at-least", "1").exit_code == 0
    assert run_recorded("iam-users-gone", "--max-removals", "10%", "--at-least", "6").exit_code == 0


@pytest.mark.parametrize(("op", "exit_code"), [("replace", 3), ("delete", 3), ("update", 0), ("create", 0)])
def test_gate(op: str, exit_code: int) -> None:
    """A deleted or replaced user is a removal; a created or changed user is not, nor is a policy."""
    sides = {"old": JANE, "new": JANE | {"path": "/x/"}}
    there = {name: side for name, side in sides.items() if (op, name) not in {("delete", "new"), ("create", "old")}}
    given = make_preview(make_step(op, "jane", USER, **there))
    assert run_plan("-", "--max-removals", "0", given=given).exit_code == exit_code
    attachment = make_step("delete", "jane/p", ATTACHMENT, old={"user": "jane", "policyArn": POLICY})
    assert run_plan("-", "--max-removals", "0", given=make_preview(attachment)).exit_code == 0


def test_names_of_others() -> None:
    """The name of a user or policy is never markup."""
    step = make_step("create", "x", ATTACHMENT, new={"user": "a|`b`", "policyArn": "<b>"})
    (row,) = rows(run_plan("-", given=make_preview(step)).stdout)
    assert row.startswith("| policy `<b>` of ")
    assert "<code>a&#124;&#96;b&#96;</code>" in row


def test_providers() -> None:
    """A step of the engine for the configuration of a plugin results in no comment."""
    step = make_step("create", "default", "pulumi:providers:aws", new={})
    assert run_plan("-", given=make_preview(step)).output == ""
