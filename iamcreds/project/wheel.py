"""The wheel of iamcreds that a project installs, verified before `init` writes files."""

from __future__ import annotations

import hashlib
import io
import shlex
import zipfile
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING

from iamcreds.errors import WheelError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

_MAX_WHEEL = 20_000_000
_MAX_METADATA = 1_000_000


@dataclass(frozen=True)
class Wheel:
    """A wheel: its file name and its bytes."""

    name: str
    content: bytes

    def format_requirement(self, extras: Collection[str]) -> str:
        """Return the line of requirements.txt that installs this file only."""
        suffix = f"[{','.join(extras)}]" if extras else ""
        return f"./{self.name}{suffix} --hash=sha256:{hashlib.sha256(self.content).hexdigest()}"


def format_wheel_name(version: str) -> str:
    """Return the file name of the wheel of this version; pip reads name and version from it."""
    return f"iamcreds-{version}-py3-none-any.whl"


def read_wheel(file: Path, version: str) -> Wheel:
    """Read a wheel of iamcreds.

    Raises:
        WheelError: the file cannot be read, or is not a wheel of iamcreds in this version.
    """
    name = format_wheel_name(version)
    if file.name != name:
        raise WheelError(f"{file} is not the wheel of this version, whose file name is {name}")
    content = _read(file)
    if _read_identity(file, content, version) != ("iamcreds", version):
        raise WheelError(f"{file} is not a wheel of iamcreds {version}: its METADATA has a different name or version")
    return Wheel(name, content)


def check_is_installed(folder: Path, wheel: Wheel, kept: Sequence[str]) -> None:
    """Validate that pip will install this wheel although these files of the project are kept.

    Raises:
        WheelError: the project has a different wheel of the same name, or requirements without this one.
    """
    if kept:
        options = " ".join(f"--overwrite {shlex.quote(name)}" for name in kept)
        raise WheelError(
            f"nothing was written: {' and '.join(kept)} in {folder} would be kept, and pip would not install"
            f" {wheel.name} with them. Run the command again with {options}"
        )


def _read(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise WheelError(f"cannot read {file}: {'not a regular file' if file.exists() else 'no such file'}")
        with file.open("rb") as opened:
            content = opened.read(_MAX_WHEEL + 1)
    except OSError as error:
        raise WheelError(f"cannot read {file}: {error.strerror or type(error).__name__}") from error
    if len(content) > _MAX_WHEEL:
        raise WheelError(f"{file} is not a wheel of iamcreds: it has more than {_MAX_WHEEL:,} bytes")
    return content


def _read_identity(file: Path, content: bytes, version: str) -> tuple[str | None, str | None]:
    """Return the name and version that the wheel declares."""
    try:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as archive,
            archive.open(f"iamcreds-{version}.dist-info/METADATA") as opened,
        ):
            headers = BytesHeaderParser().parsebytes(opened.read(_MAX_METADATA))
    except Exception as error:  # zipfile raises many types for a damaged archive
        raise WheelError(f"{file} is not a wheel of iamcreds {version}: it has no readable METADATA") from error
    return headers["Name"], headers["Version"]
