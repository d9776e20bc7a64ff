"""The permissions and the steps of the workflows, according to their text."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.report.sarif.differences import format_drift
from tests.e2e.runner import GITHUB, load_workflow, read_workflow
from tests.e2e.stack import ROOT
from tests.report.test_sarif import CHECKOUT, WHOLE
from tests.report.test_waived import BOTH

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
PROJECT_SETUP = ROOT / "iamcreds/project/templates/.github/actions/setup/action.yml"
"""The only file of a team's own workflows that is not copied from ours."""
JOBS = {f"{path.stem}: {name}": job for path in WORKFLOWS for name, job in load_workflow(path.stem)["jobs"].items()}
TRUSTED = {name: job for name, job in JOBS.items() if job["permissions"].get("id-token") == "write"}
"""The jobs that may assume a role."""
SCANNING = {"contents": "read", "actions": "read", "security-events": "write"}
PERMISSIONS = {
    "build": {"build": {"contents": "read"}},
    "code-scanning": {"upload": SCANNING},
    "pull-request": {
        "outdate": {"pull-requests": "write"},
        "stacks": {"contents": "read"},
        "validate": {"contents": "read"},
        "code-scanning": SCANNING,
        "build": {"contents": "read"},
        "preview": {"contents": "read", "id-token": "write", "pull-requests": "write"},
    },
    "test": {"test": {"contents": "read"}},
    "up": {
        "stacks": {"contents": "read"},
        "build": {"contents": "read"},
        "up": {"contents": "read", "id-token": "write"},
    },
    "drift": {
        "stacks": {"contents": "read"},
        "build": {"contents": "read"},
        "drift": {"contents": "read", "id-token": "write", "issues": "write"},
        "code-scanning": SCANNING,
    },
}


def test_permissions() -> None:
    """Each job has the permissions that it needs, and the workflow itself has none."""
    found = {path.stem: load_workflow(path.stem) for path in WORKFLOWS}
    assert all(workflow["permissions"] == {} for workflow in found.values())
    assert {
        name: {job: definition["permissions"] for job, definition in workflow["jobs"].items()}
        for name, workflow in found.items()
    } == PERMISSIONS


def test_validation_is_offline() -> None:
    """Jobs that run for every pull request have no secrets, and jobs with secrets run only for our own branches."""
    jobs = load_workflow("pull-request")["jobs"]
    for name in ("stacks", "validate"):
        assert not re.search(r"secrets\.|role-to-assume|token", json.dumps(jobs[name]))
    assert "github.event.pull_request.head.repo.full_name == github.repository" in jobs["preview"]["if"]


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS, PROJECT_SETUP], ids=lambda path: str(path.relative_to(ROOT)))
def test_pinned_and_quoted(path: Path) -> None:
    """Actions are ours or pinned by commit, no expression gets into a shell, and no code of a fork has permissions."""
    text = path.read_text()
    pinned = re.compile(r"\./\S+|[\w-]+/[\w-]+(/[\w-]+)?@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert all(pinned.fullmatch(used) for used in re.findall(r"uses: (.*)", text))
    content = read_workflow(text)
    jobs = list(content["jobs"].values()) if "jobs" in content else [content["runs"]]
    jobs = [job for job in jobs if "steps" in job]  # the others are reusable workflows
    steps = [step for job in jobs for step in job["steps"]]
    assert not any("${{" in step.get("run", "") for step in steps)
    assert all(job.get("timeout-minutes") for job in jobs if "runs-on" in job)
    assert all(step["with"] == {"persist-credentials": False} for step in steps if "checkout" in step.get("uses", ""))
    assert "pull_request_target" not in json.dumps(content.get("on"))
    shells = {step["shell"] for step in steps if "shell" in step} or {content["defaults"]["run"]["shell"]}
    assert shells == {"bash -euo pipefail {0}"}


def test_comments_of_other_commits() -> None:
    """The job that marks comments runs first, under the conditions of the preview, without code and without a role."""
    workflow = load_workflow("pull-request")
    outdate, preview = (workflow["jobs"][name] for name in ("outdate", "preview"))
    assert "needs" not in outdate
    assert outdate["if"] == preview["if"]
    assert [list(step) for step in outdate["steps"]] == [["name", "env", "run"]]
    assert outdate["steps"][0]["env"]["COMMIT"] == "${{ github.event.pull_request.head.sha }}"
    assert "outdate" in preview["needs"]
    assert workflow["concurrency"]["group"] == "pull request ${{ github.event.pull_request.number }}"
    assert workflow["concurrency"]["cancel-in-progress"] is True
    assert "!cancelled()" in preview["steps"][-1]["if"]


def test_approved_plan() -> None:
    """The merge workflow applies the plan of its own gate, after the reviewers released the job."""
    job = load_workflow("up")["jobs"]["up"]
    steps = {step.get("name"): step for step in job["steps"]}
    assert '--approve "$RUNNER_TEMP/approved.json" --specs "$SPECS"' in steps["gate"]["run"]
    assert steps["gate"]["env"]["SPECS"] == steps["validate the specs"]["env"]["SPECS"] == "${{ matrix.specs }}"
    assert 'export IAMCREDS_APPROVED="$RUNNER_TEMP/approved.json"\npulumi up ' in steps["up"]["run"]
    assert [name for name in steps if name][-4:] == ["preview", "gate", "up", "rejections"]
    assert job["environment"] == "${{ matrix.stack }}"


def test_rejections() -> None:
    """Previews complete with rejections; the merge workflow continues only if these are the sole errors, and fails."""
    steps = {step.get("name"): step for step in load_workflow("up")["jobs"]["up"]["steps"]}
    previews = [steps["preview"], *load_workflow("pull-request")["jobs"]["preview"]["steps"]]
    reporting = [step["env"].get("IAMCREDS_REJECTIONS") for step in previews if step.get("name") == "preview"]
    assert reporting == ["report", "report"]
    assert '|| code=$?\necho "code=$code" >>"$GITHUB_OUTPUT"\n[ "$code" = 4 ] || exit "$code" ' in steps["gate"]["run"]
    assert "if" not in steps["up"]
    assert steps["rejections"]["if"] == "${{ !cancelled() && steps.gate.outputs.code == '4' }}"
    assert steps["rejections"]["run"].endswith("exit 1\n")
    assert "IAMCREDS_REJECTIONS" not in steps["up"]["env"]


def test_trusted_jobs() -> None:
    """Three jobs may assume a role, each one its own."""
    assert {name: find_role(job) for name, job in TRUSTED.items()} == {
        "drift: drift": "${{ matrix.driftRole }}",
        "pull-request: preview": "${{ matrix.readRole }}",
        "up: up": "${{ matrix.writeRole }}",
    }


def find_role(job: dict[str, Any]) -> str:
    """Return the role that a job assumes."""
    roles = [step["with"]["role-to-assume"] for step in job["steps"] if "role-to-assume" in step.get("with", {})]
    assert len(roles) == 1
    return str(roles[0])


@pytest.mark.parametrize("name", sorted(TRUSTED))
def test_nothing_is_built_beside_a_role(name: str) -> None:
    """A job that may assume a role builds and installs nothing: it uses the output of a job without that right."""
    job = TRUSTED[name]
    assert "build" in job["needs"]
    used = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    ours = ["actions/checkout", "./.github/actions/tools", "aws-actions/configure-aws-credentials"]
    assert used == [*ours, "actions/upload-artifact"] if name == "drift: drift" else used == ours
    scripts = [step["run"] for step in [*job["steps"], *read_action("tools")["runs"]["steps"]] if "run" in step]
    assert not re.search(r"\b(make|pip|uv|go|npm|curl|wget|tools/engine\.py)\b", " ".join(scripts))


def test_building_has_no_rights() -> None:
    """The build has neither a token nor secrets, and uses only pinned packages, without those of the tests."""
    text = (GITHUB / "workflows/build.yml").read_text() + (GITHUB / "actions/setup/action.yml").read_text()
    assert not re.search(r"secrets|id-token|role-to-assume|environment:", text)
    setup = read_action("setup")
    assert setup["inputs"]["dev"]["default"] == "false"
    assert "|| '--no-dev'" in text
    assert "UV=.state/uv/bin/uv" in text
    assert "tools/engine.py --pinned" in text
    with_tests = [name for name, job in JOBS.items() if '"dev": "true"' in json.dumps(job)]
    assert with_tests == ["test: test"]


@pytest.mark.parametrize("engine", ["engine-1", None])
def test_handing_over(tmp_path: Path, engine: str | None) -> None:
    """The files of one job are in the same place in the next one, with their modes and links, and on its PATH."""
    work, home = tmp_path / "work", tmp_path / "home"
    programs = [work / ".venv/bin/iamcreds", *([home / f".cache/iamcreds/{engine}/pulumi"] if engine else [])]
    home.mkdir()
    for program in programs:
        program.parent.mkdir(parents=True)
        program.touch(0o755)
    (work / ".venv/bin/python").symlink_to("/usr/bin/python3")
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "RUNNER_TEMP": str(tmp_path)}
    (packing,) = [step for step in JOBS["build: build"]["steps"] if "run" in step]
    (unpacking,) = [step for step in read_action("tools")["runs"]["steps"] if "run" in step]
    for step in (packing, unpacking):
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step["run"]],  # noqa: S607 - found by the runner
            cwd=work, env=variables | {"GITHUB_PATH": str(tmp_path / "path")}, check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if step is packing:
            shutil.rmtree(work / ".venv")
            shutil.rmtree(home)
            home.mkdir()
    assert all(program.stat().st_mode & 0o111 for program in programs)
    assert (work / ".venv/bin/python").is_symlink()
    assert (tmp_path / "path").read_text().splitlines() == [str(program.parent) for program in programs]


def test_one_python() -> None:
    """The build and the jobs that use it have the same Python version."""
    versions = re.findall(r'python-version: "(.*)"', "".join(path.read_text() for path in ACTIONS))
    assert len(versions) == len(ACTIONS)
    assert len(set(versions)) == 1
    assert versions[0].count(".") == 2


def read_action(name: str) -> dict[str, Any]:
    """Return the content of one of our actions."""
    return read_workflow((GITHUB / f"actions/{name}/action.yml").read_text())


@pytest.mark.parametrize("name", sorted(TRUSTED))
def test_files_are_private(name: str) -> None:
    """Every shell with the rights of a role creates files that only its own user can read."""
    assert all(step["run"].startswith("umask 077\n") for step in TRUSTED[name]["steps"] if "run" in step)


@pytest.mark.parametrize("name", ["pull-request: preview", "up: up"])
def test_state_is_looked_at_first(name: str) -> None:
    """The state is checked before anything uses it, without a passphrase, and plugins are never downloaded."""
    job = TRUSTED[name]
    runs = [step for step in job["steps"] if re.search(r"pulumi (preview|up|stack)", step.get("run", ""))]
    assert "pulumi stack export --non-interactive | iamcreds state check - --settings" in runs[0]["run"]
    assert "if" not in runs[0]
    assert "PULUMI_CONFIG_PASSPHRASE" not in runs[0]["env"]
    assert all("if" not in step for step in runs)
    assert job["env"] == {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}


def test_code_scanning_has_no_code() -> None:
    """The job that can write to code scanning runs none of our code, never for a fork, and is off by default."""
    job = JOBS["code-scanning: upload"]
    assert not [step for step in job["steps"] if "run" in step or step["uses"].startswith("./")]
    writers = [name for name, job in JOBS.items() if "security-events" in job["permissions"]]
    assert writers == ["code-scanning: upload", "drift: code-scanning", "pull-request: code-scanning"]
    for name in writers[1:]:
        assert JOBS[name]["uses"] == "./.github/workflows/code-scanning.yml"
        assert "vars.IAMCREDS_CODE_SCANNING == 'true'" in JOBS[name]["if"]
    ours = "github.event.pull_request.head.repo.full_name == github.repository"
    assert ours in JOBS["pull-request: code-scanning"]["if"]


@pytest.mark.parametrize(("name", "command"), [("pull-request: validate", "validate"), ("drift: drift", "drift")])
def test_code_scanning_finds_its_file(name: str, command: str) -> None:
    """The uploaded file has the name and the path of the written one, under the same condition."""
    written, handed = (step for step in JOBS[name]["steps"] if "IAMCREDS_CODE_SCANNING" in step.get("if", ""))
    taken, uploaded = JOBS["code-scanning: upload"]["steps"][-2:]
    file = f"{command}.sarif"
    assert f'>"$RUNNER_TEMP/{file}"' in written["run"]
    assert "--format sarif" in written["run"]
    assert written["if"] == handed["if"]
    assert handed["with"]["path"].endswith(f"/{file}")
    replaced = "${{ inputs.command }}", command
    assert taken["with"]["name"].replace(*replaced) == handed["with"]["name"]
    assert uploaded["with"]["sarif_file"].replace(*replaced) == handed["with"]["path"]
    called = JOBS[f"{name.partition(':')[0]}: code-scanning"]["with"]
    assert called == {"stacks": "${{ needs.stacks.outputs.stacks }}", "command": command}


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_code_scanning_has_no_waived_findings() -> None:
    """The uploaded file lacks suppressed results, which code scanning would show as open alerts."""
    (step,) = (step for step in JOBS["drift: drift"]["steps"] if step.get("name") == "code scanning")
    (script,) = re.findall("jq '(.*)' ", step["run"])
    command, document = [str(shutil.which("jq")), script], format_drift(BOTH, WHOLE, CHECKOUT)
    kept = subprocess.run(command, input=document, capture_output=True, text=True, check=True)
    expected = json.loads(format_drift(replace(BOTH, waived=()), WHOLE, CHECKOUT))
    assert json.loads(kept.stdout) == expected
    assert json.loads(document) != expected


def test_drift_has_no_state() -> None:
    """The drift job has no passphrase, no backend token and no access to the state; its secrets are for messages."""
    text = json.dumps(JOBS["drift: drift"])
    assert "PULUMI" not in text
    assert re.findall(r"secrets\.\w+", text) == ["secrets.IAMCREDS_OWNERS_URL", "secrets.IAMCREDS_NOTIFY_URLS"]


@pytest.mark.parametrize(("name", "variable"), [("notify", "IAMCREDS_NOTIFY_URLS"), ("owners", "IAMCREDS_OWNERS_URL")])
def test_addresses_are_not_in_a_command(name: str, variable: str) -> None:
    """The addresses of notifications are in the environment only, so neither a log nor a process list has them."""
    (step,) = (step for step in JOBS["drift: drift"]["steps"] if step.get("name") == name)
    assert step["env"][variable] == f"${{{{ secrets.{variable} }}}}"
    assert re.findall(r".*_URL.*", step["run"]) == [f'[ -n "${variable}" ] || exit 0']


def test_notices_after_a_failure() -> None:
    """The step with the notices to owners runs after every failure, with a period longer than that of the schedule."""
    (step,) = (step for step in JOBS["drift: drift"]["steps"] if step.get("name") == "owners")
    assert step["if"] == "${{ !cancelled() }}"
    assert load_workflow("drift")["on"]["schedule"] == [{"cron": "17 5 * * *"}]
    assert '"$SPECS" --notify owners --period 25h ' in step["run"]


@pytest.mark.skipif(not shutil.which("go"), reason="Go is not installed")
def test_actionlint_sees_a_mistake(tmp_path: Path) -> None:
    """The check of the workflows fails for a workflow with a mistake."""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ matrix.b }}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tools.actionlint", str(wrong)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert 'property "b" is not defined' in done.stdout


def test_scheduled_up() -> None:
    """The daily run of `up` requires a repository variable, so an upgrade of the workflows does not start it."""
    for job in ("up: stacks", "up: build"):
        assert "github.event_name != 'schedule' || vars.IAMCREDS_SCHEDULED_UP == 'true'" in JOBS[job]["if"]
    assert JOBS["up: up"]["needs"] == ["stacks", "build"]


def test_rotation_limit() -> None:
    """A variable or the manual run sets the rotation limit, which applies to scheduled runs and pull requests."""
    steps = {
        name: next(step for step in JOBS[name]["steps"] if "iamcreds plan" in step.get("run", ""))
        for name in ("up: up", "pull-request: preview")
    }
    default = "vars.IAMCREDS_MAX_ROTATIONS || '30%' }}"
    assert steps["up: up"]["env"]["MAX_ROTATIONS"] == f"${{{{ inputs.max_rotations || {default}"
    assert steps["pull-request: preview"]["env"]["MAX_ROTATIONS"] == f"${{{{ {default}"
    assert all(step["run"].count('--max-rotations "$MAX_ROTATIONS"') == 1 for step in steps.values())


def test_manual_limits() -> None:
    """A manual run that sets one limit keeps the other one of the repository variable: the inputs have no default."""
    inputs = load_workflow("up")["on"]["workflow_dispatch"]["inputs"]
    assert inputs.keys() == {"max_removals", "max_rotations"}
    assert all(given.keys() == {"description"} for given in inputs.values())
