"""Notes and locks that the processes of one user share on a machine: files in a private folder."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SHARED = Path("/tmp")  # noqa: S108 - not TMPDIR, which may differ between two runs; the folder below it is private

_POLL_SECONDS = 0.01
_KEPT_SECONDS = 86_400

_Result = TypeVar("_Result")


def find_folders() -> list[Path]:
    """Return the possible folders for notes, in order of preference, even if they do not exist."""
    user_id = os.getuid() if hasattr(os, "getuid") else 0
    folders = [SHARED / f"iamcreds-{user_id}"]
    with contextlib.suppress(RuntimeError):  # no home folder
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        folders.append(Path(state) / "iamcreds")
    return folders


def prepare_folder(folder: Path) -> None:
    """Create a folder that only its owner can use, unless it exists.

    Raises:
        OSError: it cannot be created, is owned by a different user, or is writable by other users.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(folder)


def _require_private(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "not a folder")
    if not hasattr(os, "getuid"):  # on Windows, files have no numeric owner
        return
    if status.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "owned by a different user")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "writable by other users")


class Notes:
    """Append-only files and locks. Safe to use from several threads.

    Each operation uses the first folder that works. If none works, notes stay in this process and locks have no effect.

    Args:
        folders: folders for the files, in order of preference.
        warn: receives one message for each folder that replaces the first one, and one if no folder works.
    """

    def __init__(self, folders: Sequence[Path], warn: Callable[[str], object]) -> None:
        self._folders = folders
        self._warn = warn
        self._guard = threading.Lock()
        self._warned: set[Path | None] = set()
        self._unwritten: dict[str, bytes] = defaultdict(bytes)
        self._locks: dict[Path, FileLock] = {}

    @contextlib.contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold a lock. The same thread may hold it again; other threads and processes wait."""
        lock = self._try_folders(lambda folder: self._acquire(folder / f"{name}.lock"))
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    def _acquire(self, file: Path) -> FileLock:
        with self._guard:
            if file not in self._locks:
                self._locks[file] = FileLock(file, mode=0o600, poll_interval=_POLL_SECONDS)
            lock = self._locks[file]
        lock.acquire()
        return lock

    def append(self, name: str, line: bytes) -> None:
        """Append a line to a file. It survives a crash of the machine, and a torn line before it is harmless."""
        text = b"\n" + line + b"\n"
        if self._try_folders(lambda folder: _append(folder / name, text)) is None:
            with self._guard:
                self._unwritten[name] += text

    def read(self, name: str) -> list[bytes]:
        """Return the lines of a file in all folders, or an empty list."""
        texts = [self._unwritten.get(name, b"")]
        for folder in self._folders:
            with contextlib.suppress(OSError):
                _require_private(folder)
                texts.append((folder / name).read_bytes())
        return [line for text in texts for line in text.split(b"\n") if line]

    def remove(self, pattern: str, is_old: Callable[[str], bool]) -> None:
        """Remove matching files with old names, if their last change on this machine is more than a day ago."""
        for folder in self._folders:
            with contextlib.suppress(OSError):
                _require_private(folder)
                for file in folder.glob(pattern):
                    if is_old(file.name) and time.time() - file.stat().st_mtime > _KEPT_SECONDS:
                        file.unlink(missing_ok=True)

    def _try_folders(self, use: Callable[[Path], _Result]) -> _Result | None:
        """Return the result for the first folder that works, or None."""
        failures = []
        for folder in self._folders:
            try:
                prepare_folder(folder)
                result = use(folder)
            except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
                failures.append(f"{folder} ({getattr(error, 'strerror', None) or error})")
            else:
                if failures:
                    self._report(failures, folder)
                return result
        self._report(failures, None)
        return None

    def _report(self, failures: Sequence[str], replacement: Path | None) -> None:
        with self._guard:
            if replacement in self._warned:
                return
            self._warned.add(replacement)
        consequence = (
            "without it, runs cannot detect the creates of concurrent and killed runs"
            if replacement is None
            else f"iamcreds uses {replacement} instead"
        )
        self._warn(f"cannot write the create journal in {' or '.join(failures) or 'any folder'}; {consequence}")


def _append(file: Path, text: bytes) -> int:
    """Append to a file in one write, and return its length.

    Raises:
        OSError: the text was not written completely.
    """
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        written = os.write(handle, text)
        if written < len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
    finally:
        os.close(handle)
    return written
