"""The repository around the current folder."""

from __future__ import annotations

from pathlib import Path

from iamcreds.report.sarif.document import Checkout


def find_checkout() -> Checkout:
    """Return the current folder and its repository; outside a repository, the folder itself is the root."""
    folder = Path.cwd()
    around = (parent for parent in (folder, *folder.parents) if (parent / ".git").exists())
    return Checkout(next(around, folder), folder)
