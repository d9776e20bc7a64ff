"""What the README says is what the code does."""

from __future__ import annotations

from tools.readme import README, written


def test_generated_parts() -> None:
    """The rules and policies in the README are those of the code; `make readme` writes them."""
    text = README.read_text()
    assert text == written(text)
