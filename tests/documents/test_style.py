"""Every text that a person reads is plain technical English: no banned word, no banned opening."""

from __future__ import annotations

import pytest

from tools import style


@pytest.mark.parametrize("file", style.list_files())
def test_plain_english(file: str) -> None:
    """The file has no banned word and no docstring with a banned opening."""
    assert list(style.find_violations(file)) == []


@pytest.mark.parametrize("phrase", style.EXCEPTIONS)
def test_exceptions_are_used(phrase: str) -> None:
    """Each exception still occurs in a text."""
    assert any(phrase in text.text for file in style.list_files() for text in style.read_texts(file))


@pytest.mark.parametrize("text", ["what it does", "nobody has it", "Where the user exists, fail", "the live one"])
def test_banned_words(text: str) -> None:
    """A banned word is found."""
    assert any(pattern.search(text) for pattern in style.PATTERNS.values())


@pytest.mark.parametrize("text", ["What is drift?", "the stack in `live`", "wherever it is", "there is no longer one"])
def test_allowed_words(text: str) -> None:
    """A question, a code span and a longer word are not violations."""
    assert not any(pattern.search(style.remove_code(text)) for pattern in style.PATTERNS.values())
