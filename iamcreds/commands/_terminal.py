"""Output for a person at a terminal: width, colours, and progress bars on standard error."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.progress import Progress


def find_width() -> int | None:
    """Return the width of the terminal in columns; None if standard output is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def is_coloured() -> bool:
    """Return True if standard output is a terminal with colours and NO_COLOR is not set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Return a receiver of progress that shows bars, except in a pipe, a file or CI."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield no_progress
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, and needed at a terminal only
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - same
    from rich.theme import Theme  # noqa: PLC0415 - same

    readable = Theme({"progress.elapsed": "none"})  # rich's yellow is unreadable on white
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[far]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, theme=readable), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(doing: str, done: int, total: int | None = None) -> None:
            if doing not in tasks:
                tasks[doing] = bars.add_task(doing, total=total, far="")
            bars.update(tasks[doing], completed=done, total=total, far=f"{done:,} of {total:,}" if total else "")

        yield progress
