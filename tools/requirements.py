"""Write the locked requirements that the package ships, from uv.lock: `make documents`.

`iamcreds init` writes them into the `requirements.txt` of a project.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from iamcreds.project.clone import find_uv
from iamcreds.project.locked import BASE, EXTRAS, split_packages
from tools.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = ROOT / "iamcreds/project/locked"
_FLAGS = ("--frozen", "--offline", "--no-default-groups", "--no-emit-project", "--no-annotate", "--no-header")


def make_locked() -> dict[str, str]:
    """Return the text of each file, by name: iamcreds itself, and the packages that each extra adds."""
    base = export(())
    added = {extra: _subtract(export([extra]), base) for extra in EXTRAS}
    return {f"{name}.txt": text for name, text in ({BASE: base} | added).items()}


def export(extras: Iterable[str]) -> str:
    """Export the packages of iamcreds with these extras from uv.lock, without a network."""
    words = [word for extra in extras for word in ("--extra", extra)]
    return subprocess.run(  # noqa: S603 - our words
        [find_uv(ROOT), "export", *_FLAGS, "--python", sys.executable, *words],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip


def _subtract(text: str, other: str) -> str:
    known = set(split_packages(other))
    return "".join(package for package in split_packages(text) if package not in known)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in make_locked().items():
        (FOLDER / name).write_text(text)
