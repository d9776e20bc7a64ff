"""The clone of iamcreds that this process runs from, if there is one; it can build the wheel."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Clone:
    """A clone of iamcreds.

    Attributes:
        folder: the folder of its pyproject.toml.
        uv: the uv on PATH, or the one that `make` downloads into the clone.
        is_ready: uv and its virtual environment, which the build needs, exist.
    """

    folder: Path
    uv: str
    is_ready: bool


def find_clone(version: str) -> Clone | None:
    """Find the clone of iamcreds that contains this module; None if it is installed or has a different version."""
    folder = Path(__file__).resolve().parents[2]
    if not _declares(folder / "pyproject.toml", version):
        return None
    uv = find_uv(folder)
    return Clone(folder, uv, bool(shutil.which(uv)) and (folder / ".venv/.synced").exists())


def find_uv(clone: Path) -> str:
    """Return `uv` if it is on PATH, otherwise the path of uv in the clone."""
    return "uv" if shutil.which("uv") else str(clone / ".state/uv/bin/uv")


def _declares(file: Path, version: str) -> bool:
    """Return True if a pyproject.toml is that of iamcreds in this version."""
    try:
        project = tomllib.loads(file.read_text("utf-8")).get("project", {})
    except (OSError, ValueError):
        return False
    return (project.get("name"), project.get("version")) == ("iamcreds", version)
