"""YAML text to nodes, by ruamel's events: nothing is constructed, and nothing a text can hold raises."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from iamcreds.model import Place, Problem
from iamcreds.specs.nodes import Block, Entry, Items, Node, Scalar, quoted, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ruamel.yaml.events import Event

MAX_DEPTH = 32
"""How deep a file may nest; the vocabulary needs 8."""

MAX_ALIASED = 100_000
"""How many values the aliases of one file may stand for, so that a few lines cannot fill the memory."""

_STANDARD_TAG = "tag:yaml.org,2002:"
_STRING_TAGS = frozenset({"!", f"{_STANDARD_TAG}str"})
_SURROGATE = re.compile("[\ud800-\udfff]")
_PARSER_GIVES_UP = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What ruamel raises, beside its own errors, for texts such as `"\\UFFFFFFFF"` or `%YAML 1.99`."""

_NewNode: TypeAlias = ScalarEvent | CollectionStartEvent


class _StopError(Exception):
    """Nothing more of this file can be read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def compose(file: str, text: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The one document of a text, or None where it cannot be read, and every problem on the way."""
    composer = _Composer(file, _events(file, text))
    try:
        root = composer.document()
    except _StopError as stop:
        return None, (*composer.problems, stop.problem)
    return root, tuple(composer.problems)


def _events(file: str, text: str) -> Iterator[Event]:
    """Ruamel's events, its exceptions turned into one."""
    place = Place(file, 1, 1)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            place = _place(file, event.end_mark)
            yield event
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(f"{error.problem or 'it is malformed'} {error.context or ''}".split())
        raise _StopError(_unreadable(place if mark is None else _place(file, mark), what)) from None
    except ReaderError as error:
        what = f"the character U+{ord(text[error.position]):04X} is not allowed"
        raise _StopError(_unreadable(place_of_offset(file, text, error.position), what)) from None
    except _PARSER_GIVES_UP:
        raise _StopError(_unreadable(place, "what follows is malformed")) from None


def _unreadable(place: Place, what: str) -> Problem:
    return Problem(place, f"this is not YAML: {what}", "syntax")


def _place(file: str, mark: Any) -> Place:  # noqa: ANN401  # ruamel has several kinds of marks, all untyped
    return Place(file, mark.line + 1, mark.column + 1)


def place_of_offset(file: str, text: str, offset: int) -> Place:
    """Where the character at an offset stands."""
    before = text[:offset]
    return Place(file, before.count("\n") + 1, offset - before.rfind("\n"))


@dataclass
class _Composer:
    """Takes the events of one text from `events`; what does not stop the reading goes to `problems`."""

    file: str
    events: Iterator[Event]
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)  # None: the anchored node is not complete yet
    aliased: int = 0

    def document(self) -> Node | None:
        next(self.events)  # the stream's start
        start = next(self.events)
        if isinstance(start, StreamEndEvent):
            return None
        root = self.node(next(self.events), 1)
        next(self.events)  # the document's end
        after = next(self.events)
        if isinstance(after, DocumentStartEvent):
            self.report(after, "a file holds one document: give what follows a file of its own", "several-documents")
        return root

    def report(self, event: Event, message: str, rule: str) -> None:
        self.problems.append(self.problem(event, message, rule))

    def problem(self, event: Event, message: str, rule: str) -> Problem:
        return Problem(_place(self.file, event.start_mark), message, rule)

    def node(self, event: Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _StopError(self.problem(event, f"this is nested more than {MAX_DEPTH} deep", "too-deep"))
        match event:
            case AliasEvent():
                return self.alias(event, depth)
            case ScalarEvent() | CollectionStartEvent():
                return self.anchored(event, depth)
            case _:
                raise _StopError(self.problem(event, "this is not YAML: a value is missing", "syntax"))

    def anchored(self, event: _NewNode, depth: int) -> Node:
        anchor: str | None = event.anchor
        if anchor is None:
            return self.bare(event, depth)
        self.anchors[anchor] = None
        node = self.anchors[anchor] = self.bare(event, depth)
        return node

    def bare(self, event: _NewNode, depth: int) -> Node:
        place = _place(self.file, event.start_mark)
        if isinstance(event, ScalarEvent):
            return self.scalar(event, place)
        self.refuse_tag(event)
        if isinstance(event, SequenceStartEvent):
            return Items(place, tuple(self.items(depth + 1)))
        return Block(place, self.entries(depth + 1))

    def scalar(self, event: ScalarEvent, place: Place) -> Scalar:
        text: str = event.value
        if _SURROGATE.search(text):
            raise _StopError(_unreadable(place, "half of a surrogate pair is not a character"))
        if event.style is None and event.tag is None:
            return Scalar(place, resolved(text), text)
        if event.tag not in _STRING_TAGS:
            self.refuse_tag(event)
        return Scalar(place, text, text)

    def refuse_tag(self, event: _NewNode) -> None:
        if event.tag is not None:
            self.report(event, f"the tag {quoted(_short(event.tag))} means nothing here: take it out", "unknown-tag")

    def items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self.events), SequenceEndEvent):
            yield self.node(event, depth)

    def entries(self, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event, depth)
            entry = Entry(_place(self.file, event.start_mark), self.node(next(self.events), depth))
            if key is not None and self.is_new(key, entry.place, entries):
                entries[key] = entry
        return entries

    def key(self, event: Event, depth: int) -> str | None:
        match self.node(event, depth):
            case Scalar(text="<<") if isinstance(event, ScalarEvent) and event.style is None:
                self.report(event, '"<<" is not supported: write the keys out, or use "defaults"', "merge-key")
            case Scalar(text=text):
                return text
            case _:
                self.report(event, "a key must be text, not a list or a mapping", "complex-key")
        return None

    def is_new(self, key: str, place: Place, entries: dict[str, Entry]) -> bool:
        if key not in entries:
            return True
        message = f"{quoted(key)} stands twice in this mapping, first at {entries[key].place}"
        self.problems.append(Problem(place, message, "duplicate-key"))
        return False

    def alias(self, event: AliasEvent, depth: int) -> Node:
        name: str = event.anchor
        if name not in self.anchors:
            raise _StopError(self.problem(event, f'the alias "*{name}" has no anchor before it', "unknown-alias"))
        node = self.anchors[name]
        if node is None:
            raise _StopError(self.problem(event, f'the alias "*{name}" stands in what it names', "recursive-alias"))
        self.refuse_bomb(event, node, depth)
        return node

    def refuse_bomb(self, event: AliasEvent, node: Node, depth: int) -> None:
        size, height = _extent(node)
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            message = f"the aliases of this file stand for more than {MAX_ALIASED:,} values"
            raise _StopError(self.problem(event, message, "alias-bomb"))
        if depth + height - 1 > MAX_DEPTH:
            raise _StopError(self.problem(event, f"this is nested more than {MAX_DEPTH} deep", "too-deep"))


def _short(tag: str) -> str:
    """A tag as people write it: `!!map`."""
    return tag.replace(_STANDARD_TAG, "!!", 1)


def _extent(node: Node) -> tuple[int, int]:
    """How many values a node stands for with all its parts, and over how many levels."""
    match node:
        case Scalar():
            return 1, 1
        case Items():
            parts = [_extent(item) for item in node.items]
        case Block():
            parts = [_extent(entry.node) for entry in node.entries.values()]
    return 1 + sum(size for size, _ in parts), 1 + max((height for _, height in parts), default=0)
