"""A local GitHub runner: runs the shell steps of a workflow's job in order, on a stack, with a stub of `gh`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.stack import Stack

GITHUB = ROOT / ".github"
CONDITIONS: dict[str | None, Callable[[JobRun], bool]] = {
    None: lambda job: job.is_green,
    "${{ !cancelled() }}": lambda _: True,
    "vars.IAMCREDS_CODE_SCANNING == 'true'": lambda job: job.is_green,
    "${{ !cancelled() && vars.IAMCREDS_CODE_SCANNING == 'true' }}": lambda _: True,
    "${{ !cancelled() && steps.drift.outputs.code == '2' }}": lambda job: (
        job.outputs.get("steps.drift.outputs.code") == "2"
    ),
    "${{ !cancelled() && steps.preview.outcome != 'skipped' }}": lambda job: job.outcomes["preview"] != "skipped",
    "${{ !cancelled() && steps.gate.outputs.code == '4' }}": lambda job: (
        job.outputs.get("steps.gate.outputs.code") == "4"
    ),
}
"""The conditions of steps, each with its evaluation; code scanning is enabled."""
TRUTH = "tag:yaml.org,2002:bool"
EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
GH = ROOT / "tests/e2e/gh.py"
COMMIT = "a" * 40


class WorkflowLoader(yaml.SafeLoader):
    """YAML as GitHub reads it: `on` is a key, not a boolean as in YAML 1.1."""


WorkflowLoader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] != TRUTH]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
WorkflowLoader.add_implicit_resolver(TRUTH, re.compile("true|false"), ["t", "f"])


def read_workflow(text: str) -> dict[str, Any]:
    """Read a workflow or an action."""
    return dict(yaml.load(text, Loader=WorkflowLoader))  # noqa: S506 - a subclass of SafeLoader


def load_workflow(workflow: str) -> dict[str, Any]:
    """Load a workflow of this repository."""
    return read_workflow((GITHUB / "workflows" / f"{workflow}.yml").read_text())


@dataclass(frozen=True)
class Call:
    """A call of the stub of `gh`: its arguments, and the text of the file that it names."""

    words: str
    body: str


@dataclass
class JobRun:
    """The result of a job: outcomes of steps by id or name, outputs, printed text, calls of `gh`, and summary."""

    outcomes: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    text: str = ""
    calls: list[Call] = field(default_factory=list)
    summary: str = ""

    @property
    def is_green(self) -> bool:
        """Return True if GitHub would report success."""
        return "failure" not in self.outcomes.values()


@dataclass
class Runner:
    """A runner of the `run:` steps of a job, in the folder of a stack."""

    stack: Stack
    folder: Path
    commit: str = COMMIT
    notify_urls: str = ""
    owners_url: str = ""

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "gh").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{GH}" "$@"\n')
        (self.folder / "gh").chmod(0o755)

    def write_comments(self, *comments: tuple[str, str]) -> None:
        """Set the comments of the pull request, as author and body. The stub of `gh` filters and edits them."""
        listed = [{"id": n, "user": {"login": user}, "body": body} for n, (user, body) in enumerate(comments, start=1)]
        (self.folder / "comments").write_text(json.dumps(listed))

    def read_comments(self) -> list[str]:
        """Return the bodies of the comments of the pull request."""
        return [comment["body"] for comment in json.loads((self.folder / "comments").read_text())]

    def run_all(self, workflow: str) -> dict[str, JobRun]:
        """Run the jobs of a workflow in order, each if the jobs that it needs are green (called workflows are)."""
        done = dict[str, JobRun]()
        jobs = load_workflow(workflow)["jobs"]
        for name, job in jobs.items():
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            if all("uses" in jobs[each] or (each in done and done[each].is_green) for each in needs) and "steps" in job:
                done[name] = self.run(workflow, name)
        return done

    def run(self, workflow: str, job: str, found: str = "", env: dict[str, str] | None = None, **inputs: str) -> JobRun:
        """Run each step of a job in its own shell if its condition is met; `found` is the result of `gh`."""
        definition = load_workflow(workflow)
        job_run = JobRun()
        steps = [step for step in definition["jobs"][job]["steps"] if "run" in step]
        for name in ("calls", "output", "summary"):
            (self.folder / name).write_text("")
        for step in steps:
            name = step.get("id", step["name"])
            if not CONDITIONS[step.get("if")](job_run):
                job_run.outcomes[name] = "skipped"
                continue
            values = {key: self.expand(str(text), job_run, inputs) for key, text in step.get("env", {}).items()}
            self.run_step(
                definition["defaults"]["run"]["shell"], step["run"], values | {"GH_FOUND": found} | (env or {})
            )
            job_run.outcomes[name] = "success" if self.code == 0 else "failure"
            job_run.text += self.text
            lines = (self.folder / "output").read_text().splitlines()
            job_run.outputs |= {
                f"steps.{name}.outputs.{key}": value for key, value in (line.split("=", 1) for line in lines)
            }
        calls = [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]
        job_run.calls = [Call(" ".join(call["arguments"]), call["body"]) for call in calls]
        job_run.summary = (self.folder / "summary").read_text()
        return job_run

    def run_step(self, shell: str, script: str, env: dict[str, str]) -> None:
        """Run one script with the shell of the workflow."""
        (self.folder / "script").write_text(script)
        command = [word.replace("{0}", str(self.folder / "script")) for word in shell.split()]
        done = subprocess.run(
            command, cwd=self.stack.folder, env=self.make_environment() | env, timeout=200, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.code, self.text = done.returncode, done.stdout
        self.stack.printed.append(done.stdout)

    def make_environment(self) -> dict[str, str]:
        """Return the variables that the runner sets, without those that only the `env` of a step sets."""
        own = ("PULUMI_BACKEND_URL", "PULUMI_STACK")
        kept = {name: value for name, value in self.stack.env.items() if name not in own}
        return kept | {
            "PATH": f"{self.folder}:{self.stack.env['PATH']}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GH_CALLS": str(self.folder / "calls"),
            "GH_COMMENTS": str(self.folder / "comments"),
        }

    def expand(self, text: str, job_run: JobRun, inputs: dict[str, str]) -> str:
        """Expand the expressions in a step's variable: contexts, and `||` between them."""
        contexts = {
            "github.event.pull_request.head.sha": self.commit,
            "github.event.pull_request.number": "5",
            "github.repository": "acme/credentials",
            "github.sha": self.commit,
            "github.token": "a-token",
            "matrix.stack": "test",
            "matrix.specs": "specs",
            "secrets.IAMCREDS_NOTIFY_URLS": self.notify_urls,
            "secrets.IAMCREDS_OWNERS_URL": self.owners_url,
            "secrets.PULUMI_ACCESS_TOKEN": "",
            "secrets.PULUMI_CONFIG_PASSPHRASE": "test",
            "vars.IAMCREDS_MAX_REMOVALS": "",
            "vars.IAMCREDS_MAX_ROTATIONS": "",
            "vars.PULUMI_BACKEND_URL": self.stack.env["PULUMI_BACKEND_URL"],
            "inputs.max_removals": "",
            "inputs.max_rotations": "",
        }
        contexts |= job_run.outputs | {f"inputs.{key}": value for key, value in inputs.items()}

        def put_in(found: re.Match[str]) -> str:
            words = found[1].split(" || ")
            return next(filter(None, (word.strip("'") if word[0] == "'" else contexts[word] for word in words)), "")

        return EXPRESSION.sub(put_in, text)
