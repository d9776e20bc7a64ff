"""Private output files: only the owner can read them, and no link, pipe or folder of another user redirects them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from iamcreds.errors import OutputFileError
from iamcreds.files import check_target, write_private

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Return a folder like /tmp: every user can write to it, but cannot remove files of another user."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def test_mode(shared: Path) -> None:
    """Only the owner can read the file, regardless of the umask and the previous mode; no other file remains."""
    old = os.umask(0)
    try:
        (shared / "report.html").write_text("old")
        (shared / "report.html").chmod(0o666)
        write_private(shared / "report.html", "new")
    finally:
        os.umask(old)
    assert stat.S_IMODE((shared / "report.html").stat().st_mode) == 0o600
    assert [path.name for path in shared.iterdir()] == ["report.html"]


def test_link(shared: Path, tmp_path: Path) -> None:
    """A link is rejected, and one created later is replaced: its target is neither written nor read."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (shared / "report.html").symlink_to(precious)
    with pytest.raises(OutputFileError, match="it is a symbolic link, which another user may have created"):
        check_target(shared / "report.html")
    write_private(shared / "report.html", "new")
    assert precious.read_text() == "mine"
    assert (shared / "report.html").read_text() == "new"
    assert not (shared / "report.html").is_symlink()


@pytest.mark.timeout(20)
def test_pipe(shared: Path) -> None:
    """A pipe is rejected, and a reader of a pipe created later receives nothing."""
    pipe = shared / "report.html"
    os.mkfifo(pipe)
    with pytest.raises(OutputFileError, match="is not a regular file"):
        check_target(pipe)
    listener = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_private(pipe, "who has which access")
    assert os.read(listener, 100) == b""
    os.close(listener)
    assert pipe.read_text() == "who has which access"
