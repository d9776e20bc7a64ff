"""One Create at a time for each user and service of an account, so that a lost answer can be told from a sibling's.

Two runs at once on this machine are told apart, too: the lock is a file in a folder of this person's own.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES = 1024
"""How many files all the locks share, in number: a name in a shared folder must not tell a user's."""

_Lock = tuple[threading.RLock, contextlib.AbstractContextManager[object]]

_POLL_SECONDS = 0.01


class CreateLocks:
    """The locks of one process.

    Args:
        folder: where the files are; None: there are none, and other processes do not wait.
        account: what tells the account of this run from others, asked when it is needed.
    """

    def __init__(self, folder: Path | None, account: Callable[[], str]) -> None:
        self._folder = folder
        self._account = account
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

    def _file_lock(self, user: str, service: str) -> contextlib.AbstractContextManager[object]:
        if self._folder is None:
            return contextlib.nullcontext()
        key = f"{self._account()}\n{user}\n{service}"
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % FILES
        return FileLock(self._folder / f"create-{number:04}.lock", mode=0o600, poll_interval=_POLL_SECONDS)
