"""Writing a project's files: existing files are kept, and an interrupted run can be completed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from iamcreds.errors import OutputFileError
from iamcreds.project.writing import Outcome, find_different, write_files

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"Pulumi.yaml": b"name: iamcreds\n", "specs/account.yaml": b"account: x\n"}


def test_new_folder(tmp_path: Path) -> None:
    """All files are written into a new folder, with exactly this content."""
    outcomes = dict(write_files(tmp_path / "a/b", FILES, ()))
    assert set(outcomes.values()) == {Outcome.WRITTEN}
    assert {name: (tmp_path / "a/b" / name).read_bytes() for name in FILES} == FILES


def test_what_is_there_stays(tmp_path: Path) -> None:
    """A file with different content is kept, one with the same content is unchanged, and others are written."""
    (tmp_path / "Pulumi.yaml").write_text("name: mine\n")
    assert dict(write_files(tmp_path, FILES, ())) == {
        "Pulumi.yaml": Outcome.KEPT,
        "specs/account.yaml": Outcome.WRITTEN,
    }
    assert (tmp_path / "Pulumi.yaml").read_text() == "name: mine\n"
    assert dict(write_files(tmp_path, FILES, ()))["specs/account.yaml"] is Outcome.SAME


def test_overwriting_what_is_named(tmp_path: Path) -> None:
    """Only files in the list are overwritten."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    outcomes = dict(write_files(tmp_path, FILES, ["Pulumi.yaml"]))
    assert outcomes == {"Pulumi.yaml": Outcome.OVERWRITTEN, "specs/account.yaml": Outcome.KEPT}
    assert (tmp_path / "Pulumi.yaml").read_bytes() == FILES["Pulumi.yaml"]


def test_begun_and_cut_off(tmp_path: Path) -> None:
    """A run that was interrupted is completed by the next one."""
    next(write_files(tmp_path, FILES, ()))
    assert not (tmp_path / "specs").exists()
    assert list(dict(write_files(tmp_path, FILES, ())).values()) == [Outcome.SAME, Outcome.WRITTEN]


def test_link_to_nowhere(tmp_path: Path) -> None:
    """A link without a target counts as an existing file, and nothing is written through it."""
    (tmp_path / "Pulumi.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputFileError, match=r"Pulumi\.yaml cannot be written: No such file or directory"):
        list(write_files(tmp_path, FILES, ()))
    assert not (tmp_path / "elsewhere").exists()


def test_folder_in_a_files_place(tmp_path: Path) -> None:
    """A folder in place of a file, or a file in place of a folder, is an error with its path."""
    (tmp_path / "Pulumi.yaml").mkdir()
    with pytest.raises(OutputFileError, match=r"Pulumi\.yaml cannot be written: Is a directory"):
        list(write_files(tmp_path, FILES, ()))
    (tmp_path / "specs").write_text("")
    with pytest.raises(OutputFileError, match=r"specs/account\.yaml cannot be written: "):
        list(write_files(tmp_path, {"specs/account.yaml": b""}, ()))


def test_link_to_a_file(tmp_path: Path) -> None:
    """A link is read, but --overwrite writes nothing through it."""
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "Pulumi.yaml").symlink_to(tmp_path / "elsewhere")
    assert dict(write_files(tmp_path, FILES, ()))["Pulumi.yaml"] is Outcome.KEPT
    with pytest.raises(OutputFileError, match=r"Pulumi\.yaml cannot be written: it is a link"):
        list(write_files(tmp_path, FILES, ["Pulumi.yaml"]))
    assert (tmp_path / "elsewhere").read_text() == "mine"


def test_pipe(tmp_path: Path) -> None:
    """A pipe is an error and never opened, because opening it may block forever."""
    os.mkfifo(tmp_path / "Pulumi.yaml")
    for check in (lambda: list(write_files(tmp_path, FILES, ())), lambda: find_different(tmp_path, FILES)):
        with pytest.raises(OutputFileError, match=r"Pulumi\.yaml cannot be written: it is not a regular file"):
            check()


def test_find_different(tmp_path: Path) -> None:
    """Only an existing file with different content is different."""
    (tmp_path / "Pulumi.yaml").write_text("mine")
    assert find_different(tmp_path, FILES) == ["Pulumi.yaml"]
    (tmp_path / "Pulumi.yaml").write_bytes(FILES["Pulumi.yaml"])
    assert find_different(tmp_path, FILES) == []
