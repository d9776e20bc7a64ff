"""The locked requirements of iamcreds: `base.txt`, and for each extra the packages that it adds.

`make documents` writes them from uv.lock, with every hash.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BASE = "base"
EXTRAS = ("aws", "emulator", "notify")
_START = re.compile(r"^(?=[^ ])", re.MULTILINE)
"""The start of a package: its hashes follow in indented lines."""


def read_locked(extras: Iterable[str]) -> str:
    """Return the locked requirements of iamcreds with these extras, sorted by package."""
    return merge_packages(_read(name) for name in (BASE, *extras))


def merge_packages(texts: Iterable[str]) -> str:
    """Merge requirements files into one that has each package once."""
    packages = dict.fromkeys(package for text in texts for package in split_packages(text))
    return "".join(sorted(packages, key=lambda package: package.partition("==")[0]))


def split_packages(text: str) -> Iterator[str]:
    """Yield each package of a requirements file with its hashes."""
    return filter(None, _START.split(text))


def _read(name: str) -> str:
    return (resources.files("iamcreds.project") / "locked" / f"{name}.txt").read_text("utf-8")
