"""The locked requirements, which only have the versions in uv.lock."""

from __future__ import annotations

import re
from itertools import chain, combinations

import pytest

from iamcreds.project.locked import EXTRAS, read_locked, split_packages
from tools.requirements import FOLDER, export, make_locked

COMBINATIONS = list(chain.from_iterable(combinations(EXTRAS, count) for count in range(len(EXTRAS) + 1)))


def test_up_to_date() -> None:
    """The files are the export of uv.lock: after a change, run `make documents`."""
    assert {file.name: file.read_text() for file in FOLDER.iterdir()} == make_locked()


@pytest.mark.parametrize("extras", COMBINATIONS, ids="+".join)
def test_merged(extras: tuple[str, ...]) -> None:
    """The merged files of any extras equal the export of uv for these extras."""
    assert read_locked(extras) == export(extras)


def test_every_package_has_hashes() -> None:
    """Every line pins one version with hashes; no line has a URL, an option, a comment or iamcreds itself."""
    package = re.compile(r"(?!iamcreds)[\w.-]+==[\w.]+( ; [\w '!=]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+")
    packages = list(split_packages(read_locked(EXTRAS)))
    assert len(packages) > 50
    assert not [text for text in packages if not package.fullmatch(text)]
