"""A machine that runs are on: what their processes leave on it for one another, and for those that come after them."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.simulation.clock import current_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.engine import Run

POLL_SECONDS = 0.1
"""How often a run looks whether a file is free."""


@dataclass
class Machine:
    """Who holds which file's lock, and what stands in which file."""

    holders: dict[str, Run] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Folder:
    """A person's own folder, as a process sees it; one that was killed does nothing more."""

    run: Run

    def __truediv__(self, name: str) -> File:
        return File(self.run, name)

    def glob(self, _pattern: str) -> list[File]:
        """Find what is old enough to be removed: no history lasts so long."""
        return []


@dataclass(frozen=True)
class File:
    """A file of that folder, with what of `pathlib.Path` is used."""

    run: Run
    name: str

    @contextlib.contextmanager
    def open(self, _mode: str) -> Iterator[io.StringIO]:
        """Open it to append to it."""
        added = io.StringIO()
        yield added
        if not self.run.dead:
            self.run.machine.texts[self.name] = self.run.machine.texts.get(self.name, "") + added.getvalue()

    def read_text(self) -> str:
        """Read it."""
        if self.name not in self.run.machine.texts:
            raise FileNotFoundError(self.name)
        return self.run.machine.texts[self.name]


def own_folder(_shared: object) -> Folder:
    """What stands for `iamcreds.account.folder.own_folder`."""
    return Folder(current_run())


class FileLock:
    """What `filelock.FileLock` is; a process that dies lets go of it."""

    def __init__(self, file: File, **_: object) -> None:
        self._file = file

    def __enter__(self) -> Self:
        run, held = self._file.run, self._file.run.machine.holders
        while held.get(self._file.name, run) is not run and not held[self._file.name].dead:
            run.clock.sleep(POLL_SECONDS)
        held[self._file.name] = run
        return self

    def __exit__(self, *_: object) -> None:
        held = self._file.run.machine.holders
        if held.get(self._file.name) is self._file.run:
            del held[self._file.name]
