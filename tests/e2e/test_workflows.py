"""The workflows: their shell steps in order, as CI runs them, with the real engine.

GitHub itself is not available: `gh` is a stub that records its calls, and `uses:` steps are skipped.
"""

from __future__ import annotations

import base64
import json
import pickle
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.existing import list_credentials, set_status
from tests.e2e.runner import COMMIT, GITHUB, Runner, load_workflow
from tests.report.conftest import mailbox

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack
    from tests.report.conftest import Mailbox

__all__ = ["mailbox"]

SPECS = "users: {jane: {credentials: [{service: codecommit, status: Active}]}}"
FEWER = "users: {jane: {credentials: []}}"


FAILED_DRIFT = {
    "drift": "failure",
    "issue": "skipped",
    "code scanning": "skipped",
    "owners": "success",  # which does nothing without the secret
    "notify": "skipped",
}


@pytest.fixture
def runner(stack: Stack, tmp_path: Path, iam: IAMClient) -> Runner:
    """Return a runner on a new stack, and create user jane in the account."""
    iam.create_user(UserName="jane")
    shutil.copytree(GITHUB, stack.folder / ".github")
    return Runner(stack, tmp_path / "runner")


def test_from_pull_request_to_up(runner: Runner, iam: IAMClient) -> None:
    """A comment previews the specs, the merge applies them, and then the same comment reports no changes."""
    runner.stack.write_specs(team=SPECS)
    listed = runner.run("pull-request", "stacks")
    assert [entry["stack"] for entry in json.loads(listed.outputs["steps.stacks.outputs.stacks"])] == ["prod"]
    assert runner.run("pull-request", "validate").text.splitlines()[-1] == "1 file, 1 user, 1 credential"

    first = runner.run("pull-request", "preview")
    assert first.is_green, first.text
    assert first.calls[-1].words.startswith("api --silent --method POST repos/acme/credentials/issues/5/comments")
    assert first.calls[-1].body.startswith("<!-- iamcreds plan: test -->\n")
    assert "1 to create" in first.calls[-1].body
    assert f"\n\nCommit {COMMIT}, project `iamcreds`, stack `test`\n\n" in first.calls[-1].body
    assert first.summary == first.calls[-1].body

    up = runner.run("up", "up")
    assert up.is_green, up.text
    assert list(up.outcomes) == ["validate the specs", "state", "preview", "gate", "up", "rejections"]
    assert "1 to create" in up.summary
    assert f"Commit {COMMIT}, project `iamcreds`, stack `test`" in up.summary
    assert [credential["Status"] for credential in list_credentials(iam, "jane")] == ["Active"]

    again = runner.run("pull-request", "preview", found="42\n43")
    assert again.is_green, again.text
    assert again.calls[-1].words.startswith("api --silent --method PATCH repos/acme/credentials/issues/comments/42")
    assert "No changes" in again.calls[-1].body
    assert "1 to create" not in again.calls[-1].body


NEEDS_JQ = pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
OUTDATED = "**Outdated**: this preview is of a different commit. Commit {} has no preview yet."


@NEEDS_JQ
def test_outdated_comment(runner: Runner) -> None:
    """A commit that fails before its preview marks the previous comment as outdated; the next preview overwrites it."""
    first, broken, fixed = ("1" * 40, "2" * 40, "3" * 40)
    runner.write_comments()
    runner.stack.write_specs(team=SPECS)
    runner.commit = first
    assert all(job.is_green for job in runner.run_all("pull-request").values())
    (comment,) = runner.read_comments()
    assert comment.splitlines()[:5] == [
        "<!-- iamcreds plan: test -->",
        "### IAM credentials: `test`",
        "",
        f"Commit {first}, project `iamcreds`, stack `test`",
        "",
    ]

    runner.stack.write_specs(team="users: [")
    runner.commit = broken
    jobs = runner.run_all("pull-request")
    assert list(jobs) == ["outdate", "stacks", "validate"]
    assert not jobs["validate"].is_green
    marker, rest = comment.split("\n", 1)
    assert runner.read_comments() == [f"{marker}\n{OUTDATED.format(broken)}\n{rest}"]

    runner.stack.write_specs(team=SPECS)
    runner.commit = fixed
    assert all(job.is_green for job in runner.run_all("pull-request").values())
    assert runner.read_comments() == [comment.replace(first, fixed)]


@NEEDS_JQ
def test_outdated_comments(runner: Runner) -> None:
    """Only own comments for other commits are marked, even of removed stacks; marks are replaced and removed."""
    bot, old, new = "github-actions[bot]", "1" * 40, "2" * 40
    marker = "<!-- iamcreds plan: {} -->\n"
    head = "### IAM credentials\n\n"
    ours = [marker.format(name) + "{}" + f"{head}Commit {old}, project `a`\n\ttab\u2028\n" for name in ("prod", "gone")]
    before_this_line = marker.format("early") + "{}### IAM credentials\n\nNo changes."
    others = [
        ("jane", ours[0].format("")),
        (bot, f"> {ours[0].format('')}"),
        (bot, f"<!-- another workflow -->\n{head}Commit {old}, project `a`"),
        (bot, ""),
        (bot, f"{marker.format('prod')}{head}Commit {new}, project `a`\n\nCommit {old}, project"),
    ]
    runner.write_comments(*others, *((bot, body.format("")) for body in [*ours, before_this_line]))
    for commit in (new, "3" * 40, "3" * 40):
        runner.commit = commit
        outdated = runner.run("pull-request", "outdate")
        assert outdated.is_green, outdated.text
        kept = len(others) if commit == new else len(others) - 1
        assert runner.read_comments()[:kept] == [body for _, body in others[:kept]]
        mark = f"{OUTDATED.format(commit)}\n"
        assert runner.read_comments()[len(others) :] == [body.format(mark) for body in [*ours, before_this_line]]
    assert len(outdated.calls) == 1, "a comment was edited although nothing changes"
    runner.commit = old
    assert runner.run("pull-request", "outdate").is_green
    assert runner.read_comments()[len(others) : -1] == [body.format("") for body in ours]


@NEEDS_JQ
def test_no_comments(runner: Runner) -> None:
    """A pull request without comments has nothing to mark."""
    runner.write_comments()
    outdated = runner.run("pull-request", "outdate")
    assert outdated.is_green, outdated.text
    assert len(outdated.calls) == 1


def test_refused_preview(runner: Runner, iam: IAMClient) -> None:
    """The comment lists everything that `up` would reject, with its source location, and not as a change."""
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    unmanaged = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    runner.stack.write_specs(team=SPECS, ghosts="users: {ghost: {credentials: [{service: bedrock}]}}")
    preview = runner.run("pull-request", "preview")
    assert preview.outcomes == {"state": "success", "preview": "success", "comment": "failure"}
    comment = preview.calls[-1].body
    assert "**2 rejections**" in comment
    assert "2 rejected" in comment
    assert re.search(r"^ *specs/team\.yaml:1:\d+: jane/codecommit: .*" + unmanaged, comment, re.MULTILINE)
    assert re.search(r"^ *specs/ghosts\.yaml:1:\d+: ghost/bedrock: .*ghost", comment, re.MULTILINE)
    assert "No changes" not in comment
    assert "refused:" not in comment.split("Property changes")[-1]


def test_adoption(runner: Runner, iam: IAMClient) -> None:
    """A preview comment has the id of a credential to adopt, and the gate counts it."""
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    unmanaged = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    runner.stack.write_specs(team="users: {jane: {credentials: [{service: codecommit, existing: adopt}]}}")
    preview = runner.run("pull-request", "preview")
    assert preview.is_green, preview.text
    assert "1 to adopt" in preview.calls[-1].body
    row = f"| `jane/codecommit` from `{unmanaged}` | `codecommit.amazonaws.com` | adopt, reset | by reset |"
    assert row in preview.calls[-1].body
    up = runner.run("up", "up", max_removals="0")
    assert up.outcomes["gate"] == "failure"
    assert runner.run("up", "up", max_removals="1").is_green
    again = runner.run("pull-request", "preview", found="42")
    assert "No changes" in again.calls[-1].body


def test_refused_up(runner: Runner, iam: IAMClient) -> None:
    """Too many removals are rejected before `up`, as the summary reports, and are applied with a higher limit."""
    runner.stack.write_specs(team=SPECS)
    assert runner.run("up", "up").is_green
    runner.stack.write_specs(team=FEWER)
    refused = runner.run("up", "up", max_removals="0")
    assert refused.outcomes == {
        "validate the specs": "success",
        "state": "success",
        "preview": "success",
        "gate": "failure",
        "up": "skipped",
        "rejections": "skipped",
    }
    assert "**Rejected**: 1 of 1 credentials (100%) would be deleted" in refused.summary
    assert len(list_credentials(iam, "jane")) == 1
    assert runner.run("up", "up", max_removals="1").is_green
    assert list_credentials(iam, "jane") == []


def test_rotations(runner: Runner, iam: IAMClient, emulator: Emulator) -> None:
    """Scheduled runs rotate within the rotation limit, and retire after the overlap; neither is a removal."""
    a_day = 86_400
    runner.stack.write_specs(
        team="users: {jane: {credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]}}"
    )
    emulator.controls.set(clock_shift=-109 * a_day)
    assert runner.run("up", "up").is_green
    (first,) = list_credentials(iam, "jane")

    emulator.controls.set(clock_shift=-9 * a_day)
    rejected = runner.run("up", "up", max_rotations="0")
    assert rejected.outcomes["gate"] == "failure"
    assert rejected.outcomes["up"] == "skipped"
    assert "**Rejected**: 1 of 1 credentials (100%) would be rotated, but the limit is 0." in rejected.summary
    assert list_credentials(iam, "jane") == [first]
    rotated = runner.run("up", "up", max_rotations="1", max_removals="0")
    assert rotated.is_green, rotated.text
    assert f"{first['ServiceSpecificCredentialId']} stays valid for the overlap" in rotated.summary
    assert [each["Status"] for each in list_credentials(iam, "jane")] == ["Active", "Active"]

    emulator.controls.set(clock_shift=0)
    retired = runner.run("up", "up", max_rotations="0", max_removals="0")
    assert retired.is_green, retired.text
    assert "1 to retire; the stack has 1 credential." in retired.summary
    statuses = {each["ServiceSpecificCredentialId"]: each["Status"] for each in list_credentials(iam, "jane")}
    assert statuses.pop(first["ServiceSpecificCredentialId"]) == "Inactive"
    assert list(statuses.values()) == ["Active"]


def test_rejections_and_a_leaver(runner: Runner, iam: IAMClient) -> None:
    """If the preview rejects a credential, a leaver's credential is deleted, a reset is done, and the job fails."""
    for user in ("joe", "leaver"):
        iam.create_user(UserName=user)
    specs = "users: {{jane: {{credentials: [{}]}}, joe: {{credentials: [{}]}}, leaver: {{credentials: [{}]}}}}"
    runner.stack.write_specs(team=specs.format("", "{service: logs}", "{service: codecommit}"))
    assert runner.run("up", "up").is_green
    (before,) = list_credentials(iam, "joe")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    (unmanaged,) = list_credentials(iam, "jane")
    runner.stack.write_specs(team=specs.format("{service: codecommit}", "{service: logs, reset: lost}", ""))

    preview = runner.run("pull-request", "preview")
    assert preview.outcomes == {"state": "success", "preview": "success", "comment": "failure"}
    assert "1 to update (1 reset), 1 to delete, 1 rejected; the stack has 2 credentials." in preview.calls[-1].body

    over = runner.run("up", "up", max_removals="1")
    assert over.outcomes["gate"] == "failure"
    assert over.outcomes["up"] == over.outcomes["rejections"] == "skipped"
    assert len(list_credentials(iam, "leaver")) == 1

    up = runner.run("up", "up", max_removals="2")
    assert up.outcomes["gate"] == "success"
    assert up.outcomes["up"] == up.outcomes["rejections"] == "failure"
    assert "**1 rejection**" in up.summary
    assert str(unmanaged["ServiceSpecificCredentialId"]) in up.text
    assert list_credentials(iam, "leaver") == []
    assert list_credentials(iam, "jane") == [unmanaged]
    assert [existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, "joe")] == [
        before["ServiceSpecificCredentialId"]
    ]
    resources = runner.stack.read_resources()
    assert resources.keys() == {"joe/logs"}
    assert resources["joe/logs"]["inputs"]["reset"] == "lost"


def test_rejections_and_a_failure(runner: Runner, iam: IAMClient) -> None:
    """If the preview has any other error next to rejections, the merge workflow changes nothing."""
    specs = "users: {{jane: {{credentials: [{}]}}, ghost: {{credentials: [{}]}}}}"
    runner.stack.write_specs(team=specs.format("{service: logs, protect: true}", ""))
    assert runner.run("up", "up").is_green
    runner.stack.write_specs(team=specs.format("{service: codecommit}", "{service: codecommit}"))
    up = runner.run("up", "up", max_removals="9")
    assert up.outcomes["gate"] == "failure"
    assert up.outcomes["up"] == "skipped"
    assert "protect" in up.summary
    assert "ghost/codecommit: the account has no IAM user ghost" in up.summary
    assert [existing["ServiceName"] for existing in list_credentials(iam, "jane")] == ["logs.amazonaws.com"]


def test_failed_up(runner: Runner, iam: IAMClient, emulator: Emulator) -> None:
    """A leaver's credential is deleted even if a different one cannot be created, and the job fails."""
    runner.stack.write_specs(team=SPECS)
    assert runner.run("up", "up").is_green
    iam.create_user(UserName="joe")
    emulator.controls.fail(
        "iam:CreateServiceSpecificCredential", times=50, status=403, code="AccessDenied", message="no"
    )
    runner.stack.write_specs(team="users: {jane: {credentials: []}, joe: {credentials: [{service: codecommit}]}}")
    failed = runner.run("up", "up", max_removals="1")
    assert failed.outcomes["up"] == "failure"
    assert "AccessDenied" in failed.text
    assert list_credentials(iam, "jane") == list_credentials(iam, "joe") == []


def test_credential_created_after_the_gate(runner: Runner, iam: IAMClient, emulator: Emulator) -> None:
    """A credential that appears between gate and `up` is not adopted, and the next run shows it before it adopts it."""
    runner.stack.write_specs(
        team="users: {jane: {credentials: [{service: codecommit, existing: adopt}, {service: logs}]}}"
    )
    create = "boto3.client('iam', 'us-east-1').create_service_specific_credential"
    script = f"import boto3; {create}(UserName='jane', ServiceName='codecommit.amazonaws.com')"
    pulumi = runner.folder / "pulumi"
    pulumi.write_text(
        f'#!/bin/sh\n[ "$1" != up ] || "{sys.executable}" -c "{script}"\n'
        f'PATH="{runner.stack.env["PATH"]}"\nexec pulumi "$@"\n'
    )
    pulumi.chmod(0o755)
    rejected = runner.run("up", "up")
    assert rejected.outcomes["gate"] == "success"
    assert rejected.outcomes["up"] == "failure"
    own = next(
        existing for existing in list_credentials(iam, "jane") if existing["ServiceName"] == "codecommit.amazonaws.com"
    )
    assert f"cannot adopt or import credential {own['ServiceSpecificCredentialId']} of user jane" in rejected.text
    assert emulator.controls.counts().get("iam:ResetServiceSpecificCredential", 0) == 0
    assert set(runner.stack.read_resources()) >= {"jane/logs"}
    pulumi.unlink()
    adopted = runner.run("up", "up")
    assert adopted.is_green, adopted.text
    assert f"from `{own['ServiceSpecificCredentialId']}`" in adopted.summary
    assert emulator.controls.counts()["iam:ResetServiceSpecificCredential"] == 1


def test_drift(runner: Runner, iam: IAMClient, mailbox: Mailbox) -> None:
    """Drift opens one issue, later runs edit it, and the first without drift closes it; none is touched in between.

    A run with drift sends a notification if the secret with the addresses is set, and no other run does.
    """
    runner.notify_urls = mailbox.url
    runner.stack.write_specs(team=SPECS)
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    clean = runner.run("drift", "drift")
    assert clean.is_green, clean.text
    assert clean.outcomes["notify"] == "skipped"
    assert [call.words.split()[:2] for call in clean.calls] == [["issue", "list"]]

    set_status(iam, "jane", "Inactive")
    runner.notify_urls = ""
    opened = runner.run("drift", "drift")
    assert opened.is_green, opened.text
    assert (opened.outcomes["notify"], mailbox.mails) == ("success", [])
    assert [call.words.split()[:2] for call in opened.calls] == [
        ["issue", "list"],
        ["label", "create"],
        ["issue", "create"],
    ]
    assert "jane" in opened.calls[-1].body
    assert "--label drift test" in opened.calls[-1].words
    assert opened.calls[-1].body in opened.summary

    runner.notify_urls = mailbox.url
    edited = runner.run("drift", "drift", found="7")
    assert edited.is_green, edited.text
    assert len(mailbox.mails) == 1
    assert mailbox.url not in edited.text + edited.summary
    assert [call.words.split()[:3] for call in edited.calls][1:] == [["issue", "edit", "7"]]
    assert edited.calls[-1].body == opened.calls[-1].body

    set_status(iam, "jane", "Active")
    closed = runner.run("drift", "drift", found="7")
    assert [call.words.split()[:3] for call in closed.calls][1:] == [["issue", "close", "7"]]


def test_owners(runner: Runner, emulator: Emulator, mailbox: Mailbox) -> None:
    """If the secret with the mail server is set, owners get notices, also after a failure.

    With the state, as the backend has it, the notices include rotations.
    """
    a_day = 86_400
    runner.stack.write_specs(
        team="users: {jane: {owner: 'mailto:team@example.com', credentials: [{service: bedrock, expire: {after: 100d}},"
        " {service: keyspaces, rotate: {every: 100d, overlap: 7d}}]}}"
    )
    emulator.controls.set(clock_shift=-93.5 * a_day)
    assert runner.run("up", "up").is_green
    emulator.controls.set(clock_shift=0)
    unset = runner.run("drift", "drift")
    assert unset.is_green, unset.text
    assert (unset.outcomes["owners"], mailbox.mails) == ("success", [])

    runner.owners_url = mailbox.url
    sent = runner.run("drift", "drift")
    assert sent.is_green, sent.text
    assert "sent 1 notice to 1 owner" in sent.text
    assert mailbox.recipients == [["team@example.com"]]
    assert mailbox.mails[0]["Subject"] == "iamcreds: 1 notice about account 123456789012"
    assert mailbox.url not in sent.text + sent.summary

    failed = runner.run("drift", "drift", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert failed.outcomes == FAILED_DRIFT | {"owners": "failure"}
    assert mailbox.recipients == [["team@example.com"]] * 2
    assert "unknown dates" in str(mailbox.mails[1]["Subject"])

    (file,) = (runner.stack.folder.parent / "backend").rglob("stacks/**/test.json")
    command = 'cat "$STATE" | iamcreds drift specs --state - --notify owners --period 25h'
    runner.run_step("bash -euo pipefail {0}", command, {"STATE": str(file), "IAMCREDS_OWNERS_URL": mailbox.url})
    assert "sent 2 notices to 1 owner\n" in runner.text


def test_wrong_spec(runner: Runner, iam: IAMClient) -> None:
    """A spec that cannot be read is annotated at its line, and stops every workflow before any other step."""
    runner.stack.write_specs(team="users: {jane: {credentials: [{servise: codecommit}]}}")
    told = runner.run("pull-request", "validate")
    assert not told.is_green
    assert "::error file=specs/team.yaml,line=1," in told.text
    up = runner.run("up", "up")
    assert list(up.outcomes.values()) == ["failure", *["skipped"] * 5]
    drift = runner.run("drift", "drift", found="7")
    assert drift.outcomes == FAILED_DRIFT
    assert "specs/team.yaml:1:" in drift.text
    assert drift.calls == []
    assert list_credentials(iam, "jane") == []


def test_unreachable_endpoint(runner: Runner) -> None:
    """Without a response from AWS, the comment reports the failure, nothing is applied, and no issue changes."""
    runner.stack.write_specs(team=SPECS)
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    preview = runner.run("pull-request", "preview", env=nowhere)
    assert preview.outcomes == {"state": "success", "preview": "failure", "comment": "failure"}
    assert "**The preview failed**" in preview.calls[-1].body
    assert "no response from AWS" in preview.calls[-1].body
    up = runner.run("up", "up", env=nowhere)
    assert list(up.outcomes.values()) == ["success", "success", "failure", "failure", "skipped", "skipped"]
    assert "no response from AWS" in up.summary
    drift = runner.run("drift", "drift", found="7", env=nowhere)
    assert drift.outcomes == FAILED_DRIFT
    assert "no response from AWS" in drift.text
    assert drift.calls == []


def test_engine_that_says_nothing(runner: Runner) -> None:
    """An engine that ends before any output fails the job with one error, and an existing comment stays."""
    done = runner.run("pull-request", "preview", found="42", env={"PULUMI_STACK": "nobody"})
    assert done.outcomes == {"state": "failure", "preview": "skipped", "comment": "skipped"}
    assert "this is not the output of `pulumi stack export`: " in done.text
    assert done.calls == []


def test_foreign_state(runner: Runner, iam: IAMClient) -> None:
    """A state with unknown code stops pull request and `up` before any of it runs, and both name the resource."""
    runner.stack.write_specs(team=SPECS)
    assert runner.run("up", "up").is_green
    trace = runner.folder / "was-here"
    provider = base64.b64encode(pickle.dumps(Foreign(["touch", str(trace)]))).decode()
    write_provider(runner.stack, provider)
    for workflow, job in (("pull-request", "preview"), ("up", "up")):
        stopped = runner.run(workflow, job)
        assert stopped.outcomes["state"] == "failure"
        assert stopped.outcomes["preview"] == "skipped"
        assert stopped.calls == []
        assert "ServiceSpecificCredential::jane/codecommit: its provider does not belong to iamcreds" in stopped.text
    assert not trace.exists()
    assert len(list_credentials(iam, "jane")) == 1
    runner.stack.run("preview")  # the preview without this check
    assert trace.exists(), "the attack no longer works, so the test proves nothing"


class Foreign(list[str]):
    """A command that runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return subprocess.call, (list(self),)


def write_provider(stack: Stack, provider: str) -> None:
    """Replace the provider in the state of the stack, as anyone with write access can."""
    folder = stack.folder.parent / "backend"
    file = next(folder.rglob("stacks/**/test.json"))
    state = json.loads(file.read_text())
    for resource in state["checkpoint"]["latest"]["resources"]:
        for side in ("inputs", "outputs"):
            if "__provider" in resource.get(side, {}):
                resource[side]["__provider"] = provider
    file.write_text(json.dumps(state))


def test_private_files(runner: Runner) -> None:
    """Files that the jobs with a role leave are readable only by their own user."""
    runner.stack.write_specs(team=SPECS)
    runner.run("pull-request", "stacks")  # creates the runner's own files
    before = set(runner.folder.rglob("*")) | set(runner.stack.folder.parent.rglob("*"))
    for workflow, job in (("pull-request", "preview"), ("up", "up"), ("drift", "drift")):
        assert runner.run(workflow, job).is_green
    made = {*runner.folder.rglob("*"), *runner.stack.folder.parent.rglob("*")} - before
    assert any(path.suffix == ".json" for path in made)
    open_to_others = [path for path in made if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o077]
    assert [path for path in open_to_others if path.stat().st_size] == []


@NEEDS_JQ
def test_own_comment_is_found() -> None:
    """The filter finds only the comment of iamcreds for this stack, not one that quotes its marker."""
    script = next(
        step["run"]
        for step in load_workflow("pull-request")["jobs"]["preview"]["steps"]
        if step.get("name") == "comment"
    )
    chosen = re.search(r"ours='(.*)'", script)
    assert chosen
    marker = "<!-- iamcreds plan: prod -->"
    comments = [
        ("human", f"{marker} stolen"),
        ("github-actions[bot]", "<!-- iamcreds plan: prod-eu -->\n"),
        ("github-actions[bot]", f"{marker}\n"),
    ]
    shown = [{"id": number, "user": {"login": who}, "body": body} for number, (who, body) in enumerate(comments)]
    done = subprocess.run(
        [str(shutil.which("jq")), chosen[1]],
        env={"MARKER": marker},
        input=json.dumps(shown),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2\n"
