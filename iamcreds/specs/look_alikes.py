"""Characters that look like an ASCII character or are invisible; pure."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from iamcreds.specs.nodes import quoted

if TYPE_CHECKING:
    from collections.abc import Container

_CONFUSABLE = str.maketrans(
    "асԁеһіјӏорԛѕԝхуАВЕНІЈКМОРЅТХУαικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧıɡ\u2010\u2013\u2212",
    "acdehijlopqswxyABEHIJKMOPSTXYaiKvoptuxABEZHIKMNOPTYXig---",
)
"""The Cyrillic, Greek and Latin letters and the dashes that most fonts draw like ASCII (from Unicode's confusables)."""


def fold(text: str) -> str:
    """Return a text with look-alike characters replaced by ASCII, and without invisible characters."""
    return text if text.isascii() else "".join(map(_fold_character, text))


def _fold_character(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    folded = unicodedata.normalize("NFKC", character.translate(_CONFUSABLE))
    return folded if folded.isascii() else character


def quoted_with_look_alikes(text: str) -> str:
    """Return a quoted text for a message, with the code point of each look-alike character."""
    return quoted(text) + name_look_alikes(text)


def name_look_alikes(text: str, of: Container[str] | None = None) -> str:
    """Return the code points of look-alike characters, in parentheses; `of` limits the characters they look like."""
    names = [
        f"U+{ord(character):04X} {f'looks like {_name(folded)}' if folded else 'is invisible'}"
        for character, folded in ((character, fold(character)) for character in dict.fromkeys(text))
        if character != folded and (of is None or folded in of)
    ]
    return f" ({', '.join(names)})" if names else ""


def _name(character: str) -> str:
    return "a space" if character == " " else quoted(character)
