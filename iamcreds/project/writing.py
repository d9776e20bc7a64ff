"""Writing of a project's files; an existing file changes only if the user names it."""

from __future__ import annotations

import difflib
import os
import stat
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from iamcreds.errors import OutputFileError
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path


class Outcome(StrEnum):
    """The outcome for one file."""

    WRITTEN = "written"
    OVERWRITTEN = "overwritten"
    SAME = "already exists, unchanged"
    KEPT = "already exists with different content, kept"


def write_files(folder: Path, files: Mapping[str, bytes], overwrite: Collection[str]) -> Iterator[tuple[str, Outcome]]:
    """Write the missing files and those to be overwritten, and yield the outcome of each.

    After an interrupted run, a new one writes the missing files, and the others are unchanged.

    Raises:
        OutputFileError: a folder or file cannot be written.
    """
    for path, content in files.items():
        with _translated(folder / path):
            outcome = _write(folder / path, content, is_overwritten=path in overwrite)
        yield path, outcome


def find_different(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Find the files that already exist with different content.

    Raises:
        OutputFileError: a file cannot be read.
    """
    different = []
    for path, content in files.items():
        with _translated(folder / path):
            if _read_existing(folder / path) not in (None, content):
                different.append(path)
    return different


def compare(folder: Path, path: str, content: bytes) -> list[str]:
    """Return the unified diff from an existing file to the given content, as printable lines.

    Raises:
        OutputFileError: the file cannot be read.
    """
    with _translated(folder / path):
        existing = _read_existing(folder / path) or b""
    old, new = (text.decode("utf-8", "backslashreplace").split("\n") for text in (existing, content))
    diff = difflib.unified_diff(old, new, f"{path} (existing)", f"{path} (this version)", lineterm="")
    return [escape_invisible(line) for line in diff]


def _write(file: Path, content: bytes, *, is_overwritten: bool) -> Outcome:
    file.parent.mkdir(parents=True, exist_ok=True)
    existing = _read_existing(file)
    if existing is None:
        with file.open("xb") as new:
            new.write(content)
        return Outcome.WRITTEN
    if existing == content:
        return Outcome.SAME
    if not is_overwritten:
        return Outcome.KEPT
    if file.is_symlink():
        raise OutputFileError(f"{file} cannot be written: it is a link")
    file.write_bytes(content)
    return Outcome.OVERWRITTEN


def _read_existing(file: Path) -> bytes | None:
    """Return the content of a file, None if it does not exist; reject pipes and devices, which might never end."""
    if not os.path.lexists(file):
        return None
    if not file.is_dir() and not stat.S_ISREG(file.stat().st_mode):
        raise OutputFileError(f"{file} cannot be written: it is not a regular file")
    return file.read_bytes()


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    """Raise an error of the file system as an `OutputFileError`."""
    try:
        yield
    except OSError as error:
        raise OutputFileError(f"{file} cannot be written: {error.strerror or type(error).__name__}") from error
