"""The wheel that a project installs: any other file is rejected in one line."""

from __future__ import annotations

import hashlib
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from iamcreds.errors import WheelError
from iamcreds.project.wheel import check_is_installed, read_wheel

if TYPE_CHECKING:
    from pathlib import Path

NAME = "iamcreds-1.2.3-py3-none-any.whl"
METADATA = "iamcreds-1.2.3.dist-info/METADATA"
HEADERS = "Metadata-Version: 2.5\nName: iamcreds\nVersion: 1.2.3\n\nName: other\n"


def pack(file: Path, name: str = METADATA, headers: str = HEADERS) -> Path:
    """Make a wheel with this metadata."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, headers)
    return file


def reject(file: Path, reason: str) -> None:
    """Read a file, which must be rejected in one line."""
    with pytest.raises(WheelError, match=reason) as error:
        read_wheel(file, "1.2.3")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("extras", "suffix"), [((), ""), (("aws",), "[aws]"), (("aws", "notify"), "[aws,notify]")])
def test_requirement(extras: tuple[str, ...], suffix: str, tmp_path: Path) -> None:
    """The requirement has the path, the extras and the hash of the file."""
    wheel = read_wheel(pack(tmp_path / NAME), "1.2.3")
    digest = hashlib.sha256((tmp_path / NAME).read_bytes()).hexdigest()
    assert wheel.format_requirement(extras) == f"./{NAME}{suffix} --hash=sha256:{digest}"


@pytest.mark.parametrize("name", ["iamcreds-1.2.4-py3-none-any.whl", "other-1.2.3-py3-none-any.whl", "x.zip", "a\nb"])
def test_file_name(name: str, tmp_path: Path) -> None:
    """A different file name is rejected, because pip reads name and version from it."""
    with pytest.raises(WheelError, match=f"is not the wheel of this version, whose file name is {NAME}"):
        read_wheel(pack(tmp_path / name), "1.2.3")


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        (METADATA, HEADERS.replace("iamcreds", "other")),
        (METADATA, HEADERS.replace("1.2.3", "1.2.4")),
        (METADATA, ""),
        (METADATA, "\0\n\n"),
    ],
    ids=["package", "version", "empty", "binary"],
)
def test_metadata(name: str, headers: str, tmp_path: Path) -> None:
    """A wheel that declares a different package or version is rejected."""
    reject(
        pack(tmp_path / NAME, name, headers),
        "is not a wheel of iamcreds 1.2.3: its METADATA has a different name or version",
    )


def test_no_metadata(tmp_path: Path) -> None:
    """A wheel without the METADATA of this version is rejected."""
    reject(pack(tmp_path / NAME, "other-1.2.3.dist-info/METADATA"), "it has no readable METADATA")


def test_missing(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe are rejected immediately."""
    reject(tmp_path / NAME, "cannot read .*: no such file")
    (tmp_path / NAME).mkdir()
    reject(tmp_path / NAME, "cannot read .*: not a regular file")
    (tmp_path / NAME).rmdir()
    os.mkfifo(tmp_path / NAME)
    reject(tmp_path / NAME, "cannot read .*: not a regular file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable(tmp_path: Path) -> None:
    """A file without read permission is rejected."""
    pack(tmp_path / NAME).chmod(0)
    reject(tmp_path / NAME, "cannot read .*: Permission denied")


def test_too_large(tmp_path: Path) -> None:
    """A file that is too large is rejected before it is read completely."""
    with (tmp_path / NAME).open("wb") as file:
        file.truncate(10**12)
    reject(tmp_path / NAME, "it has more than 20,000,000 bytes")


def test_damaged(tmp_path: Path) -> None:
    """A truncated or changed wheel is read or raises a WheelError, and no other error."""
    content = pack(tmp_path / NAME).read_bytes()
    damaged = [content[:end] for end in range(len(content))]
    damaged += [
        content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :] for at in range(len(content)) for bit in (1, 128)
    ]
    rejected = 0
    for each in damaged:
        (tmp_path / NAME).write_bytes(each)
        try:
            read_wheel(tmp_path / NAME, "1.2.3")
        except WheelError:
            rejected += 1
    assert rejected > len(content)


def test_kept_files(tmp_path: Path) -> None:
    """An error lists kept files that do not match the wheel, with the options that replace them."""
    wheel = read_wheel(pack(tmp_path / NAME), "1.2.3")
    check_is_installed(tmp_path, wheel, [])
    with pytest.raises(
        WheelError, match=f"nothing was written: .* with --overwrite requirements.txt --overwrite {NAME}$"
    ):
        check_is_installed(tmp_path, wheel, ["requirements.txt", NAME])
