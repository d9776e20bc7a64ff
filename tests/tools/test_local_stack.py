"""The stack `local`: its state, and the emulator that it belongs to."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from botocore.session import get_session

from iamcreds.delivery import STORES
from tools import local_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the module takes for its own."""
    state = tmp_path / ".state"
    names = {"STATE": "", "PID": "emulator.pid", "PORT": "emulator.port", "BACKEND": "backend", "FOLDER": "folder"}
    for name, file in names.items():
        monkeypatch.setattr(local_stack, name, state / file)
    monkeypatch.setattr(local_stack, "ROOT", tmp_path)
    monkeypatch.setattr(local_stack, "PROGRAM", str(tmp_path / ".venv/bin/iamcreds"))
    return tmp_path


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with the command line of an emulator in a different folder."""
    command = [sys.executable, "-c", "input()", str(tmp_path / "other/.venv/bin/iamcreds"), "emulator"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("is_there", [False, True])
def test_state_is_private(folder: Path, *, is_there: bool) -> None:
    """Nobody but its owner gets into the folder with state and logs, also where it was open before."""
    state = folder / ".state"
    if is_there:
        state.mkdir(mode=0o755)
    local_stack.claim_state()
    assert state.stat().st_mode & 0o777 == 0o700


def test_other_endpoints() -> None:
    """No endpoint in the environment of the user replaces the IAM emulator for a service that runs call."""
    services = {"secrets_manager": "secretsmanager"}
    for name in ("iam", "sts", "kms", *(services.get(store, store) for store in STORES)):
        service_id = get_session().get_service_model(name).service_id
        assert f"AWS_ENDPOINT_URL_{service_id.replace(' ', '_').upper()}" in local_stack.DROPPED


def begin(folder: Path, emulator: str) -> Path:
    """Write the state of a stack for an emulator; return the stack's file."""
    local_stack.claim_state()
    (folder / ".state/emulator.pid").write_text(emulator)
    local_stack.discard_old_stack()
    stack = folder / ".state/backend/.pulumi/stacks/iamcreds/local.json"
    stack.parent.mkdir(parents=True)
    stack.write_text("{}")
    return stack


def test_new_emulator(folder: Path) -> None:
    """A new emulator does not meet the stack of the one before, even if it has the same pid; a running one keeps it."""
    stack = begin(folder, "1234567 a")
    local_stack.discard_old_stack()
    assert stack.exists()
    (folder / ".state/emulator.pid").write_text("1234567 b")
    local_stack.discard_old_stack()
    assert not stack.exists()


@pytest.mark.parametrize("is_known", [True, False])
def test_copied_folder(folder: Path, other: subprocess.Popen[bytes], *, is_known: bool) -> None:
    """In a copy of a folder, nothing leads to the emulator of the original: neither pid, port nor stack."""
    stack = begin(folder, f"{other.pid} a")
    (folder / ".state/emulator.port").write_text("1")
    if is_known:
        (folder / ".state/folder").write_text(str(folder / "other"))
    else:  # of an earlier version
        (folder / ".state/folder").unlink()
    assert local_stack.find_emulator() is None
    local_stack.claim_state()
    local_stack.down()
    assert other.poll() is None
    assert local_stack.choose_port() != 1
    assert not stack.exists()


def test_same_folder(folder: Path) -> None:
    """The port of a folder stays the same when its emulator has ended."""
    begin(folder, "1234567 a")
    port = local_stack.choose_port()
    local_stack.claim_state()
    assert local_stack.choose_port() == port
