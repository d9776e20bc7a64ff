"""What a YAML file holds: nodes that know where they stand, and their plain values.

Only `true`, `false`, `null` (`~`, or nothing at all) and JSON's numbers are not text: `on`, `yes`, `0123`, `2026-01-01`
and `12:30:45` are. A key is always text.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from iamcreds.model import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Plain: TypeAlias = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_DIGITS_OF_AN_INTEGER = 18
_LONGEST_QUOTED = 60


class Mark(Protocol):
    """A place as the parser has it: line and column count from 0."""

    @property
    def line(self) -> int:
        """The line."""

    @property
    def column(self) -> int:
        """The column, in characters."""


# Nodes are made by the hundred thousand, and a frozen dataclass takes three times as long to make.


@dataclass(slots=True)
class Scalar:
    """A value without parts; `text` is how it was written, without quotes."""

    mark: Mark
    value: str | float | bool | None
    text: str


@dataclass(slots=True)
class Items:
    """A list: its plain value, and its nodes."""

    mark: Mark
    value: list[Plain]
    items: list[Node]


@dataclass(slots=True)
class Block:
    """A mapping, in the order of the file: its plain value, the places of its keys, and its nodes."""

    mark: Mark
    value: dict[str, Plain]
    keys: dict[str, Mark]
    nodes: dict[str, Node]


Node: TypeAlias = Scalar | Items | Block


@dataclass(frozen=True)
class Tree:
    """The nodes of a file that holds a mapping; paths are keys and indexes from the root."""

    file: str
    root: Block

    @property
    def values(self) -> Mapping[str, Plain]:
        """The plain values."""
        return self.root.value

    def place(self, mark: Mark) -> Place:
        """A place as people and editors count it."""
        return locate(self.file, mark)

    def value_place(self, path: Iterable[str | int]) -> Place:
        """Where the value at a path stands."""
        return self.place(self.node(path).mark)

    def key_place(self, path: Iterable[str | int]) -> Place:
        """Where the last key of a path stands; of a path that ends in an index, where the value does."""
        *before, last = path
        match self.node(before):
            case Block(keys=keys):
                return self.place(keys[str(last)])
            case _:
                return self.value_place([*before, last])

    def node(self, path: Iterable[str | int]) -> Node:
        """The node at a path."""
        node: Node = self.root
        for step in path:
            match node:
                case Block(nodes=nodes):
                    node = nodes[str(step)]
                case Items(items=items):
                    node = items[int(step)]
                case Scalar():
                    raise KeyError(step)
        return node


def locate(file: str, mark: Mark) -> Place:
    """A parser's place in a file as people and editors count it."""
    return Place(file, mark.line + 1, mark.column + 1)


def resolve(text: str) -> str | float | bool | None:
    """What an unquoted scalar means."""
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
    """A value as a message shows it: on one line, short, and printable whatever it holds."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return "".join(map(_escape, json.dumps(_shorten(value), ensure_ascii=False)))
        case _:
            return json.dumps(value)


def _escape(character: str) -> str:
    return character if character.isprintable() else json.dumps(character).strip('"')


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTED else text[: _LONGEST_QUOTED - 1] + "…"
