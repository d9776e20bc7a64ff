"""A machine of runs, with the files and locks that their processes share."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.clock import current_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.engine import Run

POLL_SECONDS = 0.1
"""The interval at which a run polls a lock."""


@dataclass
class Machine:
    """The holders of locks and the lines of files."""

    holders: dict[str, Run] = field(default_factory=dict)
    lines: dict[str, list[bytes]] = field(default_factory=dict)


class Notes:
    """A replacement of `iamcreds.aws.notes.Notes`: a dead process writes nothing, and holds no lock."""

    def __init__(self, *_: object) -> None:
        self._run = current_run()

    @contextlib.contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold a lock."""
        run, held = self._run, self._run.machine.holders
        while held.get(name, run) is not run and not held[name].dead:
            run.clock.sleep(POLL_SECONDS)
        is_outermost = held.get(name) is not run
        held[name] = run
        try:
            yield
        finally:
            if is_outermost:
                del held[name]

    def append(self, name: str, line: bytes) -> None:
        """Append a line to a file."""
        if not self._run.dead:
            self._run.machine.lines.setdefault(name, []).append(line)

    def read(self, name: str) -> list[bytes]:
        """Return the lines of a file."""
        return list(self._run.machine.lines.get(name, []))

    def remove(self, *_: object) -> None:
        """Remove nothing, because no history lasts long enough."""
