"""`iamcreds plan`: what a preview says in the words of credentials, and how long it may be."""

from __future__ import annotations

import json
import random
from typing import Any

from iamcreds.plan.comment import MAX_LENGTH
from tests.plan.previews import (
    ACCESS_KEYS,
    CREDENTIAL,
    RECORDED,
    load_recorded,
    make_preview,
    make_step,
    run_plan,
    run_recorded,
)


def test_create() -> None:
    """What is new is counted, put into a table for each user, and what the preview warned of is told."""
    done = run_recorded("create")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "<!-- iamcreds plan: test -->"
    assert "10 to create, 5 access-key policies; the stack has 0 credentials." in lines
    assert "| `ghost/codecommit` | `codecommit.amazonaws.com` | create |  |" in lines
    assert "| access keys | | watch | `max 1` |" in lines
    assert "ghost/codecommit: the account has no IAM user ghost: until it has, this cannot be created" in lines
    assert '+   service: "cassandra.amazonaws.com"' in lines


def test_changes() -> None:
    """Reset, switch on, a status that is only recorded, delete and unprotect are told apart."""
    done = run_recorded("changes")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert (
        "4 to update (2 reset, 2 switched on, 1 only recorded), 1 to delete, 1 with changed protection;"
        " the stack has 8 credentials." in lines
    )
    assert "| `bot/codecommit/spare` | `codecommit.amazonaws.com` | switch on |  |" in lines
    assert (
        "| `jane/bedrock` | `bedrock.amazonaws.com` | reset, switch on | somebody made it `Inactive`; because of `x` |"
        in lines
    )
    row = "| `jane/codecommit` | `codecommit.amazonaws.com` | record | somebody made it `Inactive`;"
    assert f"{row} nothing changes in AWS |" in lines
    assert "| `old/codecommit` | `codecommit.amazonaws.com` | delete |  |" in lines
    assert "| `old/logs` | `logs.amazonaws.com` | unprotect |  |" in lines
    assert any(line.startswith("jane: has 2 access keys (AKIA") for line in lines)


def test_drift() -> None:
    """What somebody deleted or switched behind our back is said to be so."""
    done = run_recorded("drift")
    assert "| `joe/bedrock` | `bedrock.amazonaws.com` | create | somebody deleted it |" in done.stdout
    assert "| `jane/bedrock` | `bedrock.amazonaws.com` | switch on | somebody made it `Inactive` |" in done.stdout
    assert "1 to create, 1 to update (1 switched on)" in done.stdout
    assert "jane/codecommit: somebody switched this credential off, and off it stays" in done.stdout


def test_replace_and_rename() -> None:
    """A replacement says why, and with --show-sames a rename says what the name was."""
    done = run_recorded("replace")
    assert "2 to replace, 1 to rename; the stack has 3 credentials." in done.stdout
    assert "| `jane/codecommit` | `codecommit.amazonaws.com` | replace | another `user` |" in done.stdout
    assert "| `bot/l` | `logs.amazonaws.com` | rename | was `bot/logs` |" in done.stdout
    assert '-   user: "jane"\n+   user: "bot"\n' in done.stdout


def test_replacement_in_three_steps_is_one() -> None:
    """A replacement that comes as three steps is counted once, and expiry is named as its reason."""
    old, new = {"user": "jane", "service": "logs", "status": "Expired"}, {"user": "jane", "service": "logs"}
    done = run_plan(
        "-",
        given=make_preview(
            make_step("delete-replaced", "jane/logs", old=old),
            make_step("replace", "jane/logs", old=old, new=new) | {"replaceReasons": ["status"]},
            make_step("create-replacement", "jane/logs", old=old, new=new),
        ),
    )
    assert "1 to replace; the stack has 1 credential." in done.stdout
    assert "| replace | it has expired |" in done.stdout


def test_nothing_changes() -> None:
    """When nothing changes nothing is printed, findings or not, unless it is wanted for an earlier comment."""
    assert (run_recorded("nothing").exit_code, run_recorded("nothing").output) == (0, "")
    always = run_recorded("nothing", "--always", "--marker", "prod")
    assert always.exit_code == 0
    assert always.stdout.startswith("<!-- iamcreds plan: prod -->\n### IAM credentials: `prod`\n\nNo changes;")
    assert "Access-key findings (1)" in always.stdout


def test_standard_input() -> None:
    """A preview is taken from standard input too."""
    assert run_plan("-", given=(RECORDED / "drift.json").read_text()).stdout == run_recorded("drift").stdout


def test_failed_preview() -> None:
    """A preview that failed makes a comment that says so, and exit code 1, whatever the gate."""
    done = run_recorded("failed", "--max-removals", "0")
    assert done.exit_code == 1
    assert "**The preview failed**" in done.stdout
    assert "because it is protected" in done.stdout
    assert "Refused" not in done.output
    assert done.stderr.startswith("Error: the preview failed: Preview failed: resource")
    assert done.stderr.count("\n") == 1


def test_unreachable_endpoint() -> None:
    """What the provider said of an endpoint that does not answer is in the comment and in the error."""
    done = run_recorded("unreachable")
    assert done.exit_code == 1
    assert "no answer from AWS (Could not connect" in done.stdout
    assert "no answer from AWS (Could not connect" in done.stderr


def test_what_went_wrong_comes_first() -> None:
    """The error of a resource is told first, and alone in the last line; what follows from it stands below."""
    urn = f"urn:pulumi:test::iamcreds::{CREDENTIAL}::jane/codecommit"
    said = [
        {"severity": "error", "message": "error: Resource monitor has terminated, shutting down"},
        {"severity": "error", "message": "error: this is what went wrong", "urn": urn},
    ]
    done = run_plan("-", given=make_preview(diagnostics=said))
    assert done.stdout.index("this is what went wrong") < done.stdout.index("Resource monitor has terminated")
    assert done.stderr == "Error: the preview failed: this is what went wrong\n"


def test_corrupt_state() -> None:
    """A preview that doubts the state is a failed one."""
    done = run_plan("-", given=make_preview(maybeCorrupt=True))
    assert done.exit_code == 1
    assert "the stack's state may be corrupt" in done.stdout


def make_creations(number: int) -> list[dict[str, Any]]:
    """Steps that create a credential for each of so many users."""
    return [
        make_step("create", f"user-{n:05}/logs", new={"user": f"user-{n:05}", "service": "logs"}) for n in range(number)
    ]


def test_length() -> None:
    """A plan too long for a comment is cut at whole users and changes, and says how many are not shown."""
    steps = [
        make_step("create", f"user-{n:05}/logs", new={"user": f"user-{n:05}", "service": "logs"}) for n in range(3_000)
    ]
    done = run_plan("-", given=make_preview(*steps))
    assert done.exit_code == 0
    assert MAX_LENGTH - 2_000 < len(done.stdout) < MAX_LENGTH
    shown = done.stdout.count("#### ")
    assert f"{3_000 - shown:,} of 3,000 users, 3,000 of 3,000 property changes are not shown" in done.stdout
    assert done.stdout.startswith("<!-- iamcreds plan: test -->\n### IAM credentials: `test`\n\n3,000 to create")


def test_warnings_before_tables() -> None:
    """A plan of any length leaves room for warnings and findings, and they for the plan."""
    steps = [
        make_step("create", f"user-{n:05}/logs", new={"user": f"user-{n:05}", "service": "logs"}) for n in range(3_000)
    ]
    said = [{"severity": "warning", "message": f"warning: {n:05} {'x' * 90}"} for n in range(3_000)]
    done = run_plan("-", given=make_preview(*steps, diagnostics=said))
    assert len(done.stdout) < MAX_LENGTH
    assert done.stdout.count("#### ") > 300
    assert done.stdout.count("x" * 90) > 100


def test_long_message() -> None:
    """A message of any length leaves room for the plan."""
    said = [{"severity": "error", "message": f"error: {'x' * 200_000}"}]
    done = run_plan(
        "-", given=make_preview(make_step("create", "a", new={"user": "jane", "service": "logs"}), diagnostics=said)
    )
    assert len(done.stdout) < MAX_LENGTH
    assert "#### `jane`" in done.stdout
    assert "… (196,000 characters more)" in done.stdout


def test_same_bytes() -> None:
    """The engine works in parallel: whatever the order of its steps, the comment is the same."""
    shuffled = load_recorded("changes")
    random.Random(4).shuffle(shuffled["steps"])  # noqa: S311 - any order
    shuffled["diagnostics"].reverse()
    assert run_plan("-", given=json.dumps(shuffled)).output == run_recorded("changes").output


def test_access_key_policies() -> None:
    """Policies that change are in their users' tables; a user who moves to another file changes nothing."""
    steps = [
        make_step(
            "update",
            "a.yaml",
            ACCESS_KEYS,
            old={"users": {"jane": {"max": 1}, "joe": {"max": 2}, "ann": {"max_age_days": 90}}},
            new={"users": {"jane": {"max": 1.0, "enforce": True}}},
        ),
        make_step("create", "b.yaml", ACCESS_KEYS, new={"users": {"joe": {"max": 2}}}),
    ]
    done = run_plan("-", given=make_preview(*steps))
    assert "2 access-key policies" in done.stdout
    assert "| access keys | | change policy | `max 1` → `max 1, enforce` |" in done.stdout
    assert "| access keys | | stop watching | `maxAgeDays 90` |" in done.stdout
    assert "joe" not in done.stdout


def test_keys_that_were_used_are_no_change() -> None:
    """Keys that were used since the last run make no comment of their own."""
    watched = {"users": {"jane": {"max": 1}}}
    seen = make_step("update", "a", ACCESS_KEYS, old=watched | {"keys": {}}, new=watched | {"keys": {"jane": []}})
    assert run_plan("-", given=make_preview(seen)).output == ""


def test_other_resources() -> None:
    """What else a program makes is named, and is a reason for a comment."""
    done = run_plan("-", given=make_preview(make_step("create", "jane", "aws:iam/user:User", new={"name": "jane"})))
    assert "1 other resource" in done.stdout
    assert "\ncreate aws:iam/user:User jane\n" in done.stdout


def test_user_known_after_up() -> None:
    """A user whose name only up will tell is said to be so."""
    unknown = {"user": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "service": "logs"}
    assert "#### `(known after up)`" in run_plan("-", given=make_preview(make_step("create", "a", new=unknown))).stdout


def test_adoption() -> None:
    """A credential that is taken over by reset is told by its id, and counts as what ends a password that worked."""
    adopting = {"user": "jane", "service": "logs", "existing": "adopt", "adopts": "ACCAEXAMPLE1234567890"}
    preview = make_preview(make_step("create", "jane/logs", new=adopting))
    done = run_plan("-", given=preview)
    assert "\n1 to adopt; the stack has 0 credentials.\n" in done.stdout
    assert "| `jane/logs` | `logs` | adopt | by reset of `ACCAEXAMPLE1234567890` |" in done.stdout
    assert '+   adopts: "ACCAEXAMPLE1234567890"' in done.stdout
    assert run_plan("-", "--max-removals", "0", given=preview).exit_code == 3
