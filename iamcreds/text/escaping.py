"""Text from outside (names, values, what others said) made harmless for where it is shown; pure."""

from __future__ import annotations

import re

_MAX_LENGTH = 200
_PLAIN = re.compile(r"[^`|\\]+")
_MARKDOWN = str.maketrans(
    {character: f"\\{character}" for character in "\\`*_{}[]|~"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;"}
)


def escape_invisible(text: str, keep: str = "") -> str:
    """A text in one line that cannot speak to a terminal.

    Line ends, control characters and those that turn or hide text stand as Python's escapes; `keep` may stay.
    """
    return "".join(
        character if character.isprintable() or character in keep else character.encode("unicode_escape").decode()
        for character in text
    )


def escape_markdown(text: str) -> str:
    """A text that Markdown shows as it is, in one line, in a table too, and that mentions nobody on GitHub."""
    return escape_invisible(text).translate(_MARKDOWN)


def format_code(text: str) -> str:
    """A text as code, in which GitHub sees no markup, no mention and no link, in a table too; empty for none."""
    line = shorten(escape_invisible(text))
    if not line:
        return ""
    if _PLAIN.fullmatch(line) and line == line.strip():
        return f"`{line}`"
    return f"<code>{''.join(letter if letter.isalnum() else f'&#{ord(letter)};' for letter in line)}</code>"


def format_code_span(text: str, length: int) -> str:
    """A text as a code span and nothing else, for those who know Markdown and no HTML, such as chat services.

    A backtick would end it, so an apostrophe stands for each.
    """
    line = escape_invisible(text).replace("`", "'")
    return f"`{shorten(line, length)}`"


def shorten(text: str, length: int = _MAX_LENGTH) -> str:
    """The first characters of a text, and how many more there are."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text) - length:,} characters more)"
