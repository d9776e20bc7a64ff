"""Writing a file that may say who has which access: whole or not at all, for its owner alone, and through no link.

In a folder that others may write to, such as /tmp, a name may be anybody's: a link that leads to a file of ours, or a
pipe that somebody reads. So nothing at that name is opened; what is new is written beside it and takes its place.
"""

from __future__ import annotations

import os
import shlex
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from iamcreds.errors import OutputFileError

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_target(file: Path) -> None:
    """See to it that a file can be written, before anybody waits minutes for what will stand in it.

    Raises:
        OutputFileError: it cannot.
    """
    with _translated(file):
        if file.is_dir():
            raise OutputFileError(f"{file} is a folder: name a file to write to")
        if file.is_symlink():
            raise OutputFileError(f"{file} is a link, which may be anybody's: name the file that it leads to")
        if os.path.lexists(file) and not stat.S_ISREG(file.lstat().st_mode):
            raise OutputFileError(f"{file} is not a regular file, and would be replaced by one: name another")
        if not file.parent.is_dir():
            folder = file.parent.absolute()
            raise OutputFileError(
                f"cannot write {file}: there is no folder {folder}: make it (mkdir -p {shlex.quote(str(folder))}), or"
                " name another file"
            )
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise OutputFileError(f"cannot write {file}: folder {file.parent.absolute()} may not be written to")


def discard(file: Path) -> None:
    """Delete an earlier version of a file, so that nobody uses it if no new version is written.

    Raises:
        OutputFileError: it cannot be written or deleted.
    """
    check_target(file)
    with _translated(file):
        file.unlink(missing_ok=True)


def write_private(file: Path, text: str) -> None:
    """Write the whole file or none of it, with mode 0600; whatever had its name before is replaced and not opened.

    Raises:
        OutputFileError: the folder does not take it.
    """
    with _translated(file):
        _replace(file, text.encode(), None)


def rewrite(file: Path, data: bytes) -> None:
    """Write the whole new content of an existing file or none of it; its mode stays, and a link leads to it still.

    Raises:
        OutputFileError: it cannot be written.
    """
    target = file.resolve()
    check_target(target)
    with _translated(file):
        _replace(target, data, stat.S_IMODE(target.stat().st_mode))


def _replace(file: Path, data: bytes, mode: int | None) -> None:
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as opened:
        temporary = Path(opened.name)
        try:
            opened.write(data)
            opened.close()
            if mode is not None:
                temporary.chmod(mode)
            temporary.replace(file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    """Say in a sentence what the file system says."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputFileError(f"cannot write {file}: {reason}") from error
