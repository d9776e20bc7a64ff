"""Plain values of a YAML file, with source locations.

Only `true`, `false`, `null` (`~`, or no value) and JSON's numbers are not text. `on`, `yes`, `0123`, `2026-01-01` and
`12:30:45` are text, and every key is text.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from iamcreds.model import SourceLocation
from iamcreds.text.escaping import escape_json_line

if TYPE_CHECKING:
    from collections.abc import Sequence

Plain: TypeAlias = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_DIGITS_OF_AN_INTEGER = 18
_LONGEST_QUOTED = 60


class Mark(Protocol):
    """A position in the parser's notation, with line and column from 0."""

    @property
    def line(self) -> int:
        """The line."""

    @property
    def column(self) -> int:
        """The column, in characters."""


class Items(list[Plain]):
    """A list with the position of each item."""

    __slots__ = ("marks",)

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[Mark] = []


class Block(dict[str, Plain]):
    """A mapping, in the order of the file, with the position of each key and each value."""

    __slots__ = ("key_marks", "marks")

    def __init__(self) -> None:
        super().__init__()
        self.marks: dict[str, Mark] = {}
        self.key_marks: dict[str, Mark] = {}


@dataclass(frozen=True)
class Tree:
    """The values of a file that contains a mapping; paths are keys and indexes from the root."""

    file: str
    values: Block

    def location(self, mark: Mark) -> SourceLocation:
        """Return the source location of a mark."""
        return locate(self.file, mark)

    def value_location(self, path: Sequence[str | int]) -> SourceLocation:
        """Return the source location of the value at a path."""
        return self.location(self._find_parent(path).marks[path[-1]])

    def key_location(self, path: Sequence[str | int]) -> SourceLocation:
        """Return the source location of the last key of a path, or of the value if the path ends with an index."""
        if isinstance(path[-1], int):
            return self.value_location(path)
        return self.location(self._find_parent(path).key_marks[path[-1]])

    def _find_parent(self, path: Sequence[str | int]) -> Any:  # noqa: ANN401 - a block or a list
        parent: Any = self.values
        for step in path[:-1]:
            parent = parent[step]
        return parent


def locate(file: str, mark: Mark) -> SourceLocation:
    """Return the source location of a mark, with line and column from 1."""
    return SourceLocation(file, mark.line + 1, mark.column + 1)


def resolve(text: str) -> str | float | bool | None:
    """Return the value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    if number.lastindex is None and len(text) <= _DIGITS_OF_AN_INTEGER:
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else text


def quoted(value: Plain) -> str:
    """Return a value as a message shows it: on one line, shortened, and printable."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return escape_json_line(json.dumps(_shorten(value), ensure_ascii=False))
        case _:
            return json.dumps(value)


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTED else text[: _LONGEST_QUOTED - 1] + "…"
