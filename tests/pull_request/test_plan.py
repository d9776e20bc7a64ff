"""`iamcreds plan`: the comment on a preview, in terms of credentials, and its maximum length."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from iamcreds.drift.comparing import list_rules
from iamcreds.drift.rules.credential_limits import CredentialFinding
from iamcreds.pull_request.comment import MAX_LENGTH, render_comment
from iamcreds.pull_request.preview import parse_preview
from iamcreds.pull_request.preview_changes import read_changes
from tests.pull_request.previews import (
    ACCESS_KEYS,
    CREDENTIAL,
    RECORDED,
    UNMANAGED,
    load_recorded,
    make_preview,
    make_step,
    run_plan,
    run_recorded,
)


def test_create() -> None:
    """New credentials are counted and listed in one table with source locations; findings of watchers are listed."""
    done = run_recorded("create")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "<!-- iamcreds plan: test -->"
    assert "8 to create, 4 access key policies; the stack has 0 credentials." in lines
    assert "| `jane/keyspaces` | `cassandra.amazonaws.com` | create |  | `specs/team.yaml:8` |" in lines
    assert "| access keys of `bot`, `jane`, `joe`, `old` | | watch | `max 1` | |" in lines
    assert "<details><summary>Access key findings (1)</summary>" in lines
    assert sum(line.startswith("jane: has 2 access keys (AKIA") for line in lines) == 1
    assert not any("Warnings" in line for line in lines)
    assert '+   service: "cassandra.amazonaws.com"' in lines


def test_changes() -> None:
    """The comment distinguishes reset, activate, a status that is only recorded, delete and unprotect."""
    done = run_recorded("changes")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert (
        "4 to update (2 reset, 2 activated, 1 only recorded), 1 to delete, 1 with changed protection;"
        " the stack has 8 credentials." in lines
    )
    assert "| `bot/codecommit/spare` | `codecommit.amazonaws.com` | activate |  | `specs/bot.yaml:6` |" in lines
    bedrock = (
        "| `jane/bedrock` | `bedrock.amazonaws.com` | reset, activate | status changed outside Pulumi to `Inactive`;"
    )
    assert f"{bedrock} reset trigger `x` | `specs/team.yaml:9` |" in lines
    codecommit = (
        "| `jane/codecommit` | `codecommit.amazonaws.com` | record | status changed outside Pulumi to `Inactive`;"
    )
    enforced = "nothing changes in AWS; status is now enforced: `Inactive`"
    assert f"{codecommit} {enforced} | `specs/team.yaml:7` |" in lines
    deleted = (
        r"\| `old/codecommit` \| `codecommit\.amazonaws\.com` \| delete \| deletes a working password; \S+ \w+ old"
        r" \| `specs/team\.yaml:14` \|"
    )
    assert any(re.fullmatch(deleted, line) for line in lines)
    assert "| `old/logs` | `logs.amazonaws.com` | unprotect |  | `specs/team.yaml:14` |" in lines
    assert any(line.startswith("jane: has 2 access keys (AKIA") for line in lines)


def test_drift() -> None:
    """A deletion or a changed status outside Pulumi is reported as such."""
    done = run_recorded("drift")
    assert "| `joe/bedrock` | `bedrock.amazonaws.com` | create | deleted outside Pulumi |" in done.stdout
    assert (
        "| `jane/bedrock` | `bedrock.amazonaws.com` | activate | status changed outside Pulumi to `Inactive` |"
        in done.stdout
    )
    assert "1 to create, 1 to update (1 activated)" in done.stdout
    assert (
        "of user jane was deactivated outside Pulumi and stays Inactive. Options: activate it in IAM; or declare"
        in done.stdout
    )
    assert "Warnings (1)" in done.stdout


def test_replace_and_rename() -> None:
    """A replacement has its reason, and with --show-sames a rename has the former name."""
    done = run_recorded("replace")
    assert "2 to replace, 1 to rename; the stack has 3 credentials." in done.stdout
    note = "deletes a working password; changed `user`"
    assert f"| `jane/codecommit` of `bot` | `codecommit.amazonaws.com` | replace | {note} |" in done.stdout
    assert "| `bot/l` | `logs.amazonaws.com` | rename | was `bot/logs` |" in done.stdout
    assert '-   user: "jane"\n+   user: "bot"\n' in done.stdout


def test_renamed_without_was() -> None:
    """If a credential is deleted and a new one of its user and service is created, the comment recommends `was`."""
    done = run_recorded("renamed")
    assert "1 to create, 1 to delete" in done.stdout
    assert "| create | for a rename, declare `was: codecommit` | `specs/team.yaml:7` |" in done.stdout
    other = {"user": "jane", "service": "logs.amazonaws.com"}
    gone = make_step("delete", "jane/codecommit", old={"user": "jane", "service": "codecommit.amazonaws.com"})
    assert (
        "did you mean"
        not in run_plan("-", given=make_preview(gone, make_step("create", "jane/logs", new=other))).stdout
    )


def test_same_change_in_one_row() -> None:
    """Three hundred users with the same change share one row, which names the first ones and counts the others."""
    done = run_plan("-", given=make_preview(*make_creations(300)))
    rows = [line for line in done.stdout.splitlines() if line.startswith("| `")]
    assert len(rows) == 1
    assert rows[0].startswith("| `user-00000/logs`, `user-00001/logs`, ")
    assert "`user-00004/logs` and 295 more | `logs` | create |" in rows[0]


def test_what_a_record_means() -> None:
    """A removed status or trigger changes nothing in AWS, and the comment explains the effect."""
    old = {"user": "jane", "service": "logs", "status": "Active", "reset": "lost"}
    done = run_plan(
        "-", given=make_preview(make_step("update", "jane/logs", old=old, new={"user": "jane", "service": "logs"}))
    )
    meant = "nothing changes in AWS; status is no longer enforced; removing `reset` does not reset the password"
    assert f"| record | {meant} |" in done.stdout


def test_findings_of_a_watcher_without_a_step() -> None:
    """A watcher without changes has no step without --show-sames, but its findings are still listed."""
    found = ["jane: has 2 access keys"]
    watched = {"users": {"jane": {"max": 1}}, "findings": found}
    seen = make_step("refresh", "a", ACCESS_KEYS, old=watched, new=watched)
    said = [{"severity": "warning", "message": "warning: jane: has 2 access keys\n"}]
    comment = run_plan("-", "--always", given=make_preview(seen, diagnostics=said)).stdout
    assert "Access key findings (1)" in comment
    assert "Warnings" not in comment
    gone = make_step("delete", "a", ACCESS_KEYS, old=watched)
    assert "findings" not in run_plan("-", given=make_preview(seen, gone)).stdout


def test_credential_findings() -> None:
    """Violations of a credential policy are shown even without changes, apart from the other warnings."""
    found = [f"jane: a credential [{rule.rule}]" for rule in list_rules() if issubclass(rule, CredentialFinding)]
    said = [{"severity": "warning", "message": f"warning: {message}\n"} for message in [*found, "other [no-expiry] x"]]
    kept = make_step("same", "jane/logs", old={"user": "jane"}, new={"user": "jane"})
    comment = run_plan("-", given=make_preview(kept, diagnostics=said)).stdout
    assert "No changes; the stack has 1 credential." in comment
    _, findings, warnings = comment.split("<details>")
    assert "Credential findings (4)" in findings
    assert all(f"\n{message}\n" in findings for message in found)
    assert "Warnings (1)" in warnings
    assert run_plan("-", given=make_preview(kept, diagnostics=said[-1:])).stdout == ""


WAIVED = "jane: a password [credential-too-old], waived until 2027-01-31 (specs/jane.yaml:7:13): vendor"


def test_waived_findings() -> None:
    """Waived findings are shown as such, even without changes, and neither as findings nor as warnings."""
    said = [{"severity": "info", "message": f"info: {WAIVED}\n"} for _ in range(2)]
    said += [{"severity": "info", "message": "a different program"}]
    kept = make_step("same", "jane/logs", old={"user": "jane"}, new={"user": "jane"})
    done = run_plan("-", given=make_preview(kept, diagnostics=said))
    assert done.exit_code == 0
    _, waived = done.stdout.split("<details>")
    assert waived.startswith("<summary>Waived findings (1)</summary>")
    assert f"\n{WAIVED}\n" in waived
    assert "a different program" not in done.stdout
    assert "No changes; the stack has 1 credential." in done.stdout
    assert run_plan("-", given=make_preview(kept, diagnostics=said[-1:])).stdout == ""


@pytest.mark.parametrize("severity", ["warning", "error"])
def test_warning_that_looks_waived(severity: str) -> None:
    """A warning or an error with the words of a waiver is none."""
    said = [{"severity": severity, "message": WAIVED}]
    kept = make_step("same", "jane/logs", old={"user": "jane"}, new={"user": "jane"})
    assert "Waived" not in run_plan("-", "--always", given=make_preview(kept, diagnostics=said)).stdout


def test_replacement_in_three_steps_is_one() -> None:
    """A replacement in three steps is counted once, and the reason is expiry."""
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
    assert "| replace | expired |" in done.stdout


def test_nothing_changes() -> None:
    """Without changes nothing is printed, even with findings, unless --always requires it for an earlier comment."""
    assert (run_recorded("nothing").exit_code, run_recorded("nothing").output) == (0, "")
    always = run_recorded("nothing", "--always", "--marker", "prod")
    assert always.exit_code == 0
    head = "<!-- iamcreds plan: prod -->\n### IAM credentials: `prod`\n\nProject `iamcreds`, stack `test`\n\n"
    assert always.stdout.startswith(f"{head}No changes;")
    assert "Access key findings (1)" in always.stdout


@pytest.mark.parametrize("commit", ["0123abc", "0123456789ABCDEFabcdef0123456789abcdef01", "e" * 64])
def test_commit(commit: str) -> None:
    """The fourth line of the comment has commit, project and stack; the workflow searches it for the commit."""
    lines = run_recorded("changes", "--commit", commit, "--marker", "prod").stdout.splitlines()
    assert lines[1:5] == ["### IAM credentials: `prod`", "", f"Commit {commit}, project `iamcreds`, stack `test`", ""]
    failed = run_recorded("failed", "--commit", commit).stdout.splitlines()
    assert failed[3] == f"Commit {commit}, project `iamcreds`, stack `test`"


@pytest.mark.parametrize("commit", ["", "abc123", "g" * 40, "a" * 65, "HEAD", "0123abc\n", "-0123abc", "\uff10" * 7])
def test_invalid_commit(commit: str) -> None:
    """A commit that is not hexadecimal, or has an invalid length, is a usage error."""
    done = run_recorded("changes", f"--commit={commit}")
    assert (done.exit_code, done.stdout) == (run_recorded("changes", "--at-least=1").exit_code, "")
    assert "is not a valid commit: 7 to 64 hexadecimal digits" in done.stderr


def test_preview_without_steps() -> None:
    """A failed preview without steps has no URN, so the comment has the commit, and reports the rest as unknown."""
    said = [{"severity": "error", "message": "error: no"}]
    preview = make_preview(diagnostics=said)
    unknown = "roject and stack unknown, because the preview has no steps"
    assert run_plan("-", given=preview).stdout.splitlines()[3] == f"P{unknown}"
    done = run_plan("-", "--commit", "0123abc", given=preview)
    assert done.stdout.splitlines()[3] == f"Commit 0123abc, p{unknown}"
    assert done.exit_code == 1


def test_hostile_project() -> None:
    """Names of projects and stacks are code on one line, whatever they contain, and the size limit is kept."""
    step = make_step("create", "a", new={"user": "jane", "service": "logs"})
    for name in ("x`\n**Outdated**: <img>|@octocat", "\u202e" * 40_000):
        urn = step["urn"].replace(":test::iamcreds:", f":{name}::{name}:")
        done = run_plan("-", "--marker", "prod", "--commit", "0123abc", given=make_preview(step | {"urn": urn}))
        line = done.stdout.splitlines()[3]
        assert line.startswith("Commit 0123abc, project <code>")
        assert not {"*", "|", "@", "`"} & set(line)
        assert len(done.stdout) < MAX_LENGTH


def test_standard_input() -> None:
    """A preview can be read from standard input."""
    assert run_plan("-", given=(RECORDED / "drift.json").read_text()).stdout == run_recorded("drift").stdout


def test_failed_preview() -> None:
    """A failed preview results in a comment that reports it, and in exit code 1, whatever the gate."""
    done = run_recorded("failed", "--max-removals", "0")
    assert done.exit_code == 1
    assert "**The preview failed**" in done.stdout
    assert "because it is protected" in done.stdout
    assert "Refused" not in done.output
    assert done.stderr.startswith("Error: the preview failed: Preview failed: resource")
    assert done.stderr.count("\n") == 1


def test_unreachable_endpoint() -> None:
    """The provider's error about an unreachable endpoint is in the comment and in the error message."""
    done = run_recorded("unreachable")
    assert done.exit_code == 1
    assert "no response from AWS (Could not connect" in done.stdout
    assert "no response from AWS (Could not connect" in done.stderr


def test_what_went_wrong_comes_first() -> None:
    """The error of a resource is listed first, and the last line has only this one; subsequent errors are below it."""
    urn = f"urn:pulumi:test::iamcreds::{CREDENTIAL}::jane/codecommit"
    said = [
        {"severity": "error", "message": "error: Resource monitor has terminated, shutting down"},
        {"severity": "error", "message": "error: this is what went wrong", "urn": urn},
    ]
    done = run_plan("-", given=make_preview(diagnostics=said))
    assert done.stdout.index("this is what went wrong") < done.stdout.index("Resource monitor has terminated")
    assert done.stderr == "Error: the preview failed: this is what went wrong\n"


def test_corrupt_state() -> None:
    """A preview that reports a corrupt state is a failed one."""
    done = run_plan("-", given=make_preview(maybeCorrupt=True))
    assert done.exit_code == 1
    assert "the stack's state may be corrupt" in done.stdout


def make_creations(number: int) -> list[dict[str, Any]]:
    """Return steps that create a credential for each of that many users."""
    return [
        make_step("create", f"user-{n:05}/logs", new={"user": f"user-{n:05}", "service": "logs"}) for n in range(number)
    ]


def make_resets(number: int) -> list[dict[str, Any]]:
    """Return steps that reset a credential of each of that many users, each for a different reason."""
    users = [{"user": f"user-{n:05}", "service": "logs"} for n in range(number)]
    return [make_step("update", f"{old['user']}/logs", old=old, new=old | {"reset": old["user"]}) for old in users]


def test_length() -> None:
    """A plan that is too long for a comment is truncated at whole rows and changes, and the rest is counted."""
    steps = make_resets(3_000)
    done = run_plan("-", given=make_preview(*steps))
    assert done.exit_code == 0
    assert MAX_LENGTH - 2_000 < len(done.stdout) < MAX_LENGTH
    shown = done.stdout.count("| reset |")
    assert f"{3_000 - shown:,} of 3,000 rows, 3,000 of 3,000 property changes are not shown" in done.stdout
    head = "<!-- iamcreds plan: test -->\n### IAM credentials: `test`\n\nProject `iamcreds`, stack `test`\n\n"
    assert done.stdout.startswith(f"{head}3,000 to update")


def test_warnings_before_tables() -> None:
    """A long plan leaves room for warnings and findings, and these leave room for the plan."""
    steps = make_resets(3_000)
    said = [{"severity": "warning", "message": f"warning: {n:05} {'x' * 90}"} for n in range(3_000)]
    done = run_plan("-", given=make_preview(*steps, diagnostics=said))
    assert len(done.stdout) < MAX_LENGTH
    assert done.stdout.count("| reset |") > 300
    assert done.stdout.count("x" * 90) > 100


def test_long_message() -> None:
    """A long message leaves room for the plan."""
    said = [{"severity": "error", "message": f"error: {'x' * 200_000}"}]
    done = run_plan(
        "-", given=make_preview(make_step("create", "a", new={"user": "jane", "service": "logs"}), diagnostics=said)
    )
    assert len(done.stdout) < MAX_LENGTH
    assert "| `a` of `jane` | `logs` | create |" in done.stdout
    assert "… (196,000 more characters)" in done.stdout


def test_same_bytes() -> None:
    """The comment does not depend on the order of steps, because the engine runs them in parallel."""
    shuffled = load_recorded("changes")
    random.Random(4).shuffle(shuffled["steps"])  # noqa: S311 - any order
    shuffled["diagnostics"].reverse()
    assert run_plan("-", given=json.dumps(shuffled)).output == run_recorded("changes").output


def test_access_key_policies() -> None:
    """Changed policies are rows of their users; a user who moves to a different file is not a change."""
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
    assert "2 access key policies" in done.stdout
    assert "| access keys of `jane` | | change policy | `max 1` → `max 1, enforce` | |" in done.stdout
    assert "| access keys of `ann` | | stop watching | `maxAgeDays 90` | |" in done.stdout
    assert "joe" not in done.stdout


def test_keys_that_were_used_are_no_change() -> None:
    """Keys that were used since the last run result in no comment."""
    watched = {"users": {"jane": {"max": 1}}}
    seen = make_step("update", "a", ACCESS_KEYS, old=watched | {"keys": {}}, new=watched | {"keys": {"jane": []}})
    assert run_plan("-", given=make_preview(seen)).output == ""


def test_other_resources() -> None:
    """Other resources of a program are listed, and result in a comment."""
    done = run_plan("-", given=make_preview(make_step("create", "jane", "aws:s3/bucket:Bucket", new={"name": "x"})))
    assert "1 other resource" in done.stdout
    assert "\ncreate aws:s3/bucket:Bucket jane\n" in done.stdout


def test_user_known_after_up() -> None:
    """A user whose name is not known before `up` is shown as unknown."""
    unknown = {"user": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "service": "logs"}
    assert (
        "+   user: (known after up)" in run_plan("-", given=make_preview(make_step("create", "a", new=unknown))).stdout
    )


def test_adoption() -> None:
    """A credential adopted by reset is listed by its id, and counts as a removal, because its password changes."""
    adopting = {"user": "jane", "service": "logs", "existing": "adopt", "adopts": "ACCAEXAMPLE1234567890"}
    preview = make_preview(make_step("create", "jane/logs", new=adopting))
    done = run_plan("-", given=preview)
    assert "\n1 to adopt; the stack has 0 credentials.\n" in done.stdout
    assert "| `jane/logs` from `ACCAEXAMPLE1234567890` | `logs` | adopt, reset | by reset |" in done.stdout
    assert '+   adopts: "ACCAEXAMPLE1234567890"' in done.stdout
    assert run_plan("-", "--max-removals", "0", given=preview).exit_code == 3


def test_unmanaged() -> None:
    """Unmanaged credentials that would be deleted or deactivated are rows with id and user, and count as removals."""
    existing = [
        {"id": "ACCAA", "service": "logs", "status": "Active"},
        {"id": "ACCAB", "service": "logs"},
        {"id": "ACCAC"},
    ]
    acting = {
        "users": {"jane": "delete"},
        "unmanaged": {"jane": existing},
        "deletes": ["ACCAA"],
        "deactivates": ["ACCAB"],
    }
    preview = make_preview(make_step("create", "a.yaml", UNMANAGED, new=acting))
    done = run_plan("-", given=preview)
    deleted = "unmanaged: no spec declares it; deletes a working API key"
    assert f"| `ACCAA` of `jane` | `logs` | delete | {deleted} |" in done.stdout
    assert "| `ACCAB` of `jane` | `logs` | deactivate | unmanaged: no spec declares it |" in done.stdout
    assert "ACCAC" not in done.stdout
    assert "other resource" not in done.stdout
    assert "the stack has 0 credentials" in done.stdout
    assert run_plan("-", "--max-removals", "1", given=preview).exit_code == 3
    quiet = make_preview(make_step("same", "a.yaml", UNMANAGED, old=acting, new=acting))
    assert run_plan("-", given=quiet).stdout == ""
    odd = make_preview(make_step("update", "a.yaml", UNMANAGED, old={}, new={"unmanaged": [7], "deletes": {}}))
    assert run_plan("-", given=odd).exit_code == 0


@pytest.mark.parametrize(
    ("beside", "actions", "notes", "removals"),
    [
        ({}, "adopt", "unchanged; its password is unknown until a reset", 0),
        ({"password": "[secret]"}, "adopt", "unchanged", 0),
        ({"reset": "known"}, "adopt, reset", "by reset; reset trigger `known`", 1),
        (
            {"status": "Inactive", "adopts_status": "Active"},
            "adopt, deactivate",
            "unchanged; its password is unknown until a reset",
            1,
        ),
    ],
)
def test_adoption_by_id(beside: dict[str, str], actions: str, notes: str, removals: int) -> None:
    """A credential that a spec imports is listed as unchanged, and counts only if it is also reset or deactivated."""
    taken = {"user": "jane", "service": "logs", "adopt": "ACCAEXAMPLE1234567890", "adopts": "ACCAEXAMPLE1234567890"}
    preview = make_preview(make_step("create", "jane/logs", new=taken | beside))
    done = run_plan("-", "--max-removals", "0", given=preview)
    assert f"| `jane/logs` from `ACCAEXAMPLE1234567890` | `logs` | {actions} | {notes} |" in done.stdout
    assert "\n1 to adopt; the stack has 0 credentials.\n" in done.stdout
    assert done.exit_code == (3 if removals else 0)


def test_adoption_by_an_id_that_up_will_tell() -> None:
    """This is also true for an id that is an output of a different resource and unknown in a preview."""
    taken = {"user": "jane", "service": "logs", "adopt": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "reset": "lost"}
    done = run_plan("-", "--max-removals", "0", given=make_preview(make_step("create", "x", new=taken)))
    row = "| `x` of `jane` from `(known after up)` | `logs` | adopt, reset | by reset; reset trigger `lost` |"
    assert row in done.stdout
    assert done.exit_code == 3


@pytest.mark.parametrize("taken", [{"existing": "adopt"}, {"adopt": "ACCA"}])
def test_first_adoption_is_one_row(taken: dict[str, str]) -> None:
    """Many adopted credentials are one row with one note; each id is in the property changes."""
    steps = [
        make_step("create", f"user-{number}/logs", new={"user": f"user-{number}", "service": "logs"} | taken | adopts)
        for number in range(54)
        for adopts in [{"adopts": f"ACCA{number:017}"}]
    ]
    done = run_plan("-", "--max-removals", "30%", given=make_preview(*steps))
    rows = [line for line in done.stdout.splitlines() if line.startswith("| `user-")]
    assert len(rows) == 1
    assert "| `user-0/logs` from `ACCA00000000000000000`, " in rows[0]
    assert " and 49 more | `logs` | adopt" in rows[0]
    assert all(f'+   adopts: "ACCA{number:017}"' in done.stdout for number in range(54))
    assert done.exit_code == 0


NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def make_deletion(name: str, created: object) -> dict[str, Any]:
    """Make a step that deletes a credential which was declared at specs/a.yaml:7."""
    step = make_step("delete", name, old={"user": "jane", "service": "logs", "create_date": created})
    step["oldState"]["sourcePosition"] = "project:///specs/a.yaml#7,9"
    return step


@pytest.mark.parametrize(
    ("dates", "note"),
    [
        (["2026-11-29T11:30:00+00:00"], "30 minutes old"),
        (
            ["2026-11-19T12:00:00+00:00", "2025-11-29T12:00:00+00:00", "2026-11-28T12:00:00+00:00"],
            "1 day to 365 days old",
        ),
        (["2026-11-19T12:00:00+00:00", "2026-11-19T11:00:00+00:00"], "10 days old"),
        (["2026-11-19T12:00:00+00:00", None], "10 days old"),
        (["2026-11-30T12:00:00+00:00"], "0 seconds old"),
        (["2026-11-19T12:00:00"], ""),
        (["[secret]"], ""),
        ([7], ""),
    ],
)
def test_deletion(dates: list[object], note: str) -> None:
    """The row of deleted credentials has their ages and the location where they were declared."""
    steps = [make_deletion(f"jane/logs/{number}", created) for number, created in enumerate(dates)]
    comment = render_comment(read_changes(parse_preview(make_preview(*steps))), "prod", NOW)
    names = ", ".join(f"`jane/logs/{number}`" for number in range(len(dates)))
    assert f"| {names} | `logs` | delete | {note} | `specs/a.yaml:7` |\n" in comment


def test_unmanaged_deletion() -> None:
    """The row of an unmanaged credential that is deleted names its user and has its age."""
    existing = [{"id": "ACCAA", "service": "logs", "status": "Active", "created": "2026-11-19T12:00:00+00:00"}]
    acting = {"users": {"jane": "delete"}, "unmanaged": {"jane": existing}, "deletes": ["ACCAA"], "deactivates": []}
    preview = make_preview(make_step("create", "a.yaml", UNMANAGED, new=acting))
    comment = render_comment(read_changes(parse_preview(preview)), "prod", NOW)
    notes = "unmanaged: no spec declares it; deletes a working API key; 10 days old"
    assert f"| `ACCAA` of `jane` | `logs` | delete | {notes} |" in comment


def test_every_unmanaged_deletion_is_named() -> None:
    """However many unmanaged credentials a row counts, each is named with its user below."""
    existing = {f"user-{number}": [{"id": f"ACCA{number:017}", "service": "logs"}] for number in range(9)}
    acting = {"unmanaged": existing, "deletes": [credential["id"] for (credential,) in existing.values()]}
    shown = run_plan("-", given=make_preview(make_step("create", "a.yaml", UNMANAGED, new=acting))).stdout
    assert " and 4 more | `logs` | delete |" in shown
    assert all(f"  {found['id']}\n    user: {user}\n" in shown for user, (found,) in existing.items())


@pytest.mark.parametrize(
    ("op", "sides", "action"),
    [
        ("delete", ("old",), "delete"),
        ("replace", ("old", "new"), "replace"),
    ],
)
def test_expired(op: str, sides: tuple[str, ...], action: str) -> None:
    """A credential that expired since the last update has expired; its status was not changed manually."""
    inputs = {"user": "jane", "service": "logs"}
    expired: dict[str, Any] = {"old": inputs | {"status": "Expired"}, "new": inputs}
    preview = make_preview(
        make_step("refresh", "jane/logs", old=inputs | {"status": "Active"}, new=expired["old"]),
        make_step(op, "jane/logs", CREDENTIAL, **{side: expired[side] for side in sides})
        | {"replaceReasons": ["status"]},
    )
    shown = run_plan("-", given=preview).stdout
    assert f"| {action} | expired |" in shown
    assert "deletes a working" not in shown


def test_lifetime() -> None:
    """The comment shows a changed lifetime; the declared lifetime of an imported key changes nothing in AWS."""
    key = {"user": "jane", "service": "bedrock.amazonaws.com"}
    outputs = {"outputs": key | {"status": "Active"}}
    longer = make_step("replace", "jane/bedrock", old=key | {"age_days": 30}, new=key | {"age_days": 90.0})
    longer["oldState"] |= outputs
    longer["replaceReasons"] = ["age_days"]
    shown = run_plan("-", given=make_preview(longer)).stdout
    assert "| replace | deletes a working API key; changed `age_days` |" in shown
    assert "-   age_days: 30\n" in shown
    assert "+   age_days: 90\n" in shown
    recorded = make_step("update", "jane/bedrock", old=key, new=key | {"age_days": 90})
    recorded["oldState"] |= outputs
    shown = run_plan("-", given=make_preview(recorded)).stdout
    assert "| record | nothing changes in AWS |" in shown
    assert "+   age_days: 90\n" in shown


def test_renamed_user_without_was() -> None:
    """A deletion of a renamed user's credential and the create next to it suggest `was` of the user."""
    service = {"service": "logs.amazonaws.com"}
    jane, janet = ({"user": user, "status": "Active"} | service for user in ("jane", "janet"))
    refresh = make_step("refresh", "jane/logs", old=jane, new=janet)
    gone, new = make_step("delete", "jane/logs", old=janet), make_step("create", "janet/logs", new=janet)
    lines = run_plan("-", given=make_preview(refresh, gone, new)).stdout.splitlines()
    advice = "the IAM user was renamed: to keep the password, declare the new name with `was: jane`"
    assert (
        f"| `jane/logs` of `janet` | `logs.amazonaws.com` | delete | deletes a working API key; {advice} |  |" in lines
    )
    assert f"| `janet/logs` | `logs.amazonaws.com` | create | {advice} |  |" in lines
    inactive = make_step("delete", "joe/logs", old=jane | {"status": "Inactive"})
    assert (
        "| `joe/logs` of `jane` | `logs.amazonaws.com` | delete |  |  |"
        in run_plan("-", given=make_preview(inactive)).stdout
    )
