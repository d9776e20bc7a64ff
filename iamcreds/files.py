"""Atomic writes of files with access information: readable by the owner only, and never through a link.

In a folder such as /tmp, another user may have created a link to a file of the owner, or a pipe to read the content,
with the same name. The existing file is therefore not opened; a new file in the same folder replaces it.
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
    """Check that a file can be written, before a long operation creates its content.

    Raises:
        OutputFileError: the file cannot be written.
    """
    with _translated(file):
        if file.is_dir():
            raise OutputFileError(f"cannot write {file}: it is a folder; specify a file")
        if file.is_symlink():
            raise OutputFileError(
                f"cannot write {file}: it is a symbolic link, which another user may have created; specify its target"
            )
        if os.path.lexists(file) and not stat.S_ISREG(file.lstat().st_mode):
            raise OutputFileError(f"cannot write {file}: it is not a regular file; specify a different file")
        if not file.parent.is_dir():
            folder = file.parent.absolute()
            raise OutputFileError(
                f"cannot write {file}: folder {folder} does not exist. Run `mkdir -p {shlex.quote(str(folder))}`, or"
                " specify a different file"
            )
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise OutputFileError(f"cannot write {file}: folder {file.parent.absolute()} is not writable")


def discard(file: Path) -> None:
    """Delete the previous version of a file, so that no outdated version remains if writing a new one fails.

    Raises:
        OutputFileError: the file cannot be written or deleted.
    """
    check_target(file)
    with _translated(file):
        file.unlink(missing_ok=True)


def write_private(file: Path, text: str) -> None:
    """Write a file completely or not at all, with mode 0600; replace an existing one without opening it.

    Raises:
        OutputFileError: the file cannot be written.
    """
    with _translated(file):
        _replace(file, text.encode(), None)


def rewrite(file: Path, data: bytes) -> None:
    """Replace the content of an existing file completely or not at all; keep its mode, and a link to it.

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
    """Translate errors of the file system.

    Raises:
        OutputFileError: the file system reports an error.
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputFileError(f"cannot write {file}: {reason}") from error
