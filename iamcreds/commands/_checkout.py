"""The repository that a command is run in, for those who show what it found there."""

from __future__ import annotations

from pathlib import Path

from iamcreds.report.sarif.document import Checkout


def find_checkout() -> Checkout:
    """The current folder and the repository around it; where there is none, the folder stands for it."""
    folder = Path.cwd()
    around = (parent for parent in (folder, *folder.parents) if (parent / ".git").exists())
    return Checkout(next(around, folder), folder)
