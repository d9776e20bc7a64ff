"""Escaping of external text (names, values, messages of other programs) for each kind of output; pure."""

from __future__ import annotations

import json
import re

_MAX_LENGTH = 200
_PLAIN = re.compile(r"[^`|\\]+")
_PLAIN_WORD = re.compile(r"[(\"]?[A-Za-z]+(?:[-'][A-Za-z]+)*[,.:;)\"]{0,3}|[0-9,]{1,20}[.:;)]?")
_COMMAND = re.compile(r"(^ *):(?=:)|(?<=#)#")
_FORMULA = re.compile("(^|[;\n])( *)(?=[=+@\uff1d\uff0b\uff0d\uff20-])")


def escape_invisible(text: str) -> str:
    """Return a text on one line that controls neither a terminal nor a CI system that reads the log.

    Line ends, control characters, and characters that reverse or hide text become Python's escapes, as does the start
    of a workflow command (`::add-mask::`, `##[group]`).
    """
    printable = text if text.isprintable() else "".join(map(_escape_character, text))
    return _COMMAND.sub(lambda match: f"{match[1]}\\x3a" if match[0].endswith(":") else "\\x23", printable)


def escape_lines(text: str) -> str:
    """Escape each line of a text whose line breaks come from iamcreds."""
    return "\n".join(map(escape_invisible, text.split("\n")))


def _escape_character(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def escape_markdown(text: str) -> str:
    """Return a sentence for Markdown on one line, also for tables: each word that is not plain becomes code.

    GitHub turns addresses into links and names into mentions, even if they are escaped.
    """
    words = escape_invisible(text).split(" ")
    return " ".join(word if _PLAIN_WORD.fullmatch(word) else format_code(word) for word in words)


def escape_json(document: str) -> str:
    """Escape everything in a JSON document that would control a terminal or a CI system; other Unicode text stays."""
    return "\n".join(map(escape_json_line, document.split("\n"))).replace("##", "#\\u0023")


def escape_json_line(line: str) -> str:
    """Return a line of JSON with JSON's escapes for unprintable characters."""
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in line)


def escape_cell(text: str) -> str:
    """Return a text for a CSV cell, with each of its lines escaped like a table cell.

    Line feeds stay, because RFC 4180 allows them in a cell, and programs expect them. RFC 4180 also allows carriage
    returns, but a terminal overwrites the line at each. It does not allow tabs and other control characters.
    An apostrophe, which spreadsheets do not show, precedes each text that a spreadsheet would read as a formula. This
    includes a spreadsheet that splits the line at semicolons.
    """
    return _FORMULA.sub(r"\1'\2", escape_lines(text))


def format_code(text: str) -> str:
    """Return a text as code without markup, mentions or links on GitHub, also for tables; empty for an empty text."""
    line = shorten(escape_invisible(text))
    if not line:
        return ""
    if _PLAIN.fullmatch(line) and line == line.strip():
        return f"`{line}`"
    return f"<code>{''.join(letter if letter.isalnum() else f'&#{ord(letter)};' for letter in line)}</code>"


def format_code_span(text: str, length: int) -> str:
    """Return a text as a code span that needs no HTML, which chat services do not support.

    Apostrophes replace backticks, which would end the span.
    """
    line = escape_invisible(text).replace("`", "'")
    return f"`{shorten(line, length)}`"


def shorten(text: str, length: int = _MAX_LENGTH) -> str:
    """Return the first characters of a text, and the number of omitted ones."""
    return text if len(text) <= length else f"{text[:length]}… ({len(text) - length:,} more characters)"
