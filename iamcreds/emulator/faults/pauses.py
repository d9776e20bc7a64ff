"""Held calls, during which a test can act."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iamcreds.emulator.faults.fault import When


class Pauses:
    """The calls that are held now; safe to use from several threads."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._held: dict[object, tuple[str, When]] = {}
        self._ends: dict[object, bool] = {}

    def hold(self, operation: str, when: When, seconds: float) -> bool:
        """Hold a call before or after its effect until it is released; return True if it continues.

        A call that is not released within that time does not continue.
        """
        call = object()
        with self._condition:
            self._held[call] = (operation, when)
            self._condition.wait_for(lambda: call in self._ends, seconds)
            del self._held[call]
            return self._ends.pop(call, False)

    def release(self, *, go_on: bool) -> None:
        """Continue all held calls, or break their connections."""
        with self._condition:
            self._ends |= dict.fromkeys(self._held, go_on)
            self._condition.notify_all()

    def held(self) -> list[tuple[str, When]]:
        """Return the operation and the moment of each held call, oldest first."""
        with self._condition:
            return [held for call, held in self._held.items() if call not in self._ends]
