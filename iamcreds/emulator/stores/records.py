"""Named records of one account by region, with their past states, which lists that lag return."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

Record = TypeVar("Record")


class Records(Generic[Record]):
    """The records of a store, which are immutable; safe to use from several threads.

    Attributes:
        lock: holds other writers off between a read and the write that depends on it.

    Args:
        now: returns the current time, in UTC.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Delete everything."""
        with self.lock:
            self._history: dict[tuple[str, str], list[tuple[datetime, Record | None]]] = {}

    def find(self, region: str, name: str) -> Record | None:
        """Return the current record of a name, None without one."""
        with self.lock:
            history = self._history.get((region, name))
            return history[-1][1] if history else None

    def put(self, region: str, name: str, record: Record | None, since: datetime | None = None) -> None:
        """Add or replace the record of a name, or delete it (None).

        Args:
            region: the region.
            name: the name.
            record: the record.
            since: time of the change, which lists that lag use; by default, it is now.
        """
        with self.lock:
            self._history.setdefault((region, name), []).append((since or self._now(), record))

    def select(self, region: str, lag: float = 0) -> list[Record]:
        """Return the records of a region as they were `lag` seconds ago."""
        moment = self._now() - timedelta(seconds=lag) if lag else None
        with self.lock:
            past = [_find(history, moment) for (where, _), history in self._history.items() if where == region]
        return [record for record in past if record is not None]

    def current(self) -> list[tuple[str, Record]]:
        """Return all current records with their regions."""
        with self.lock:
            latest = [(region, history[-1][1]) for (region, _), history in self._history.items()]
        return [(region, record) for region, record in latest if record is not None]


def _find(history: list[tuple[datetime, Record | None]], moment: datetime | None) -> Record | None:
    """Return the last state before a moment (None: now)."""
    return next((record for since, record in reversed(history) if moment is None or since <= moment), None)
