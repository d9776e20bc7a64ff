"""Writing a project's files: none that exists is touched unless it is named."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from iamcreds.errors import OutputFileError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path


class Outcome(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    OVERWRITTEN = "overwritten"
    SAME = "there already, and the same"
    KEPT = "there already, another text: kept"


def write_files(folder: Path, files: Mapping[str, str], overwrite: Collection[str]) -> Iterator[tuple[str, Outcome]]:
    """Write the files that are not there, and those to be overwritten; what became of each, as it is done.

    A run that was cut off is repeated: what it has written is the same, and what it has not is written then.

    Raises:
        OutputFileError: a folder or file cannot be written.
    """
    for path, text in files.items():
        try:
            yield path, _write(folder / path, text, is_overwritten=path in overwrite)
        except (OSError, UnicodeDecodeError) as error:
            raise OutputFileError(f"{folder / path} cannot be written: {_reason(error)}") from error


def _write(file: Path, text: str, *, is_overwritten: bool) -> Outcome:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as new:
            new.write(text)
    except FileExistsError:
        if file.read_bytes() == text.encode():
            return Outcome.SAME
        if not is_overwritten:
            return Outcome.KEPT
        file.write_text(text, "utf-8", newline="\n")
        return Outcome.OVERWRITTEN
    return Outcome.WRITTEN


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
