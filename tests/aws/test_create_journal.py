"""The journal of creates, as read by the runs after a killed one."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.aws.clock import Clock
from iamcreds.aws.create_journal import LOCKS, CreateJournal
from iamcreds.aws.notes import Notes
from iamcreds.model import Credential, Status
from iamcreds.services import Family

if TYPE_CHECKING:
    from pathlib import Path

CODECOMMIT = "codecommit.amazonaws.com"
KEYSPACES = "cassandra.amazonaws.com"
JANE = ("jane", CODECOMMIT)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CREDENTIAL = Credential(
    "ACCA1", "jane", CODECOMMIT, Status.ACTIVE, NOW + timedelta(seconds=1), Family.PASSWORD, "jane-at-1"
)


def journal(folder: Path | None, account: str = "https://iam 123456789012", now: datetime = NOW) -> CreateJournal:
    """Return the journal of a process."""
    notes = Notes([folder] if folder else [], lambda _: None)
    return CreateJournal(notes, lambda: account, Clock(lambda: now))


def ids(folder: Path, service: str = CODECOMMIT, now: datetime = NOW) -> list[str | None]:
    """Return the ids of jane's creates as a different process reads them."""
    return [create.id for create in journal(folder, now=now).read("jane", service)]


def read_file(folder: Path) -> Path:
    """Return the only file of creates."""
    (file,) = folder.glob("creates-*")
    return file


def test_from_call_to_evidence(tmp_path: Path) -> None:
    """A create is recorded before its call, and then with its id, until it is closed or the credential is deleted."""
    own = journal(tmp_path)
    first, second = own.begin(*JANE), own.begin(*JANE)
    other = own.begin("jane", KEYSPACES)
    assert ids(tmp_path) == [None, None]
    own.confirm("jane", second, CREDENTIAL)
    assert ids(tmp_path) == [None, "ACCA1"]
    unanswered, confirmed = journal(tmp_path).read(*JANE)
    assert (unanswered.call, unanswered.began, unanswered.is_of_this_process) == (first, NOW, True)
    assert (unanswered.created, confirmed.created) == (NOW + timedelta(seconds=10), CREDENTIAL.created)
    journal(tmp_path).close("jane", first)
    assert ids(tmp_path) == ["ACCA1"]
    journal(tmp_path).delete("jane", "ACCA1")
    assert (ids(tmp_path), ids(tmp_path, KEYSPACES)) == ([], [None])
    journal(tmp_path).close("jane", other)
    assert ids(tmp_path, KEYSPACES) == []
    assert (journal(tmp_path).ids("jane"), journal(tmp_path).ids("john")) == ({"ACCA1"}, set())


def test_end_of_a_process(tmp_path: Path) -> None:
    """The normal end of a process closes no create, because the engine may have failed to record it."""
    own = journal(tmp_path)
    own.confirm("jane", own.begin(*JANE), CREDENTIAL)
    del own
    assert ids(tmp_path) == ["ACCA1"]


def test_lists(tmp_path: Path) -> None:
    """The last note about a list counts."""
    own = journal(tmp_path)
    own.begin(*JANE)
    (create,) = own.read(*JANE)
    assert (create.is_listed, create.since) == (None, None)
    for is_listed in (True, False):
        noted = own.note_list("jane", create, is_listed=is_listed)
        assert own.read(*JANE) == [noted]
        assert (noted.is_listed, noted.since) == (is_listed, NOW)


def test_other_accounts(tmp_path: Path) -> None:
    """Creates for a different account, endpoint or user are not read."""
    journal(tmp_path).begin(*JANE)
    for account in ("https://iam 210987654321", "http://127.0.0.1:5000 123456789012"):
        assert journal(tmp_path, account).read(*JANE) == []
    assert journal(tmp_path).read("john", CODECOMMIT) == []
    journal(tmp_path).delete("john", "ACCA2")
    assert read_file(tmp_path)


def test_other_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process knows its own creates."""
    journal(tmp_path).begin(*JANE)
    monkeypatch.setattr("iamcreds.aws.create_journal.process_id", lambda: "other")
    (create,) = journal(tmp_path).read(*JANE)
    assert not create.is_of_this_process


@pytest.mark.parametrize("size", [1, 20, 60])
def test_torn_line(tmp_path: Path, size: int) -> None:
    """An unfinished line of a killed process hides neither the line before nor the line after it."""
    for _ in range(2):
        journal(tmp_path).begin(*JANE)
    file = read_file(tmp_path)
    os.truncate(file, file.stat().st_size - size)
    journal(tmp_path).begin(*JANE)
    assert ids(tmp_path) == [None] * (3 if size == 1 else 2)


def test_bad_byte(tmp_path: Path) -> None:
    """A damaged byte hides only its own line, at any position."""
    for _ in range(3):
        journal(tmp_path).begin(*JANE)
    file = read_file(tmp_path)
    intact = file.read_bytes()
    for location in range(len(intact)):
        for byte in (b"\xff", b"\n", b"0"):
            file.write_bytes(intact[:location] + byte + intact[location + 1 :])
            assert len(ids(tmp_path)) >= 2, location


def test_clock_that_was_set(tmp_path: Path) -> None:
    """No note is lost through a wrong file time, or through a clock that is off by hours."""
    journal(tmp_path).begin(*JANE)
    file = read_file(tmp_path)
    for when in (0, 2**33):
        os.utime(file, (when, when))
        for hours in (-23, -2, 2, 23):
            now = NOW + timedelta(hours=hours)
            journal(tmp_path, now=now).begin("john", KEYSPACES)
            assert ids(tmp_path, now=now) == [None]


def test_old_files(tmp_path: Path) -> None:
    """The next process that creates a credential removes files from before yesterday."""
    journal(tmp_path).begin(*JANE)
    os.utime(read_file(tmp_path), (0, 0))
    journal(tmp_path, now=NOW + timedelta(days=2)).begin("john", CODECOMMIT)
    assert ids(tmp_path) == []


def test_folders(tmp_path: Path) -> None:
    """Notes of one create may be in two folders if the first one becomes usable again."""
    folders = [tmp_path / "first", tmp_path / "second"]
    call = journal(folders[1]).begin(*JANE)
    journal(folders[0]).confirm("jane", call, CREDENTIAL)
    both = CreateJournal(Notes(folders, pytest.fail), lambda: "https://iam 123456789012", Clock(lambda: NOW))
    assert [create.id for create in both.read(*JANE)] == ["ACCA1"]


def test_names(tmp_path: Path) -> None:
    """No file reveals a user or an account, neither by its name nor by its content."""
    own = journal(tmp_path)
    with own.hold(*JANE):
        own.begin(*JANE)
    names = " ".join(file.name for file in tmp_path.iterdir()) + read_file(tmp_path).read_text()
    assert not {word for word in ("jane", "123456789012") if word in names}
    (lock,) = tmp_path.glob("*.lock")
    assert 0 <= int(lock.name[7:11]) < LOCKS == 1024


def test_without_folder() -> None:
    """If no notes can be kept, this process still knows its own creates."""
    own = journal(None)
    own.confirm("jane", own.begin(*JANE), CREDENTIAL)
    assert [create.id for create in own.read(*JANE)] == ["ACCA1"]
    assert journal(None).read(*JANE) == []


def test_has_other(tmp_path: Path) -> None:
    """A credential may belong to another create without a response if it was created within the time of that call."""
    own = journal(tmp_path)
    call = own.begin(*JANE)
    assert not own.has_other("jane", call, CREDENTIAL)
    other = journal(tmp_path).begin(*JANE)
    assert own.has_other("jane", call, CREDENTIAL)
    assert own.has_other("jane", call, replace(CREDENTIAL, created=NOW + timedelta(seconds=10)))
    assert not own.has_other("jane", call, replace(CREDENTIAL, created=NOW + timedelta(seconds=11)))
    assert not own.has_other("jane", call, replace(CREDENTIAL, created=NOW - timedelta(seconds=2)))
    assert not own.has_other("jane", call, replace(CREDENTIAL, service=KEYSPACES))
    own.confirm("jane", other, replace(CREDENTIAL, id="ACCA2"))
    assert not own.has_other("jane", call, CREDENTIAL)


def is_free(journal: CreateJournal, user: str, service: str) -> bool:
    """Return True if a create could begin."""
    began = threading.Event()

    def begin() -> None:
        with journal.hold(user, service):
            began.set()

    threading.Thread(target=begin, daemon=True).start()
    return began.wait(0.3)


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize("is_kept", [True, False])
def test_one_at_a_time(tmp_path: Path, *, is_shared: bool, is_kept: bool) -> None:
    """A create blocks other creates for the same user and service; across processes only if notes can be kept."""
    first = journal(tmp_path if is_kept else None)
    second = first if is_shared else journal(tmp_path if is_kept else None)
    with first.hold(*JANE):
        with first.hold(*JANE):
            pass
        assert is_free(second, *JANE) is not (is_shared or is_kept)
        assert is_free(second, "john", CODECOMMIT)
        assert is_free(second, "jane", KEYSPACES)
        assert is_free(journal(tmp_path, "https://iam 210987654321"), *JANE)
        with first.hold("john", KEYSPACES):
            pass
    assert is_free(second, *JANE)
