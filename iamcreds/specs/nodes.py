"""What a YAML file holds: nodes that know where they stand, and their plain values.

Only `true`, `false`, `null` (`~`, or nothing at all) and JSON's numbers are not text: `on`, `yes`, `0123`, `2026-01-01`
and `12:30:45` are. A key is always text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from iamcreds.model import Place

Plain: TypeAlias = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_DIGITS_OF_AN_INTEGER = 18
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value without parts; `text` is how it was written, without quotes."""

    place: Place
    value: str | float | bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping, where it stands, and its value."""

    place: Place
    node: Node


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping, in the order of the file."""

    place: Place
    entries: Mapping[str, Entry]


Node: TypeAlias = Scalar | Items | Block


def resolved(text: str) -> str | float | bool | None:
    """What an unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= _DIGITS_OF_AN_INTEGER:
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def plain(node: Node, as_text: Collection[str] = ()) -> Plain:
    """The values without their places; a scalar under a key of `as_text` is what was written, unless it is null."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain(item, as_text) for item in node.items]
        case Block():
            return {key: plain_entry(key, entry.node, as_text) for key, entry in node.entries.items()}


def plain_entry(key: str, node: Node, as_text: Collection[str]) -> Plain:
    """The plain value of one key of a mapping."""
    if isinstance(node, Scalar) and node.value is not None and key in as_text:
        return node.text
    return plain(node, as_text)


def value_place(root: Node, path: Iterable[str | int]) -> Place:
    """Where the value at a path of keys and indexes stands."""
    return _at(root, path).place


def key_place(root: Node, path: Iterable[str | int]) -> Place:
    """Where the last key of a path stands; of a path that ends in an index, or of the root, where the value does."""
    *before, last = path
    parent = _at(root, before)
    match parent:
        case Block():
            return parent.entries[str(last)].place
        case _:
            return _at(parent, [last]).place


def _at(node: Node, path: Iterable[str | int]) -> Node:
    for step in path:
        match node:
            case Block():
                node = node.entries[str(step)].node
            case Items():
                node = node.items[int(step)]
            case Scalar():
                raise KeyError(step)
    return node


def quoted(value: Plain) -> str:
    """A value as a message shows it: on one line, short, and printable whatever it holds."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            shown = json.dumps(value if not isinstance(value, str) else _shortened(value), ensure_ascii=False)
            return shown.encode("utf-8", "backslashreplace").decode()


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
