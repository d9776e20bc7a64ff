"""Numbers and sentences as people write them; pure."""

from __future__ import annotations


def format_count(number: int, thing: str, things: str | None = None) -> str:
    """A number of things: `1 credential`, `1,200 credentials`; `things` is a plural that does not end in s alone."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def capitalize(sentence: str) -> str:
    """A sentence that begins with a capital; the rest stays as it is."""
    return sentence[:1].upper() + sentence[1:]
