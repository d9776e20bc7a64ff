"""`iamcreds drift` as a process: in a terminal, in a pipe, in CI."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.drift.accounts import fill, names, write_specs
from tests.terminal import run_at_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from iamcreds.emulator.server import Emulator
    from tests.terminal import Shown

PROGRAM = """
from iamcreds.cli import Commands
from iamcreds.commands.drift import command
Commands("iamcreds", commands={"drift": command})(["drift", "specs", "--exact"])
"""


def at_terminal(folder: Path, *, stdout: bool, **env: str) -> Shown:
    """Run the command with standard error, and optionally standard output, in a terminal."""
    variables = {**{name: value for name, value in os.environ.items() if name != "CI"}, "TERM": "xterm", **env}
    return run_at_terminal([sys.executable, "-c", PROGRAM], folder, variables, piped=None if stdout else "stdout")


@pytest.fixture
def folder(signed_in: Emulator, tmp_path: Path) -> Path:
    """Create a folder with specs of 20 users who each have one access key too many."""
    fill(names(20), access_keys=1)
    write_specs(tmp_path / "specs", names(20), policy="{max: 0}")
    signed_in.controls.set(latency=0.1)
    return tmp_path


def test_progress(folder: Path) -> None:
    """In a terminal, progress bars on standard error show a long run, and the output has none of them."""
    shown = at_terminal(folder, stdout=False)
    assert shown.code == 2
    assert "reading access keys" in shown.drawn
    assert "of 20" in shown.drawn
    assert "\x1b" not in shown.piped
    assert shown.piped.count("[too-many-access-keys]") == 20


def test_colour(folder: Path) -> None:
    """In a terminal, findings have headings and colors."""
    shown = at_terminal(folder, stdout=True, CI="true")
    assert shown.code == 2
    assert "\x1b[1;35mFindings (20)" in shown.drawn
    assert "user-00007" in shown.drawn
    assert "specs/users.yaml:" in shown.drawn


def test_ci(folder: Path) -> None:
    """CI shows no progress bars, even in a terminal."""
    shown = at_terminal(folder, stdout=False, CI="true")
    assert (shown.code, shown.drawn) == (2, "")
    assert "20 findings in account" in shown.piped
