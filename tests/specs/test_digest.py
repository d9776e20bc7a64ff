"""The digest of specs depends only on their declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iamcreds.specs import compute_digest, load

if TYPE_CHECKING:
    from pathlib import Path

JANE = """users:
  jane:
    iamUser: {tags: {place: Bonn}}
    credentials: [{service: codecommit, status: Active}]
"""


def compute(folder: Path, **files: str) -> str:
    """Compute the digest of these files."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return compute_digest(load(folder))


@pytest.mark.parametrize(
    "files",
    [
        {"z": JANE, "a": "users: {joe: {credentials: []}}"},
        {"one": f"# a comment\n{JANE}  joe:\n    credentials: []\n"},
        {"a": JANE.replace(" [{", "\n      - {").replace("}]", "}"), "b": "users: {joe: {credentials: []}}"},
    ],
)
def test_same_digest(tmp_path: Path, files: dict[str, str]) -> None:
    """File names, order, comments and layout do not matter."""
    expected = compute(tmp_path / "expected", a=JANE, b="users: {joe: {credentials: []}}")
    assert compute(tmp_path / "specs", **files) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Active", "Inactive"),
        ("jane", "Jane"),
        ("Bonn", "Berlin"),
        ("service: codecommit", "service: keyspaces"),
        ("status: Active", "status: Active, protect: true"),
        ("status: Active", "status: Active, reset: x"),
        ("status: Active", "status: Active, existing: adopt"),
        ("status: Active", "status: Active, adopt: ACCAEXAMPLE1234567890"),
        ("    credentials", "    unmanaged: delete\n    credentials"),
        ("    credentials", "    accessKeys: {max: 1}\n    credentials"),
        ("    credentials", "    credentialPolicy: {services: [codecommit]}\n    credentials"),
        ("users:", 'account: "123456789012"\nusers:'),
        ("users:", "defaults: {unmanaged: delete}\nusers:"),
    ],
)
def test_different_digest(tmp_path: Path, before: str, after: str) -> None:
    """Every declared value matters."""
    assert compute(tmp_path / "before", a=JANE) != compute(tmp_path / "after", a=JANE.replace(before, after, 1))
