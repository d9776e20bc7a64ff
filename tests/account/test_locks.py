"""One Create at a time for each user and service, by files in a folder of this person's own."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from iamcreds.account.locks import FILES, REMEMBERED, CreateLocks, own_folder

if TYPE_CHECKING:
    from pathlib import Path

JANE = ("jane", "codecommit.amazonaws.com")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


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
    first = CreateLocks(tmp_path)
    second = first if is_shared else CreateLocks(tmp_path)
    with first.hold(*JANE):
        assert not is_free(second, *JANE)
        assert is_free(second, "john", JANE[1])
        assert is_free(second, "jane", "logs.amazonaws.com")
    assert is_free(second, *JANE)


def test_held_once_more(tmp_path: Path) -> None:
    """Who holds it may hold it once more, and others wait until the first hold has ended."""
    locks = CreateLocks(tmp_path)
    with locks.hold(*JANE):
        with locks.hold(*JANE):
            pass
        assert not is_free(CreateLocks(tmp_path), *JANE)
        assert not is_free(locks, *JANE)
    assert is_free(CreateLocks(tmp_path), *JANE)


def test_files(tmp_path: Path) -> None:
    """Locks share a number of files that only their owner can read; their names are numbers."""
    locks = CreateLocks(tmp_path)
    with locks.hold(*JANE):
        pass
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("create-")
    assert file.name.endswith(".lock")
    assert 0 <= int(file.name[7:11]) < FILES == 1024
    assert file.stat().st_mode & 0o777 == 0o600


def test_notes(tmp_path: Path) -> None:
    """A note of a Create that is under way is there for every process until its end, for each user and service."""
    CreateLocks(tmp_path).begin(*JANE, NOW)
    assert CreateLocks(tmp_path).begun(*JANE) == NOW
    assert CreateLocks(tmp_path).begun("john", JANE[1]) is None
    assert CreateLocks(tmp_path).begun("jane", "logs.amazonaws.com") is None
    CreateLocks(tmp_path).end(*JANE)
    assert CreateLocks(tmp_path).begun(*JANE) is None
    CreateLocks(tmp_path).end(*JANE)


def test_notes_of_lost_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a Create ended of which nobody knows what came is there for every other process, by user and service."""
    CreateLocks(tmp_path).lose(*JANE, NOW)
    assert CreateLocks(tmp_path).lost(*JANE) is None
    monkeypatch.setattr("iamcreds.account.locks.process_id", lambda: 0)
    assert CreateLocks(tmp_path).lost(*JANE) == NOW
    assert CreateLocks(tmp_path).lost("john", JANE[1]) is None
    assert CreateLocks(tmp_path).begun(*JANE) is None
    CreateLocks(tmp_path).end(*JANE)
    assert CreateLocks(tmp_path).lost(*JANE) == NOW
    (note,) = tmp_path.iterdir()
    note.write_text("soon")
    assert CreateLocks(tmp_path).lost(*JANE) is None


def test_what_was_made(tmp_path: Path) -> None:
    """Every process knows what was made last on this machine, and what cannot be read or written stops none."""
    assert CreateLocks(tmp_path).made(*JANE) == set()
    ids = [f"ACCA{number}" for number in range(REMEMBERED + 1)]
    for credential_id in ids:
        CreateLocks(tmp_path).remember(*JANE, credential_id)
    assert CreateLocks(tmp_path).made(*JANE) == set(ids[1:])
    assert CreateLocks(tmp_path).made("john", JANE[1]) == set()
    (file,) = tmp_path.iterdir()
    file.unlink()
    file.mkdir()
    CreateLocks(tmp_path).remember(*JANE, "ACCA1")
    assert CreateLocks(tmp_path).made(*JANE) == set()


def test_notes_that_say_nothing(tmp_path: Path) -> None:
    """A note that cannot be read or written stops nobody."""
    locks = CreateLocks(tmp_path)
    locks.begin(*JANE, NOW)
    (note,) = tmp_path.iterdir()
    note.write_text("soon")
    assert locks.begun(*JANE) is None
    note.unlink()
    note.mkdir()
    locks.begin(*JANE, NOW)
    locks.end(*JANE)
    assert locks.begun(*JANE) is None


def test_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no folder that is this person's alone, Creates of a process wait for each other all the same."""
    monkeypatch.setattr("iamcreds.account.locks._SHARED", tmp_path / "missing")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    locks = CreateLocks()
    locks.begin(*JANE, NOW)
    with locks.hold(*JANE):
        assert not is_free(locks, *JANE)
    locks.end(*JANE)
    assert locks.begun(*JANE) is None
    locks.remember(*JANE, "ACCA1")
    assert locks.made(*JANE) == set()
    assert list(tmp_path.iterdir()) == []


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
