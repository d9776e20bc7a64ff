"""One Create at a time for each user and service, on this machine: so that a lost answer can be told from a sibling's.

Two runs at once are told apart, too: the lock is a file in a folder of this person's own, whatever the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 1024
"""How many files all the locks share, in number: a name in a shared folder must not tell a user's."""

REMEMBERED = 16
"""How many ids are kept of what was made under a lock: more than IAM makes in a second, to which its dates are cut."""

_Lock = tuple[threading.RLock, contextlib.AbstractContextManager[object]]

_POLL_SECONDS = 0.01
_SHARED = Path("/tmp")  # noqa: S108 - not TMPDIR, which two runs may have differently; below it is a folder of our own


class CreateLocks:
    """The locks of one process.

    Args:
        folder: where the files are; None: one of this person's own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or own_folder(_SHARED)
        self._notes = folder or own_folder(Path(tempfile.gettempdir()))
        self._guard = threading.Lock()
        self._locks: dict[tuple[str, str], _Lock] = {}

    @contextlib.contextmanager
    def hold(self, user: str, service: str) -> Iterator[None]:
        """Keep every other Create for this user and service waiting; whoever holds it may hold it once more."""
        with self._guard:
            if (user, service) not in self._locks:
                self._locks[user, service] = threading.RLock(), self._file_lock(user, service)
            in_process, on_machine = self._locks[user, service]
        with in_process, on_machine:
            yield

    def begin(self, user: str, service: str, now: datetime) -> None:
        """Note that a Create is under way; the note stays where the process dies before `end`."""
        _write(self._note("begun", user, service), now.isoformat())

    def end(self, user: str, service: str) -> None:
        """Take the note away: whatever came of the Create has been told."""
        note = self._note("begun", user, service)
        if note is not None:
            with contextlib.suppress(OSError):
                note.unlink(missing_ok=True)

    def begun(self, user: str, service: str) -> datetime | None:
        """When a Create began whose process died before it could tell what came of it; None where there is none."""
        return _to_date(_read(self._note("begun", user, service)))

    def lose(self, user: str, service: str, now: datetime) -> None:
        """Note that a Create of this process ended now, and that nobody knows what came of it."""
        _write(self._note("lost", user, service), f"{now.isoformat()} {process_id()}")

    def lost(self, user: str, service: str) -> datetime | None:
        """When the last such Create ended, where it was another process's; None where there was none."""
        found = _read(self._note("lost", user, service)).partition(" ")
        return None if found[2] == str(process_id()) else _to_date(found[0])

    def remember(self, user: str, service: str, credential_id: str) -> None:
        """Note what a Create has made, for whoever makes the next one: that one has not made it."""
        file = self._made_file(user, service)
        _write(file, "\n".join([*_read(file).split(), credential_id][-REMEMBERED:]))

    def made(self, user: str, service: str) -> frozenset[str]:
        """The ids of what was made on this machine last, of this user and service, and of others among them."""
        return frozenset(_read(self._made_file(user, service)).split())

    def _note(self, kind: str, user: str, service: str) -> Path | None:
        """A file of this person's own below TMPDIR, which the runs of a stack have in common."""
        if self._notes is None:
            return None
        return self._notes / f"{kind}-{hashlib.sha256(f'{user}{chr(10)}{service}'.encode()).hexdigest()[:32]}"

    def _made_file(self, user: str, service: str) -> Path | None:
        return None if self._folder is None else self._folder / f"made-{_number(user, service)}"

    def _file_lock(self, user: str, service: str) -> contextlib.AbstractContextManager[object]:
        if self._folder is None:
            return contextlib.nullcontext()
        return FileLock(self._folder / f"create-{_number(user, service)}.lock", mode=0o600, poll_interval=_POLL_SECONDS)


def _number(user: str, service: str) -> str:
    """Which of the files it is; others have it as well."""
    return f"{int.from_bytes(hashlib.sha256(f'{user}{chr(10)}{service}'.encode()).digest()[:4]) % FILES:04}"


def process_id() -> int:
    """Which process this is, for notes."""
    return os.getpid()


def _write(note: Path | None, text: str) -> None:
    """Write it, unless that cannot be."""
    if note is not None:
        with contextlib.suppress(OSError):
            note.write_text(text)


def _read(note: Path | None) -> str:
    """What it says, nothing where it cannot be read."""
    try:
        return "" if note is None else note.read_text()
    except (OSError, ValueError):
        return ""


def _to_date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def own_folder(shared: Path) -> Path | None:
    """A folder below a shared one for this person alone; None where nobody can be kept out of it."""
    owner = os.getuid() if hasattr(os, "getuid") else None
    folder = shared / f"iamcreds-{owner or 0}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = folder.is_dir() and not folder.is_symlink() and (owner is None or found.st_uid == owner)
    return folder if ours else None
