"""The workflows: their shell steps in order, as CI runs them, with the real engine, and what they may do.

GitHub itself is what cannot be had: `gh` is a stub that records what it is asked, and `uses:` steps are left out.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.live import list_credentials, set_status
from tests.e2e.runner import GITHUB, Runner, load_workflow, read_workflow
from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
SPECS = "users: {jane: {credentials: [{service: codecommit, status: Active}]}}"
FEWER = "users: {jane: {credentials: []}}"


@pytest.fixture
def runner(stack: Stack, tmp_path: Path, iam: IAMClient) -> Runner:
    """A runner on a new stack, and an account with jane in it."""
    iam.create_user(UserName="jane")
    shutil.copytree(GITHUB, stack.folder / ".github")
    return Runner(stack, tmp_path / "runner")


def test_from_pull_request_to_up(runner: Runner, iam: IAMClient) -> None:
    """Specs are previewed in a comment and made so after the merge; then the same comment says that nothing changes."""
    runner.stack.write_specs(team=SPECS)
    listed = runner.run("pull-request", "stacks")
    assert [entry["stack"] for entry in json.loads(listed.outputs["steps.stacks.outputs.stacks"])] == ["prod"]
    assert runner.run("pull-request", "validate").text.splitlines()[-1] == "1 file, 1 user, 1 credential"

    first = runner.run("pull-request", "preview")
    assert first.is_green, first.text
    assert first.calls[-1].words.startswith("api --silent --method POST repos/acme/credentials/issues/5/comments")
    assert first.calls[-1].body.startswith("<!-- iamcreds plan: test -->\n")
    assert "1 to create" in first.calls[-1].body
    assert first.summary == first.calls[-1].body

    up = runner.run("up", "up")
    assert up.is_green, up.text
    assert list(up.outcomes) == ["validate the specs", "preview", "gate", "up"]
    assert "1 to create" in up.summary
    assert [credential["Status"] for credential in list_credentials(iam, "jane")] == ["Active"]

    again = runner.run("pull-request", "preview", found="42\n43")
    assert again.is_green, again.text
    assert again.calls[-1].words.startswith("api --silent --method PATCH repos/acme/credentials/issues/comments/42")
    assert "No changes" in again.calls[-1].body
    assert "1 to create" not in again.calls[-1].body


def test_refused_preview(runner: Runner, iam: IAMClient) -> None:
    """What up would refuse is in the comment, all of it with its place, and neither called a change nor none."""
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    foreign = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    runner.stack.write_specs(team=SPECS, ghosts="users: {ghost: {credentials: [{service: bedrock}]}}")
    preview = runner.run("pull-request", "preview")
    assert preview.outcomes == {"preview": "failure", "comment": "failure"}
    comment = preview.calls[-1].body
    assert "**The preview failed**" in comment
    assert "2 refused" in comment
    assert re.search(r"^ *specs/team\.yaml:1:\d+: jane/codecommit: .*" + foreign, comment, re.MULTILINE)
    assert re.search(r"^ *specs/ghosts\.yaml:1:\d+: ghost/bedrock: .*ghost", comment, re.MULTILINE)
    assert "No changes" not in comment
    assert "refused:" not in comment.split("Property changes")[-1]


def test_adoption(runner: Runner, iam: IAMClient) -> None:
    """A credential that is to be taken over is told by its id before the merge, and counts for the gate."""
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    foreign = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    runner.stack.write_specs(team="users: {jane: {credentials: [{service: codecommit, existing: adopt}]}}")
    preview = runner.run("pull-request", "preview")
    assert preview.is_green, preview.text
    assert "1 to adopt" in preview.calls[-1].body
    assert f"| adopt | by reset of `{foreign}` |" in preview.calls[-1].body
    up = runner.run("up", "up", max_removals="0")
    assert up.outcomes["gate"] == "failure"
    assert runner.run("up", "up", max_removals="1").is_green
    again = runner.run("pull-request", "preview", found="42")
    assert "No changes" in again.calls[-1].body


def test_refused_up(runner: Runner, iam: IAMClient) -> None:
    """What takes away too much is refused before up, says so in the summary, and goes through where it is meant."""
    runner.stack.write_specs(team=SPECS)
    assert runner.run("up", "up").is_green
    runner.stack.write_specs(team=FEWER)
    refused = runner.run("up", "up", max_removals="0")
    assert refused.outcomes == {
        "validate the specs": "success",
        "preview": "success",
        "gate": "failure",
        "up": "skipped",
    }
    assert "**Refused**: 1 of 1 credentials (100%) would be deleted" in refused.summary
    assert len(list_credentials(iam, "jane")) == 1
    assert runner.run("up", "up", max_removals="1").is_green
    assert list_credentials(iam, "jane") == []


def test_failed_up(runner: Runner, iam: IAMClient, emulator: Emulator) -> None:
    """A leaver's credential goes even where another's cannot be created, and the job fails all the same."""
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


def test_drift(runner: Runner, iam: IAMClient) -> None:
    """Drift opens one issue, later runs edit it, and the first without drift closes it; none is touched in between."""
    runner.stack.write_specs(team=SPECS)
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    clean = runner.run("drift", "drift")
    assert clean.is_green, clean.text
    assert [call.words.split()[:2] for call in clean.calls] == [["issue", "list"]]

    set_status(iam, "jane", "Inactive")
    opened = runner.run("drift", "drift")
    assert opened.is_green, opened.text
    assert [call.words.split()[:2] for call in opened.calls] == [
        ["issue", "list"],
        ["label", "create"],
        ["issue", "create"],
    ]
    assert "jane" in opened.calls[-1].body
    assert "--label drift test" in opened.calls[-1].words
    assert opened.calls[-1].body in opened.summary

    edited = runner.run("drift", "drift", found="7")
    assert [call.words.split()[:3] for call in edited.calls][1:] == [["issue", "edit", "7"]]
    assert edited.calls[-1].body == opened.calls[-1].body

    set_status(iam, "jane", "Active")
    closed = runner.run("drift", "drift", found="7")
    assert [call.words.split()[:3] for call in closed.calls][1:] == [["issue", "close", "7"]]


def test_wrong_spec(runner: Runner, iam: IAMClient) -> None:
    """A spec that cannot be read is annotated at its line, and stops every workflow before anything else happens."""
    runner.stack.write_specs(team="users: {jane: {credentials: [{servise: codecommit}]}}")
    told = runner.run("pull-request", "validate")
    assert not told.is_green
    assert "::error file=specs/team.yaml,line=1," in told.text
    up = runner.run("up", "up")
    assert list(up.outcomes.values()) == ["failure", "skipped", "skipped", "skipped"]
    drift = runner.run("drift", "drift", found="7")
    assert drift.outcomes == {"drift": "failure", "issue": "skipped"}
    assert "specs/team.yaml:1:" in drift.text
    assert drift.calls == []
    assert list_credentials(iam, "jane") == []


def test_unreachable_endpoint(runner: Runner) -> None:
    """Without an answer from AWS a pull request says so in its comment, nothing is upped, and no issue is touched."""
    runner.stack.write_specs(team=SPECS)
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    preview = runner.run("pull-request", "preview", env=nowhere)
    assert preview.outcomes == {"preview": "failure", "comment": "failure"}
    assert "**The preview failed**" in preview.calls[-1].body
    assert "no answer from AWS" in preview.calls[-1].body
    up = runner.run("up", "up", env=nowhere)
    assert list(up.outcomes.values()) == ["success", "failure", "failure", "skipped"]
    assert "no answer from AWS" in up.summary
    drift = runner.run("drift", "drift", found="7", env=nowhere)
    assert drift.outcomes == {"drift": "failure", "issue": "skipped"}
    assert "no answer from AWS" in drift.text
    assert drift.calls == []


def test_engine_that_says_nothing(runner: Runner) -> None:
    """A preview that dies before it prints anything fails the job by one sentence, and leaves an old comment alone."""
    done = runner.run("pull-request", "preview", found="42", env={"PULUMI_STACK": "nobody"})
    assert done.outcomes == {"preview": "failure", "comment": "failure"}
    assert "this is not what `pulumi preview --json` prints: it is empty" in done.text
    assert [call.words.split()[:2] for call in done.calls] == [["api", "--paginate"]]


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_own_comment_is_found() -> None:
    """The filter finds our comment for this stack, and neither another stack's nor one that quotes the marker."""
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


PERMISSIONS = {
    "pull-request": {
        "stacks": {"contents": "read"},
        "validate": {"contents": "read"},
        "preview": {"contents": "read", "id-token": "write", "pull-requests": "write"},
    },
    "test": {"test": {"contents": "read"}},
    "up": {"stacks": {"contents": "read"}, "up": {"contents": "read", "id-token": "write"}},
    "drift": {
        "stacks": {"contents": "read"},
        "drift": {"contents": "read", "id-token": "write", "issues": "write"},
    },
}


def test_permissions() -> None:
    """Each job has the permissions that it needs, and a workflow as a whole none."""
    found = {path.stem: load_workflow(path.stem) for path in WORKFLOWS}
    assert all(workflow["permissions"] == {} for workflow in found.values())
    assert {
        name: {job: definition["permissions"] for job, definition in workflow["jobs"].items()}
        for name, workflow in found.items()
    } == PERMISSIONS


def test_validation_is_offline() -> None:
    """What runs for everybody's pull request has no secrets, and what has them runs for our own alone."""
    jobs = load_workflow("pull-request")["jobs"]
    for name in ("stacks", "validate"):
        assert not re.search(r"secrets\.|role-to-assume|token", json.dumps(jobs[name]))
    assert "github.event.pull_request.head.repo.full_name == github.repository" in jobs["preview"]["if"]


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, GITHUB / "actions/setup/action.yml"], ids=lambda path: path.parent.name + path.stem
)
def test_pinned_and_quoted(path: Path) -> None:
    """Every action is ours or pinned by its commit, no expression gets into a shell, no stranger's code has rights."""
    text = path.read_text()
    pinned = re.compile(r"\./\S+|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert all(pinned.fullmatch(used) for used in re.findall(r"uses: (.*)", text))
    content = read_workflow(text)
    jobs = content["jobs"].values() if "jobs" in content else [content["runs"]]
    steps = [step for job in jobs for step in job["steps"]]
    assert not any("${{" in step.get("run", "") for step in steps)
    assert all(job.get("timeout-minutes") for job in jobs if "runs-on" in job)
    assert all(step["with"] == {"persist-credentials": False} for step in steps if "checkout" in step.get("uses", ""))
    assert "pull_request_target" not in json.dumps(content.get("on"))
    shells = {step["shell"] for step in steps if "shell" in step} or {content["defaults"]["run"]["shell"]}
    assert shells == {"bash -euo pipefail {0}"}


def test_deploy_examples() -> None:
    """The examples are well-formed, and deleting the operator's object never deletes credentials."""
    policies = [json.loads(path.read_text()) for path in sorted((ROOT / "deploy/aws").glob("*.json"))]
    assert all(policy["Version"] == "2012-10-17" for policy in policies)
    objects = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/stack.yaml").read_text()))
    assert [each["kind"] for each in objects] == ["ServiceAccount", "ClusterRoleBinding", "Stack"]
    assert objects[-1]["spec"]["destroyOnFinalize"] is False


@pytest.mark.skipif(not shutil.which("go"), reason="there is no Go to build actionlint with")
def test_actionlint_sees_a_mistake(tmp_path: Path) -> None:
    """The check of the workflows fails on a workflow with a mistake."""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ matrix.b }}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tools.actionlint", str(wrong)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert 'property "b" is not defined' in done.stdout
