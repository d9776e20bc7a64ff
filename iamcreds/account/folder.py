"""A folder of this person's own, in which the processes of a machine leave word for one another."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

SHARED = Path("/tmp")  # noqa: S108 - not TMPDIR, which two runs may have differently; below it is a folder of our own

_KEPT_SECONDS = 3600
"""After which a file is of no use to anybody, by this machine's clock."""


def own_folder(shared: Path) -> Path | None:
    """A folder below a shared one for this person alone; None where nobody can be kept out of it."""
    owner = os.getuid() if hasattr(os, "getuid") else None
    folder = shared / f"iamcreds-{owner or 0}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = folder.is_dir() and not folder.is_symlink() and (owner is None or found.st_uid == owner)
    return folder if ours else None


def is_old(file: Path) -> bool:
    """Whether a file is of no use to anybody any more.

    Raises:
        OSError: there is no such file.
    """
    return time.time() - file.stat().st_mtime > _KEPT_SECONDS


def remove_old(folder: Path, pattern: str) -> None:
    """Remove the files of such names that are of no use to anybody any more."""
    for file in folder.glob(pattern):
        with contextlib.suppress(OSError):  # another process removes them as well
            if is_old(file):
                file.unlink()
