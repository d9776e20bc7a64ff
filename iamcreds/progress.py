"""How far something is, told to whoever waits; without a terminal nobody does."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears how far something is: what is being done, how much of it is done, and of how much where that is known."""

    def __call__(self, doing: str, done: int, total: int | None = None) -> None:
        """Hear it."""


def no_progress(doing: str, done: int, total: int | None = None) -> None:
    """Where nobody waits."""
