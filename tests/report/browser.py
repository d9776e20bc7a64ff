"""The browser that draws the report page: without a screen, and without asking anybody for anything."""

from __future__ import annotations

import shutil

PROGRAMS = ("chromium", "google-chrome")
"""Debian's package, and what GitHub's runners have."""

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def find_browser() -> str | None:
    """The first of them that is on PATH."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
