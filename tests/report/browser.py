"""The browser that draws the report page, without a screen and without network requests of its own."""

from __future__ import annotations

import shutil

PROGRAMS = ("chromium", "google-chrome")
"""Debian's package, and the browser on GitHub's runners."""

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def find_browser() -> str | None:
    """Find the first of them on PATH."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
