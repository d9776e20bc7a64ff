"""What is written down of the last Creates on a machine, for the runs that come after one that was killed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.account.creates import RecentCreates

if TYPE_CHECKING:
    from pathlib import Path

CODECOMMIT = "codecommit.amazonaws.com"
KEYSPACES = "cassandra.amazonaws.com"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def creates(folder: Path | None, account: str = "https://iam 123456789012") -> RecentCreates:
    """What a process sees."""
    return RecentCreates(folder, lambda: account)


def made(folder: Path, service: str = CODECOMMIT) -> list[str | None]:
    """What another process sees of jane's Creates that are in doubt."""
    return [create.made for create in creates(folder).read("jane", service)]


def test_until_it_is_settled(tmp_path: Path) -> None:
    """A Create is in doubt from before its call, with its id once there is one, until a process says that it is not."""
    own = creates(tmp_path)
    first = own.begin("jane", CODECOMMIT, NOW)
    second = own.begin("jane", CODECOMMIT, NOW + timedelta(seconds=1))
    other = own.begin("jane", KEYSPACES, NOW)
    assert made(tmp_path) == [None, None]
    own.finish("jane", second, "ACCA2")
    assert made(tmp_path) == [None, "ACCA2"]
    (create, _) = creates(tmp_path).read("jane", CODECOMMIT)
    assert (create.call, create.began, create.is_of_this_process) == (first, NOW, True)
    creates(tmp_path).drop("jane", first)
    assert made(tmp_path) == ["ACCA2"]
    creates(tmp_path).forget("jane", "ACCA2")
    assert (made(tmp_path), made(tmp_path, KEYSPACES)) == ([], [None])
    creates(tmp_path).drop("jane", other)
    assert made(tmp_path, KEYSPACES) == []
    assert creates(tmp_path).made("jane") == {"ACCA2"}
    assert creates(tmp_path).made("john") == set()


def test_end_of_a_process(tmp_path: Path) -> None:
    """A process that is not killed leaves what no answer told of alone; what it made is recorded by then."""
    own = creates(tmp_path)
    own.begin("jane", CODECOMMIT, NOW)
    own.finish("jane", own.begin("jane", CODECOMMIT, NOW), "ACCA2")
    del own
    assert made(tmp_path) == [None]


def test_others(tmp_path: Path) -> None:
    """Creates for another account, at another endpoint and for another user are in nobody's way."""
    creates(tmp_path).begin("jane", CODECOMMIT, NOW)
    assert creates(tmp_path, "https://iam 210987654321").read("jane", CODECOMMIT) == []
    assert creates(tmp_path, "http://127.0.0.1:5000 123456789012").read("jane", CODECOMMIT) == []
    assert creates(tmp_path).read("john", CODECOMMIT) == []
    creates(tmp_path).forget("john", "ACCA2")
    assert len(list(tmp_path.iterdir())) == 1


def test_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process can tell its own Creates from those of another."""
    creates(tmp_path).begin("jane", CODECOMMIT, NOW)
    monkeypatch.setattr("iamcreds.account.creates.process_id", lambda: "another")
    (create,) = creates(tmp_path).read("jane", CODECOMMIT)
    assert not create.is_of_this_process


@pytest.mark.parametrize(
    "line",
    ["", "[", "7", "[]", '["began", "call", "codecommit.amazonaws.com", "soon"]', "[1, 2]", '["made", "x", "y"]'],
)
def test_what_cannot_be_read(tmp_path: Path, line: str) -> None:
    """A line that a process left unfinished, or that says nothing, hides no other."""
    creates(tmp_path).begin("jane", CODECOMMIT, NOW)
    (file,) = tmp_path.iterdir()
    with file.open("a") as opened:
        opened.write(f"{line}\n")
    creates(tmp_path).begin("jane", CODECOMMIT, NOW)
    assert made(tmp_path) == [None, None]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """Where nothing can be written or read, nobody is stopped, and nothing is in doubt."""
    for folder in (None, tmp_path / "missing"):
        own = creates(folder)
        own.finish("jane", own.begin("jane", CODECOMMIT, NOW), "ACCA2")
        assert own.read("jane", CODECOMMIT) == []
    creates(tmp_path).begin("jane", CODECOMMIT, NOW)
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"\xff\n")
    assert made(tmp_path) == []
    file.unlink()
    file.mkdir()
    creates(tmp_path).begin("jane", CODECOMMIT, NOW)
    assert made(tmp_path) == []


def test_what_is_told(tmp_path: Path) -> None:
    """A file's name tells nobody's name."""
    creates(tmp_path).begin("jane", CODECOMMIT, NOW)
    (file,) = tmp_path.iterdir()
    assert "jane" not in file.name + file.read_text()
    assert "123456789012" not in file.name + file.read_text()


def test_old_files(tmp_path: Path) -> None:
    """What is older than an hour is removed by the next process that creates anything."""
    creates(tmp_path).begin("jane", CODECOMMIT, NOW)
    creates(tmp_path).begin("john", CODECOMMIT, NOW)
    for file in tmp_path.iterdir():
        if creates(tmp_path)._file("jane") == file:  # noqa: SLF001 - which of the two it is
            os.utime(file, (0, 0))
    creates(tmp_path).begin("zoe", CODECOMMIT, NOW)
    assert made(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 2
