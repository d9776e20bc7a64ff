"""The documents show the output of the real engine on the IAM emulator."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from iamcreds.emulator.faults.controls import Controls
from tests.documents.player import Player
from tests.documents.reading import blocks
from tests.e2e.conftest import assert_no_leak
from tests.e2e.existing import pass_a_day
from tests.e2e.stack import ROOT, copy_stack
from tests.faults.account import open_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from iamcreds.emulator.server import Emulator
    from tests.faults.account import Recorded

LOST_STATE = [*blocks(ROOT / "docs/lost-state.md")]
BLOCKS = [*blocks(ROOT / "docs/incidents.md"), *blocks(ROOT / "docs/drift.md"), *LOST_STATE]
BEGINNING = BLOCKS[0].heading
LOSSES = sorted({block.heading for block in LOST_STATE})
PLAYED = sorted({block.heading for block in BLOCKS if block.language == "console"} - {BEGINNING, *LOSSES})
USERS = ("build-bot", "jane")
AWS = """#!{python}
import sys, boto3
service, operation, *options = sys.argv[1:]
names = [option.removeprefix("--").title().replace("-", "") for option in options[::2]]
getattr(boto3.client(service, region_name="us-east-1"), operation.replace("-", "_"))(**dict(zip(names, options[1::2])))
"""
"""The options of the AWS CLI that the documents use; it prints nothing."""
LOSS = "umask 077; pulumi stack export {} > backup.json && pulumi stack rm test --yes --force --preserve-config"
"""The loss of the state, of which a backup remains."""


@dataclass(frozen=True)
class Beginning:
    """The result of the first example: the folder of the stack, the credentials, and the ids in the document."""

    folder: Path
    recorded: Recorded
    ids: dict[str, str]


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory, new_stack: Path, engine: str, endpoint: Emulator) -> Beginning:
    """Play the first example once."""
    folder = tmp_path_factory.mktemp("beginning")
    stack = copy_stack(new_stack, folder, engine, endpoint.url)
    stack.write_specs()
    account = open_account(endpoint, USERS)
    account.empty()
    player = Player(stack, account.controls, stack.env)
    play(player, BEGINNING)
    assert_no_leak(stack, folder, account.controls.secrets())
    return Beginning(folder, account.record(), player.ids)


@pytest.fixture
def player(beginning: Beginning, engine: str, emulator: Emulator, tmp_path: Path) -> Iterator[Player]:
    """Return a player on the stack and account of the first example a day later, with `aws` on PATH."""
    open_account(emulator, USERS).restore(beginning.recorded)
    pass_a_day(emulator)
    stack = copy_stack(beginning.folder, tmp_path, engine, emulator.url)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/aws").write_text(AWS.format(python=sys.executable))
    (tmp_path / "bin/aws").chmod(0o755)
    env = stack.env | {"PATH": f"{tmp_path}/bin:{stack.env['PATH']}"}
    yield Player(stack, emulator.controls, env, dict(beginning.ids))
    assert_no_leak(stack, tmp_path, emulator.controls.secrets())


@pytest.mark.parametrize("heading", PLAYED)
def test_incident(heading: str, player: Player) -> None:
    """Each incident, and the example of drift, prints the documented output a day after the first example."""
    play(player, heading)


@pytest.mark.parametrize("heading", LOSSES)
def test_lost_state(heading: str, player: Player) -> None:
    """Each way back from a lost state keeps ids and passwords in AWS; with a backup, the stack has the passwords."""
    if "Import" in heading and shutil.which("jq") is None:
        pytest.skip("jq is not on PATH")
    passwords = dict(player.controls.passwords())
    player.run(LOSS.format("--show-secrets" if heading == "Import file" else ""))
    play(player, heading)
    assert dict(player.controls.passwords()) == passwords
    ids = {name: resource["id"] for name, resource in player.stack.read_resources().items()}
    assert set(ids.values()) == set(passwords)
    is_known = heading != "No backup"
    expected = {name: passwords[credential] if is_known else None for name, credential in ids.items()}
    assert player.stack.read_secrets() == expected


def play(player: Player, heading: str) -> None:
    """Play the blocks below a heading."""
    for block in BLOCKS:
        if block.heading == heading:
            player.play(block)


@dataclass(frozen=True)
class Clone:
    """The files of the repository in a folder of their own, as in a clone, and a shell in it."""

    folder: Path
    env: dict[str, str]

    def run(self, script: str) -> str:
        """Run a script, which must succeed, and return its output."""
        done = subprocess.run(
            ["bash", "-ec", script],  # noqa: S607 - a person's shell
            cwd=self.folder, env=self.env, timeout=200, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def clone(tmp_path: Path, engine: str) -> Iterator[Clone]:
    """Return a clone without a local stack. It uses this virtual environment and does not change it."""
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
    """The README's first steps work as written: the preview matches, and the last command prints the password."""
    tried = [block for block in blocks(ROOT / "README.md") if block.heading == "First steps"]
    start, preview, password = (block.text for block in tried if block.language == "sh")
    (shown,) = (block.text for block in tried if block.language == "text")
    (spec,) = (block.text for block in tried if block.language == "yaml")
    _, _, after_cloning = start.partition("\n")
    clone.run(after_cloning)
    (clone.folder / "specs/ada.yaml").write_text(spec)
    assert shown in clone.run(preview)
    controls = Controls(f"http://127.0.0.1:{(clone.folder / '.state/emulator.port').read_text()}")
    assert clone.run(password).split()[-1] == controls.secrets()[-1]
    clone.run("make down")
    assert clone.run(password).split()[-1] in controls.secrets()  # of the new emulator, which has a new stack
