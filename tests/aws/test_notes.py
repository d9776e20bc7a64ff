"""Notes and locks in a private folder, and its replacement."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import pytest

from iamcreds.aws.notes import Notes, find_folders

if TYPE_CHECKING:
    from collections.abc import Callable

LINE = b"a line"


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Return the preferred folder and its replacement."""
    return [tmp_path / "first", tmp_path / "state" / "second"]


def is_free(folders: list[Path], name: str) -> bool:
    """Return True if another process could acquire the lock."""
    taken = threading.Event()

    def take() -> None:
        with Notes(folders, print).hold(name):
            taken.set()

    threading.Thread(target=take, daemon=True).start()
    return taken.wait(0.3)


def test_find_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Notes are kept below /tmp, or else in the user's state folder, if it exists."""
    monkeypatch.setattr("os.getuid", lambda: 42)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert find_folders() == [Path("/tmp/iamcreds-42"), tmp_path / "iamcreds"]  # noqa: S108 - nothing is written
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_folders()[1:] == [tmp_path / ".local/state/iamcreds"]

    def find_none() -> Path:
        raise RuntimeError

    monkeypatch.setattr("pathlib.Path.home", find_none)
    assert len(find_folders()) == 1


def test_private(folders: list[Path]) -> None:
    """Only the owner has access to the folder and its files."""
    kept = Notes(folders, pytest.fail)
    kept.append("file", LINE)
    with kept.hold("lock"):
        assert not is_free(folders, "lock")
        with kept.hold("lock"):
            pass
        assert not is_free(folders, "lock")
        assert is_free(folders, "other")
    assert is_free(folders, "lock")
    assert folders[0].stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folders[0].iterdir()} == {0o600}
    assert not folders[1].exists()


def belong_to_other(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the folder appear to belong to a different user."""
    folder.mkdir()
    owner, real = os.getuid() + 1, Path.lstat

    def lstat(path: Path) -> os.stat_result:
        found = real(path)
        return os.stat_result((*found[:4], owner, *found[5:10])) if path == folder else found

    patch.setattr(Path, "lstat", lstat)


def be_open_to_others(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    """Make the folder writable for all users."""
    folder.mkdir()
    folder.chmod(0o777)


def be_a_link(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    """Replace the folder by a link to a private one."""
    (folder.parent / "target").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "target")


def be_a_file(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    """Create a file in place of the folder."""
    folder.touch()


def be_read_only(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the file system reject every file that is opened for writing."""
    folder.mkdir(mode=0o700)
    real = os.open

    def open_file(path: str | Path, flags: int, *more: int) -> int:
        if Path(path).parent == folder and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return real(path, flags, *more)

    patch.setattr(os, "open", open_file)


@pytest.mark.parametrize(
    ("break_folder", "reason"),
    [
        (belong_to_other, "owned by a different user"),
        (be_open_to_others, "writable by other users"),
        (be_a_link, "not a folder"),
        (be_a_file, "File exists"),
        (be_read_only, "Read-only file system"),
    ],
)
def test_fallback(
    folders: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    break_folder: Callable[[Path, pytest.MonkeyPatch], None],
    reason: str,
) -> None:
    """If a folder cannot be used, one warning gives the reason, and every process uses the replacement."""
    warnings: list[str] = []
    with monkeypatch.context() as patch:
        break_folder(folders[0], patch)
        kept = Notes(folders, warnings.append)
        with kept.hold("lock"):
            kept.append("file", LINE)
            kept.append("file", LINE)
            assert not is_free(folders, "lock")
        assert Notes(folders, pytest.fail).read("file") == [LINE, LINE]
    expected = f"cannot write the create journal in {folders[0]} ({reason}); iamcreds uses {folders[1]} instead"
    assert warnings == [expected]


def test_full_disk(folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that a full disk truncated is written to the other folder, and the next line is intact."""
    warnings: list[str] = []
    kept = Notes(folders, warnings.append)
    write, lengths = os.write, iter([3, 99])
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, text: write(handle, text[: next(lengths)]))
        kept.append("file", LINE)
    kept.append("file", LINE)
    assert sorted(kept.read("file")) == [LINE[:2], LINE, LINE]
    assert [said.count("No space left on device") for said in warnings] == [1]


def test_without_folders(folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """If no folder works, the run continues with one warning, and this process still knows its own notes."""
    warnings: list[str] = []
    for folder in folders:
        folder.parent.mkdir(exist_ok=True)
        folder.touch()
    kept = Notes(folders, warnings.append)
    for _ in range(2):
        with kept.hold("lock"):
            kept.append("file", LINE)
    assert kept.read("file") == [LINE, LINE]
    (said,) = warnings
    assert all(f"{folder} (File exists)" in said for folder in folders)
    assert said.endswith("; without it, runs cannot detect the creates of concurrent and killed runs")
    monkeypatch.setattr(filelock.FileLock, "acquire", lambda *_: pytest.fail("no file must be locked"))
    assert Notes([], warnings.append).read("file") == []


def test_file_system_without_locks(folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder on a file system without locks counts as unusable."""
    warnings: list[str] = []

    def acquire(_lock: filelock.FileLock) -> None:
        raise NotImplementedError("no flock")

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    with Notes(folders, warnings.append).hold("lock"):
        pass
    assert [said.count("no flock") for said in warnings] == [2]


def test_remove(folders: list[Path]) -> None:
    """A file is removed if its name and the clock of this machine, which may be wrong, both indicate that it is old."""
    kept = Notes(folders, pytest.fail)
    for name in ("old", "old-set", "new"):
        kept.append(name, LINE)
    for name in ("old", "new"):
        os.utime(folders[0] / name, (0, 0))
    kept.remove("*", lambda name: name.startswith("old"))
    assert [name for name in ("old", "old-set", "new") if kept.read(name)] == ["old-set", "new"]


def test_without_owners(folders: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """If files have no numeric owner, as on Windows, the folder is used without a check."""
    monkeypatch.delattr("os.getuid")
    assert find_folders()[0].name == "iamcreds-0"
    be_open_to_others(folders[0], monkeypatch)
    Notes(folders, pytest.fail).append("file", LINE)
