"""Text from outside (names, values, what others said) made harmless for where it is shown; pure."""

from __future__ import annotations

import json
import re

_MAX_LENGTH = 200
_PLAIN = re.compile(r"[^`|\\]+")
_PLAIN_WORD = re.compile(r"[(\"]?[A-Za-z]+(?:[-'][A-Za-z]+)*[,.:;)\"]{0,3}|[0-9,]{1,20}[.:;)]?")
_COMMAND = re.compile(r"(^ *):(?=:)|(?<=#)#")
_FORMULA = re.compile("(^|[;\n])( *)(?=[=+@\uff1d\uff0b\uff0d\uff20-])")


def escape_invisible(text: str) -> str:
    """A text in one line that cannot speak to a terminal, nor to what reads the log of a CI run.

    Line ends, control characters and those that turn or hide text stand as Python's escapes, and so does what would
    make a workflow command (`::add-mask::`, `##[group]`).
    """
    shown = text if text.isprintable() else "".join(map(_escape_character, text))
    return _COMMAND.sub(lambda found: f"{found[1]}\\x3a" if found[0].endswith(":") else "\\x23", shown)


def escape_lines(text: str) -> str:
    """The same for each line of a text whose lines are ours."""
    return "\n".join(map(escape_invisible, text.split("\n")))


def _escape_character(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def escape_markdown(text: str) -> str:
    """A sentence for Markdown, in one line, in a table too: each word that is not a plain one is code.

    GitHub makes links of what looks like an address, and mentions of what looks like a name, however it is escaped.
    """
    words = escape_invisible(text).split(" ")
    return " ".join(word if _PLAIN_WORD.fullmatch(word) else format_code(word) for word in words)


def escape_json(written: str) -> str:
    """JSON, which may have more than ASCII, in which what a terminal or a CI run would obey is escaped."""
    return "\n".join(map(escape_json_line, written.split("\n"))).replace("##", "#\\u0023")


def escape_json_line(line: str) -> str:
    """Return a line of JSON with JSON's escapes for unprintable characters."""
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in line)


def escape_cell(text: str) -> str:
    """Return a text for a cell of CSV, each line of it escaped like a cell of a table.

    Line feeds stay, because RFC 4180 allows them in a cell, and programs expect them. RFC 4180 allows carriage returns,
    too, but a terminal overwrites the line at each. It does not allow tabs and other control characters.
    An apostrophe, which spreadsheets do not show, precedes each text that a spreadsheet would take for a formula, in
    whatever columns it cuts the line.
    """
    return _FORMULA.sub(r"\1'\2", escape_lines(text))


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
