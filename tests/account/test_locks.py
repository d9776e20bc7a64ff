"""One Create at a time for each user and service, by files in a folder of this person's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from iamcreds.account.folder import own_folder
from iamcreds.account.locks import FILES, CreateLocks

if TYPE_CHECKING:
    from pathlib import Path

JANE = ("jane", "codecommit.amazonaws.com")


def locks_of(folder: Path | None, account: str = "https://iam 123456789012") -> CreateLocks:
    """Those of a process."""
    return CreateLocks(folder, lambda: account)


def is_free(locks: CreateLocks, user: str, service: str) -> bool:
    """Whether a Create could begin."""
    began = threading.Event()

    def begin() -> None:
        with locks.hold(user, service):
            began.set()

    threading.Thread(target=begin, daemon=True).start()
    return began.wait(0.5)


@pytest.mark.parametrize("is_shared", [True, False])
def test_one_at_a_time(tmp_path: Path, *, is_shared: bool) -> None:
    """A Create keeps others for the same user and service waiting, in its own process and in another, and no others."""
    first = locks_of(tmp_path)
    second = first if is_shared else locks_of(tmp_path)
    with first.hold(*JANE):
        assert not is_free(second, *JANE)
        assert is_free(second, "john", JANE[1])
        assert is_free(second, "jane", "logs.amazonaws.com")
        assert is_free(locks_of(tmp_path, "https://iam 210987654321"), *JANE)
    assert is_free(second, *JANE)


def test_held_once_more(tmp_path: Path) -> None:
    """Who holds it may hold it once more, and others wait until the first hold has ended."""
    locks = locks_of(tmp_path)
    with locks.hold(*JANE):
        with locks.hold(*JANE):
            pass
        assert not is_free(locks_of(tmp_path), *JANE)
        assert not is_free(locks, *JANE)
    assert is_free(locks_of(tmp_path), *JANE)


def test_files(tmp_path: Path) -> None:
    """Locks share a number of files that only their owner can read; their names are numbers."""
    locks = locks_of(tmp_path)
    with locks.hold(*JANE):
        pass
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("create-")
    assert file.name.endswith(".lock")
    assert 0 <= int(file.name[7:11]) < FILES == 1024
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_a_folder() -> None:
    """Where there is no folder that is this person's alone, Creates of a process wait for each other all the same."""
    locks = locks_of(None)
    with locks.hold(*JANE):
        assert not is_free(locks, *JANE)


def test_folders(tmp_path: Path) -> None:
    """The folder is made once, for this person alone; what else is there in its place is not used."""
    folder = own_folder(tmp_path)
    assert folder is not None
    assert own_folder(tmp_path) == folder
    assert folder.name.startswith("iamcreds-")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert own_folder(tmp_path / "missing") is None
    folder.rmdir()
    folder.write_text("")
    assert own_folder(tmp_path) is None
    folder.unlink()
    folder.symlink_to(tmp_path)
    assert own_folder(tmp_path) is None


def test_folder_without_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files have no owners by number, as on Windows, the folder is used as it is."""
    monkeypatch.delattr("os.getuid")
    assert own_folder(tmp_path) == tmp_path / "iamcreds-0"
