"""One Create at a time for each user and service, on this machine: so that a lost answer can be told from a sibling's.

Two runs at once are told apart, too: the lock is a file in a folder of this person's own, whatever the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 1024
"""How many files all the locks share, in number: a name in a shared folder must not tell a user's."""

_POLL_SECONDS = 0.01


class CreateLocks:
    """The locks of one process.

    Args:
        folder: where the files are; None: `lock_folder()`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or lock_folder()
        self._guard = threading.Lock()
        self._held: dict[tuple[str, str], threading.Lock] = {}

    @contextlib.contextmanager
    def hold(self, user: str, service: str) -> Iterator[None]:
        """Keep every other Create for this user and service waiting."""
        with self._guard:
            lock = self._held.setdefault((user, service), threading.Lock())
        with lock, self._file_lock(user, service):
            yield

    def _file_lock(self, user: str, service: str) -> contextlib.AbstractContextManager[object]:
        number = int.from_bytes(hashlib.sha256(f"{user}\n{service}".encode()).digest()[:4]) % FILES
        if self._folder is None:
            return contextlib.nullcontext()
        return FileLock(self._folder / f"create-{number:04}.lock", mode=0o600, poll_interval=_POLL_SECONDS)


def lock_folder() -> Path | None:
    """The folder for locks, for this person alone; None where nobody can be kept out of it, and no lock is held.

    It does not follow TMPDIR, which two runs may have differently.
    """
    shared = Path("/tmp")  # noqa: S108 - a folder of our own below it, checked for its owner
    owner = os.getuid() if hasattr(os, "getuid") else None
    folder = (shared if shared.is_dir() else Path(tempfile.gettempdir())) / f"iamcreds-{owner or 0}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = folder.is_dir() and not folder.is_symlink() and (owner is None or found.st_uid == owner)
    return folder if ours else None
