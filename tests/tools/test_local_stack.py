"""The files of the stack `local`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import engine, local_stack

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("is_there", [False, True])
def test_state_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_there: bool) -> None:
    """Only the owner can access the folder with state and logs, even if it was accessible before."""
    state = tmp_path / ".state"
    monkeypatch.setattr(local_stack, "STATE", state)
    monkeypatch.setattr(local_stack, "PORT", state / "emulator.port")
    monkeypatch.setattr(engine, "find_engine", lambda: tmp_path)
    if is_there:
        state.mkdir(mode=0o755)
    local_stack.make_environment()
    assert state.stat().st_mode & 0o777 == 0o700
