"""The Creates of the last minute on this machine, whatever run they were of: lists may not show yet what they made.

A run may be killed before it knows what came of a Create, and the engine before it has recorded that. So each is
written down before its call, and stays so until a list shows what it made.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
import weakref
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from iamcreds.account.folder import remove_old

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_PROCESS = uuid.uuid4().hex


@dataclass(frozen=True)
class RecentCreate:
    """A Create that was not refused.

    Attributes:
        call: tells it from all others: of which process it was, and which of that.
        service: the service's full name.
        began: when it was called, by AWS's clock.
        made: the id of what it made; None where no answer has told.
    """

    call: str
    service: str
    began: datetime
    made: str | None = None

    @property
    def is_of_this_process(self) -> bool:
        """Whether this process called it, and so knows what is known of it."""
        return self.call.partition("-")[0] == process_id()


def process_id() -> str:
    """What tells this process from all others, as its number does not in containers."""
    return _PROCESS


class RecentCreates:
    """What is written down in a folder; where nothing can be, nothing is, and nobody is stopped.

    Args:
        folder: this person's own; None where there is none.
        account: what tells the account of this run from others, asked when it is needed.
    """

    def __init__(self, folder: Path | None, account: Callable[[], str]) -> None:
        self._folder = folder
        self._account = account
        self._is_swept = False
        self._handed_over: list[tuple[Path, str]] = []
        weakref.finalize(self, _settle, self._handed_over)

    def begin(self, user: str, service: str, now: datetime) -> str:
        """Write down that a Create is about to be called; what tells it from others."""
        self._sweep()
        call = f"{process_id()}-{uuid.uuid4().hex}"
        self._write(user, "began", call, service, now.isoformat())
        return call

    def finish(self, user: str, call: str, made: str) -> None:
        """Write down the id of what it made, which whoever asked for it is about to record."""
        self._write(user, "made", call, made)
        file = self._file(user)
        if file is not None:
            self._handed_over.append((file, call))

    def drop(self, user: str, call: str) -> None:
        """Write down that it is in doubt no more."""
        self._write(user, "settled", call)

    def forget(self, user: str, credential_id: str) -> None:
        """Write down that what was made is deleted."""
        if self._read_lines(user):
            self._write(user, "deleted", credential_id)

    def read(self, user: str, service: str) -> list[RecentCreate]:
        """Those for that user and service that are in doubt as far as is written down, the oldest first."""
        found: dict[str, RecentCreate] = {}
        for line in self._read_lines(user):
            match line:
                case ["began", str(call), str(of_service), str(began)]:
                    with contextlib.suppress(ValueError):
                        found[call] = RecentCreate(call, of_service, datetime.fromisoformat(began))
                case ["made", str(call), str(made)] if call in found:
                    found[call] = replace(found[call], made=made)
                case ["settled", str(call)]:
                    found.pop(call, None)
                case ["deleted", str(made)]:
                    found = {call: create for call, create in found.items() if create.made != made}
        return [create for create in found.values() if create.service == service]

    def made(self, user: str) -> set[str]:
        """The ids of all that Creates for that user made of late, as far as an answer has told: no other made those."""
        found = set()
        for line in self._read_lines(user):
            match line:
                case ["made", _, str(made)]:
                    found.add(made)
        return found

    def _write(self, user: str, *line: str) -> None:
        file = self._file(user)
        if file is not None:
            _append(file, *line)

    def _read_lines(self, user: str) -> list[object]:
        file = self._file(user)
        try:
            return [] if file is None else [_parse(line) for line in file.read_text().splitlines()]
        except (OSError, ValueError):
            return []

    def _file(self, user: str) -> Path | None:
        """Named by a hash, for a name in a shared folder must not tell a user's."""
        if self._folder is None:
            return None
        of_user = f"{self._account()}\n{user}"
        return self._folder / f"creates-{hashlib.sha256(of_user.encode()).hexdigest()[:32]}"

    def _sweep(self) -> None:
        """Remove what has been of no use for long, once in a process."""
        if self._folder is not None and not self._is_swept:
            self._is_swept = True
            remove_old(self._folder, "creates-*")


def _settle(handed_over: Iterable[tuple[Path, str]]) -> None:
    """A process that is not killed ends when the engine, which asked for these, has recorded them."""
    for file, call in handed_over:
        _append(file, "settled", call)


def _append(file: Path, *line: str) -> None:
    with contextlib.suppress(OSError), file.open("a") as opened:
        opened.write(f"{json.dumps(line)}\n")


def _parse(line: str) -> object:
    """The words of a line; nothing of one that a process which died has left unfinished."""
    try:
        return json.loads(line)
    except ValueError:
        return None
