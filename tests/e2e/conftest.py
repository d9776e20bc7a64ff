"""The real engine on a stack of its own, and the embedded IAM it works against."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from iamcreds.emulator.server import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_iam import IAMClient

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 200
_PADDING = re.compile(" +:")  # the engine aligns the properties it shows
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Ran:
    """What a command came to: its exit code, and all that it printed."""

    code: int
    text: str


@dataclass
class Stack:
    """A stack in a folder of its own, worked by the real `pulumi`; every word that is printed is kept."""

    folder: Path
    env: dict[str, str]
    printed: list[str] = field(default_factory=list)

    def specs(self, **files: str) -> None:
        """Make the specs folder hold exactly these files: `jane="users: …"` becomes jane.yaml."""
        shutil.rmtree(self.folder / "specs", ignore_errors=True)
        (self.folder / "specs").mkdir()
        for name, text in files.items():
            (self.folder / "specs" / f"{name}.yaml").write_text(text)

    def program(self, text: str) -> None:
        """Replace the project's program by another one."""
        (self.folder / "__main__.py").write_text(text)

    def run(self, *arguments: str, **env: str) -> Ran:
        """Run pulumi with these arguments; a variable given as "" is left out."""
        variables = {name: value for name, value in (self.env | env).items() if value}
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],  # noqa: S607 - found by the PATH of the stack
            cwd=self.folder, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        text = done.stdout + done.stderr
        self.printed.append(text)
        return Ran(done.returncode, _PADDING.sub(":", text))

    def good(self, *arguments: str, **env: str) -> str:
        """Run pulumi, which must succeed; what it printed."""
        ran = self.run(*arguments, **env)
        assert ran.code == 0, ran.text
        return ran.text

    def up(self) -> str:
        """`pulumi up`, which must succeed."""
        return self.good("up", "--yes", "--skip-preview", "--diff")

    def preview(self) -> str:
        """`pulumi preview`, which must succeed."""
        return self.good("preview", "--diff")

    def assert_no_changes(self) -> None:
        """A preview that finds nothing to do."""
        ran = self.run("preview", "--diff", "--expect-no-changes")
        assert ran.code == 0, ran.text

    def failing(self, *arguments: str, **env: str) -> str:
        """Run pulumi, which must fail without a traceback; what it printed."""
        ran = self.run(*arguments, **env)
        assert ran.code != 0, ran.text
        assert "Traceback" not in ran.text
        assert "unexpected " not in ran.text
        return ran.text

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets masked."""
        return dict(json.loads(self.good("stack", "output", "--json")))

    def secrets(self) -> dict[str, str]:
        """The output `secrets` in clear text; not kept among what was printed."""
        shown = subprocess.run(
            ["pulumi", "stack", "output", "--json", "--show-secrets"],  # noqa: S607 - as above
            cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=SECONDS, check=True,
        )  # fmt: skip
        return dict(json.loads(shown.stdout)["secrets"])

    def resources(self) -> dict[str, dict[str, Any]]:
        """The credentials and watchers in the state, by resource name."""
        state = json.loads(self.good("stack", "export"))
        found = (state["deployment"].get("resources") or []) if state["deployment"] else []
        return {one["urn"].rsplit("::", 1)[1]: one for one in found if "dynamic" in one["type"]}


@pytest.fixture(scope="session")
def engine() -> str:
    """The folder of the real engine."""
    return subprocess.run(
        [sys.executable, ROOT / "tools/engine.py"], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Emulator]:
    """The embedded IAM, one for all tests."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(endpoint: Emulator) -> Emulator:
    """The embedded IAM, empty."""
    endpoint.controls.reset()
    return endpoint


@pytest.fixture
def yesterday(emulator: Emulator) -> None:
    """What is made now is a day old, past the age at which a list that misses it is not believed."""
    emulator.controls.set(clock_shift=-86_400)


@pytest.fixture
def iam(emulator: Emulator) -> IAMClient:
    """Somebody else who works on the account."""
    return boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1",
        aws_access_key_id="somebody", aws_secret_access_key="else",
    )  # fmt: skip


@pytest.fixture
def stack(tmp_path: Path, engine: str, emulator: Emulator) -> Iterator[Stack]:
    """A new stack of this project against the embedded IAM; in the end no secret may stand anywhere in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "backend").mkdir()
    made = Stack(folder, environment(tmp_path, engine, emulator.url))
    made.good("stack", "init", "test")
    yield made
    assert_no_leak(made, tmp_path, emulator.controls.secrets())


def environment(folder: Path, engine: str, url: str) -> dict[str, str]:
    """Nothing of the person who runs the tests, and all that the engine needs."""
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


def assert_no_leak(stack: Stack, folder: Path, issued: list[str]) -> None:
    """No secret ever issued may stand in what was printed or in any file that was left, ciphertext aside."""
    assert not leaks(stack.printed, issued), "a secret was printed"
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    for path in files:
        assert not leaks([path.read_bytes().decode(errors="replace")], issued), f"a secret stands in {path.name}"


def leaks(texts: list[str], issued: list[str]) -> bool:
    """Whether any of the secrets stands in any of the texts."""
    return any(secret in text for text in texts for secret in issued)
