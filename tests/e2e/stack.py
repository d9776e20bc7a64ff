"""A Pulumi stack in its own folder, run by the real engine."""

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
"""Variables that make the engine record an update at its end, not at each step."""
_PADDING = re.compile(" +:")  # the engine aligns properties


@dataclass(frozen=True)
class Completed:
    """A completed command: its exit code and everything that it printed."""

    code: int
    text: str


@dataclass
class Stack:
    """A stack in its own folder, run by the real `pulumi`; `printed` keeps all output."""

    folder: Path
    env: dict[str, str]
    printed: list[str] = field(default_factory=list)
    seconds: float = SECONDS

    def write_specs(self, **files: str) -> None:
        """Replace the specs folder with these files: `jane="users: …"` becomes jane.yaml."""
        shutil.rmtree(self.folder / "specs", ignore_errors=True)
        (self.folder / "specs").mkdir()
        for name, text in files.items():
            (self.folder / "specs" / f"{name}.yaml").write_text(text)

    def write_program(self, text: str) -> None:
        """Replace the project's program."""
        (self.folder / "__main__.py").write_text(text)

    def run(self, *arguments: str, **env: str) -> Completed:
        """Run pulumi with these arguments; a variable with the value "" is removed from the environment."""
        variables = {name: value for name, value in (self.env | env).items() if value}
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],  # noqa: S607 - found by the PATH of the stack
            cwd=self.folder, env=variables, capture_output=True, text=True, timeout=self.seconds, check=False,
        )  # fmt: skip
        text = done.stdout + done.stderr
        self.printed.append(text)
        return Completed(done.returncode, _PADDING.sub(":", text))

    def succeed(self, *arguments: str, **env: str) -> str:
        """Run pulumi, which must succeed, and return its output."""
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
        """Run a preview, which must find no changes."""
        completed = self.run("preview", "--diff", "--expect-no-changes")
        assert completed.code == 0, completed.text

    def fail(self, *arguments: str, **env: str) -> str:
        """Run pulumi, which must fail without a traceback, and return its output."""
        completed = self.run(*arguments, **env)
        assert completed.code != 0, completed.text
        assert "Traceback" not in completed.text
        assert "unexpected " not in completed.text
        return completed.text

    def read_outputs(self) -> dict[str, Any]:
        """Read the stack's outputs; secrets are masked."""
        return dict(json.loads(self.succeed("stack", "output", "--json")))

    def read_secrets(self) -> dict[str, str]:
        """Read the output `secrets` in clear text, without adding it to `printed`."""
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
    """Create a stack of this project in a subfolder, with the endpoint."""
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
    """Copy a stack to another folder, with the endpoint; other files in the folder stay."""
    shutil.copytree(source, folder, symlinks=True, dirs_exist_ok=True)
    # Pulumi keeps the selected stack by the path of the project, which differs here.
    return Stack(folder / "project", make_environment(folder, engine, url) | {"PULUMI_STACK": "test"})


def add_aws_plugin(stack: Stack, folder: Path) -> None:
    """Add the substitute for the plugin of pulumi-aws to the stack's PATH, which the engine searches first."""
    plugins = folder / "plugins"
    plugins.mkdir()
    script = plugins / "pulumi-resource-aws"
    script.write_text(f'#!/bin/sh\nexec "{ROOT}/.venv/bin/python" "{ROOT}/tests/e2e/aws_plugin.py" "$@"\n')
    script.chmod(0o755)
    stack.env["PATH"] = os.pathsep.join([str(plugins), stack.env["PATH"]])


def find_engine() -> str:
    """Return the folder of the real engine, and build it if necessary. Child processes then respond to SIGINT."""
    heed_interrupts()
    command = [sys.executable, str(ROOT / "tools/engine.py")]
    return str(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def heed_interrupts() -> None:
    """Restore the default handler of SIGINT if this process ignores it, as under `nohup` or in a background job.

    The engine stops its plugins with SIGINT, and kills a plugin that does not end within five seconds.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def make_environment(folder: Path, engine: str, url: str) -> dict[str, str]:
    """Return the environment of a stack, with only the variables that the engine needs.

    Without `metadata=skip`, an engine killed at the wrong moment leaves an empty `.attrs` file next to the state, and
    no later command can read the state (docs/state.md).
    """
    return {
        "PATH": os.pathsep.join([str(ROOT / ".venv/bin"), engine, "/usr/bin", "/bin"]),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PULUMI_HOME": str(folder / "pulumi"),
        "PULUMI_BACKEND_URL": f"{(folder / 'backend').as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
