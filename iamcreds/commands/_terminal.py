"""Who reads what a command prints: a person at a terminal, or a program."""

from __future__ import annotations

import os
import shutil
import sys


def find_width() -> int | None:
    """How many columns the terminal has that standard output goes to; None where it goes to a file or a program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def is_coloured() -> bool:
    """Whether standard output may have colours: at a terminal that has them, unless NO_COLOR says otherwise."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
