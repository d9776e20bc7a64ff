"""The handover of read ids from the provider process that reads to the one that decides.

If the stack's configuration has changed since the last `up`, the engine has one process read the state, and another
one check, diff and create. Both get the same engine address, which differs between the operations of a run. The first
process has completed its reads before the second one gets a request (measured on engine 3.274.1).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

from iamcreds.aws.notes import prepare_folder

_KEPT_SECONDS = 3600
"""Seconds after which a file is stale, by the clock of this machine."""


class Handover:
    """The ids that the processes of one operation hand over: a file in a folder of this user, if there is one.

    Args:
        folder: the folder of the files; None hands nothing over.
        engine: identifies the engine that started this process and the operation; empty hands nothing over.
    """

    def __init__(self, folder: Path | None, engine: str) -> None:
        name = hashlib.sha256(engine.encode()).hexdigest()[:32]
        self._file = None if folder is None or not engine else folder / f"read-{name}"
        self._has_left = False

    def leave(self, credential_id: str) -> None:
        """Leave an id for the process that decides; the first one replaces the ids of an earlier run."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            if not self._has_left:
                self._clear(self._file)
            with self._file.open("a", encoding="ascii") as file:
                file.write(f"{credential_id}\n")
            self._has_left = True

    def _clear(self, own: Path) -> None:
        """Delete this process's file, and stale files of runs that only read."""
        own.unlink(missing_ok=True)
        for file in own.parent.glob("read-*"):
            with contextlib.suppress(OSError):  # another process removes them as well
                if _is_old(file):
                    file.unlink()

    def take(self) -> list[str]:
        """Return the ids that were left, and delete them."""
        if self._file is None:
            return []
        try:
            ids = [] if _is_old(self._file) else self._file.read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):
            return []
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)
        return ids


def _is_old(file: Path) -> bool:
    return time.time() - file.stat().st_mtime > _KEPT_SECONDS


def open_handover() -> Handover:
    """Return the handover of this process, to which the engine passes its address as the first argument."""
    folder = Path(tempfile.gettempdir()) / f"iamcreds-{os.getuid() if hasattr(os, 'getuid') else 0}"
    engine = f"{sys.argv[1]} {_identify_engine()}" if len(sys.argv) > 1 else ""
    try:
        prepare_folder(folder)
    except OSError:
        return Handover(None, engine)
    return Handover(folder, engine)


def _identify_engine() -> str:
    """Return pid and start time of the engine: the parent of the script that started this process, if both are running.

    A later engine may get the same address; the ids of an earlier one must not count as managed.
    """
    try:
        script = psutil.Process().parent()
        engine = None if script is None else script.parent()
        return "" if engine is None else f"{engine.pid} {engine.create_time()}"
    except psutil.Error:
        return ""
