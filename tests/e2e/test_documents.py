"""What the documents show is what the real engine says, on the embedded IAM."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from iamcreds.emulator.controls import Controls
from tests.documents.player import Player
from tests.documents.reading import blocks
from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

BLOCKS = [*blocks(ROOT / "docs/incidents.md"), *blocks(ROOT / "docs/drift.md")]
BEGINNING = BLOCKS[0].heading
PLAYED = sorted({block.heading for block in BLOCKS if block.language == "console"} - {BEGINNING})
AWS = """#!{python}
import sys, boto3
service, operation, *options = sys.argv[1:]
names = [option.removeprefix("--").title().replace("-", "") for option in options[::2]]
getattr(boto3.client(service, region_name="us-east-1"), operation.replace("-", "_"))(**dict(zip(names, options[1::2])))
"""
"""The AWS CLI as far as the documents use it; it prints nothing."""


@pytest.fixture
def player(stack: Stack, iam: IAMClient, emulator: Emulator, tmp_path: Path) -> Player:
    """A stack whose specs folder is empty, users, and a shell that has `aws`; a day ago by the account's clock."""
    emulator.controls.set(clock_shift=-86_400)
    for user in ("build-bot", "jane"):
        iam.create_user(UserName=user)
    stack.write_specs()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/aws").write_text(AWS.format(python=sys.executable))
    (tmp_path / "bin/aws").chmod(0o755)
    env = stack.env | {"PATH": f"{tmp_path}/bin:{stack.env['PATH']}"}
    return Player(stack, emulator.controls, env)


@pytest.mark.parametrize("heading", PLAYED)
def test_incident(heading: str, player: Player) -> None:
    """Each incident, and the example of drift, a day after the same beginning, says what the document says."""
    play(player, BEGINNING)
    player.controls.set(clock_shift=0)
    play(player, heading)


def play(player: Player, heading: str) -> None:
    """Play the blocks that stand under a heading."""
    for block in BLOCKS:
        if block.heading == heading:
            player.play(block)


@dataclass(frozen=True)
class Clone:
    """The repository's files in a folder of their own, as a clone has them, and a person's shell in it."""

    folder: Path
    env: dict[str, str]

    def run(self, script: str) -> str:
        """What a script prints; it must succeed."""
        done = subprocess.run(
            ["bash", "-ec", script],  # noqa: S607 - a person's shell
            cwd=self.folder, env=self.env, timeout=200, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def clone(tmp_path: Path, engine: str) -> Iterator[Clone]:
    """A clone with this virtual environment, which it leaves as it is, and without a local stack."""
    folder = tmp_path / "iamcreds"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    for name in listed.stdout.splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    env = {"PATH": f"{engine}:{os.environ['PATH']}", "HOME": str(tmp_path), "MAKEFLAGS": " -- UV=false"}
    made = Clone(folder, env)
    yield made
    made.run("make down")


def test_readme(clone: Clone) -> None:
    """The README's first steps, to the letter: its spec previews as shown, and its last command prints the password."""
    tried = [block for block in blocks(ROOT / "README.md") if block.heading == "Try it"]
    start, preview, password = (block.text for block in tried if block.language == "sh")
    (shown,) = (block.text for block in tried if block.language == "text")
    (spec,) = (block.text for block in tried if block.language == "yaml")
    _, _, after_cloning = start.partition("\n")
    clone.run(after_cloning)
    (clone.folder / "specs/ada.yaml").write_text(spec)
    assert shown in clone.run(preview)
    controls = Controls(f"http://127.0.0.1:{(clone.folder / '.state/emulator.port').read_text()}")
    assert clone.run(password).split()[-1] == controls.secrets()[-1]
