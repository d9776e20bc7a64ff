"""The word that was meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from iamcreds.specs.nodes import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like one that is not known, whatever the case, if there is any."""
    by_lower = {known_word.lower(): known_word for known_word in sorted(known)}
    near = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def did_you_mean(near: str | None) -> str:
    """The end of a sentence about a word that is not known."""
    return "" if near is None else f"; did you mean {quoted(near)}?"
