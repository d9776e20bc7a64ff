"""A Pulumi stack in a folder of its own, worked by the real engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 200
WITHOUT_CHECKPOINTS = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""What has the engine record a run when it has ended, and not at each step."""
_PADDING = re.compile(" +:")  # the engine aligns the properties it shows


@dataclass(frozen=True)
class Completed:
    """A command that ran to its end: its exit code, and all that it printed."""

    code: int
    text: str


@dataclass
class Stack:
    """A stack in a folder of its own, worked by the real `pulumi`; every word that is printed is kept."""

    folder: Path
    env: dict[str, str]
    printed: list[str] = field(default_factory=list)
    seconds: float = SECONDS

    def write_specs(self, **files: str) -> None:
        """Make the specs folder hold exactly these files: `jane="users: …"` becomes jane.yaml."""
        shutil.rmtree(self.folder / "specs", ignore_errors=True)
        (self.folder / "specs").mkdir()
        for name, text in files.items():
            (self.folder / "specs" / f"{name}.yaml").write_text(text)

    def write_program(self, text: str) -> None:
        """Replace the project's program by another one."""
        (self.folder / "__main__.py").write_text(text)

    def run(self, *arguments: str, **env: str) -> Completed:
        """Run pulumi with these arguments; a variable given as "" is left out."""
        variables = {name: value for name, value in (self.env | env).items() if value}
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],  # noqa: S607 - found by the PATH of the stack
            cwd=self.folder, env=variables, capture_output=True, text=True, timeout=self.seconds, check=False,
        )  # fmt: skip
        text = done.stdout + done.stderr
        self.printed.append(text)
        return Completed(done.returncode, _PADDING.sub(":", text))

    def succeed(self, *arguments: str, **env: str) -> str:
        """Run pulumi, which must succeed; what it printed."""
        completed = self.run(*arguments, **env)
        assert completed.code == 0, completed.text
        return completed.text

    def up(self) -> str:
        """Run `pulumi up`, which must succeed."""
        return self.succeed("up", "--yes", "--skip-preview", "--diff")

    def preview(self) -> str:
        """Run `pulumi preview`, which must succeed."""
        return self.succeed("preview", "--diff")

    def assert_no_changes(self) -> None:
        """Run a preview, which must find nothing to do."""
        completed = self.run("preview", "--diff", "--expect-no-changes")
        assert completed.code == 0, completed.text

    def fail(self, *arguments: str, **env: str) -> str:
        """Run pulumi, which must fail without a traceback; what it printed."""
        completed = self.run(*arguments, **env)
        assert completed.code != 0, completed.text
        assert "Traceback" not in completed.text
        assert "unexpected " not in completed.text
        return completed.text

    def read_outputs(self) -> dict[str, Any]:
        """Read the stack's outputs, secrets masked."""
        return dict(json.loads(self.succeed("stack", "output", "--json")))

    def read_secrets(self) -> dict[str, str]:
        """Read the output `secrets` in clear text, which is not kept among what was printed."""
        shown = subprocess.run(
            ["pulumi", "stack", "output", "--json", "--show-secrets"],  # noqa: S607 - as above
            cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=SECONDS, check=True,
        )  # fmt: skip
        return dict(json.loads(shown.stdout)["secrets"])

    def read_resources(self) -> dict[str, dict[str, Any]]:
        """Read the credentials and watchers in the state, by resource name."""
        state = json.loads(self.succeed("stack", "export"))
        resources = (state["deployment"].get("resources") or []) if state["deployment"] else []
        return {found["urn"].rsplit("::", 1)[1]: found for found in resources if "dynamic" in found["type"]}


def create_stack(folder: Path, engine: str, url: str) -> Stack:
    """Create a stack of this project below the folder, for the endpoint."""
    project = folder / "project"
    project.mkdir()
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, project)
    (project / ".venv").symlink_to(ROOT / ".venv")
    (folder / "backend").mkdir()
    stack = Stack(project, make_environment(folder, engine, url))
    stack.succeed("stack", "init", "test")
    return stack


def copy_stack(source: Path, folder: Path, engine: str, url: str) -> Stack:
    """Copy a stack as it stands in another folder, for the endpoint; nothing that is in the folder is lost."""
    shutil.copytree(source, folder, symlinks=True, dirs_exist_ok=True)
    # The selection of a stack is kept by the project's path, which is another one here.
    return Stack(folder / "project", make_environment(folder, engine, url) | {"PULUMI_STACK": "test"})


def add_aws_plugin(stack: Stack, folder: Path) -> None:
    """Put the stand-in for pulumi-aws' plugin on the stack's PATH, where the engine looks first."""
    plugins = folder / "plugins"
    plugins.mkdir()
    script = plugins / "pulumi-resource-aws"
    script.write_text(f'#!/bin/sh\nexec "{ROOT}/.venv/bin/python" "{ROOT}/tests/e2e/aws_plugin.py" "$@"\n')
    script.chmod(0o755)
    stack.env["PATH"] = os.pathsep.join([str(plugins), stack.env["PATH"]])


def find_engine() -> str:
    """Find the folder of the real engine, which is built when it is not there yet; from now on it ends at once."""
    heed_interrupts()
    command = [sys.executable, str(ROOT / "tools/engine.py")]
    return str(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def heed_interrupts() -> None:
    """Have what this process starts heed SIGINT, which is ignored below `nohup` and what a script runs with `&`.

    The engine ends its plugins by it, and kills one that does not heed it after five seconds.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def make_environment(folder: Path, engine: str, url: str) -> dict[str, str]:
    """Make the environment of a stack: nothing of the person who runs the tests, and all that the engine needs."""
    return {
        "PATH": os.pathsep.join([str(ROOT / ".venv/bin"), engine, "/usr/bin", "/bin"]),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PULUMI_HOME": str(folder / "pulumi"),
        "PULUMI_BACKEND_URL": (folder / "backend").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
