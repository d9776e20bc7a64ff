"""The progress of long operations, which only a terminal shows."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A receiver of progress: the current operation, its completed part and, if known, the total."""

    def __call__(self, doing: str, done: int, total: int | None = None) -> None:
        """Receive the progress of an operation."""


def no_progress(doing: str, done: int, total: int | None = None) -> None:
    """Ignore the progress."""
