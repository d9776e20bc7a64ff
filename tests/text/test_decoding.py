"""Encodings of files that other programs write."""

from __future__ import annotations

import pytest

from iamcreds.text.decoding import decode


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("text", ["", "{", "{}", "é"])
def test_utf_8(mark: str, text: str) -> None:
    """UTF-8 is decoded, with or without a byte order mark."""
    assert decode((mark + text).encode()) == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_unicode(encoding: str) -> None:
    """UTF-16 with and without a byte order mark, and UTF-32 with one, are named with the correction."""
    with pytest.raises(ValueError, match=f"^it is {encoding[:6].upper()}: save it as UTF-8$"):
        decode("{}".encode(encoding))


def test_other_bytes() -> None:
    """An unknown encoding is not guessed."""
    with pytest.raises(ValueError, match=r"^it is not UTF-8 text$"):
        decode("é".encode("latin-1"))
