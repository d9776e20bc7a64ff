"""`iamcreds drift` as a process: at a terminal, in a pipe, in CI."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.drift.accounts import fill, names, write_specs

if TYPE_CHECKING:
    from pathlib import Path

    from iamcreds.emulator.server import Emulator

PROGRAM = """
from iamcreds.cli import Commands
from iamcreds.commands.drift import command
Commands("iamcreds", commands={"drift": command})(["drift", "specs", "--exact"])
"""


def at_terminal(folder: Path, *, stdout: bool, **env: str) -> tuple[int, str, str]:
    """Run it with standard error, and standard output if so wished, at a terminal: exit code, and what came on each."""
    master, slave = pty.openpty()
    shown: list[bytes] = []
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env={**{name: value for name, value in os.environ.items() if name != "CI"}, "TERM": "xterm", **env},
        stdout=slave if stdout else subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    reader = threading.Thread(target=lambda: shown.extend(_all(master)))
    reader.start()
    out, _ = process.communicate(timeout=60)
    reader.join(timeout=10)
    os.close(master)
    return process.returncode, (out or b"").decode(), b"".join(shown).decode()


def _all(descriptor: int) -> list[bytes]:
    """Everything until the other end is closed."""
    found = []
    while True:
        try:
            found.append(os.read(descriptor, 65_536))
        except OSError:
            return found


@pytest.fixture
def folder(signed_in: Emulator, tmp_path: Path) -> Path:
    """A folder with specs of 20 users who all have an access key too many."""
    fill(names(20), access_keys=1)
    write_specs(tmp_path / "specs", names(20), policy="{max: 0}")
    signed_in.controls.set(latency=0.1)
    return tmp_path


def test_progress(folder: Path) -> None:
    """At a terminal bars on standard error tell how far a long run is, and the output stays clean."""
    code, out, err = at_terminal(folder, stdout=False)
    assert code == 2
    assert "reading access keys" in err
    assert "of 20" in err
    assert "\x1b" not in out
    assert out.count("[too-many-access-keys]") == 20


def test_colour(folder: Path) -> None:
    """At a terminal findings stand under headings, in colour."""
    code, _, shown = at_terminal(folder, stdout=True, CI="true")
    assert code == 2
    assert "\x1b[1;33mFindings (20)" in shown
    assert "user-00007" in shown
    assert "specs/users.yaml:" in shown


def test_ci(folder: Path) -> None:
    """In CI there are no bars, even at a terminal."""
    code, out, err = at_terminal(folder, stdout=False, CI="true")
    assert (code, err) == (2, "")
    assert "20 findings in account" in out
