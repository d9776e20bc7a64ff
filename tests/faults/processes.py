"""The processes that an engine starts: found by the folder in their environment, ended by their ids."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from signal import Signals


def find_processes(home: Path) -> list[int]:
    """Find the processes whose HOME is that folder, because an engine killed with -9 leaves its child processes."""
    marker = f"HOME={home}".encode()
    return [pid for pid in _list_pids() if marker in _read(pid, "environ").split(b"\0")]


def find_providers(home: Path) -> list[int]:
    """Find the provider processes among them."""
    return [pid for pid in find_processes(home) if _is_provider(_read(pid, "cmdline").split(b"\0"))]


def send(pid: int, number: Signals) -> None:
    """Send a signal, and ignore a process that is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_provider(command: list[bytes]) -> bool:
    return b"python" in command[0] and any(b"pulumi.dynamic" in word for word in command)


def _list_pids() -> Iterator[int]:
    return (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))


def _read(pid: int, name: str) -> bytes:
    try:
        return (Path("/proc") / str(pid) / name).read_bytes()
    except OSError:  # it has ended, or belongs to a different user
        return b""
