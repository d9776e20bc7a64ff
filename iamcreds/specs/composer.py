"""YAML text to nodes, by PyYAML's events: nothing is constructed, and nothing a text can hold raises.

The events come from libyaml's parser where PyYAML was built with it, and from PyYAML's own where it was not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from iamcreds.model import Place, Problem
from iamcreds.specs.nodes import Block, Items, Node, Scalar, locate, quoted, resolve
from iamcreds.specs.syntax import BAD_ESCAPE, DIRECTIVE, explain, find_forbidden_character

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from iamcreds.specs.nodes import Mark, Plain

LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Whose events are read."""

MAX_DEPTH = 32
"""How deep a file may nest; the vocabulary needs 8."""

MAX_ALIASED = 100_000
"""How many values the aliases of one file may stand for, so that a few lines cannot fill the memory."""

_STANDARD_TAG = "tag:yaml.org,2002:"
_STRING_TAG = f"{_STANDARD_TAG}str"
_NO_TAGS = {None, "!"}  # libyaml's events have none for an exclamation mark alone
_VERSIONS = {None, (1, 1), (1, 2)}
_SURROGATE = re.compile("[\ud800-\udfff]")

_Event: TypeAlias = Any  # PyYAML's stubs say that an event may lack its marks


class _StopError(Exception):
    """Nothing more of this file can be read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def compose(file: str, text: str, as_written: Collection[str] = ()) -> tuple[Node | None, tuple[Problem, ...]]:
    """The one document of a text, or None where it cannot be read, and every problem on the way.

    A scalar under a key of `as_written` counts as it is written, quoted or not, unless it is null.
    """
    composer = _Composer(file, _read_events(file, text), as_written)
    try:
        root = composer.compose_document()
    except _StopError as stop:
        return None, (*composer.problems, stop.problem)
    return root, tuple(composer.problems)


def _read_events(file: str, text: str) -> Iterator[_Event]:
    """The events of a text, every exception of the parser turned into one."""
    if (offset := find_forbidden_character(text)) is not None:
        what = f"the character U+{ord(text[offset]):04X} is not allowed"
        raise _StopError(_make_syntax_problem(locate_offset(file, text, offset), what))
    event: _Event = None
    try:
        for event in iter(LOADER(text).get_event, None):
            yield event
    except yaml.MarkedYAMLError as error:
        mark, what = explain(error, text)
        raise _StopError(_make_syntax_problem(locate(file, mark), what)) from None
    except (OverflowError, ValueError):  # PyYAML's own parser, of `"\UFFFFFFFF"`
        place = Place(file, 1, 1) if event is None else locate(file, event.end_mark)
        raise _StopError(_make_syntax_problem(place, BAD_ESCAPE)) from None


def _make_syntax_problem(place: Place, what: str) -> Problem:
    return Problem(place, f"this is not YAML: {what}", "syntax")


def locate_offset(file: str, text: str, offset: int) -> Place:
    """Where the character at an offset stands."""
    before = text[:offset]
    return Place(file, before.count("\n") + 1, offset - before.rfind("\n"))


@dataclass
class _Composer:
    """Takes the events of one text from `events`; what does not stop the reading goes to `problems`."""

    file: str
    events: Iterator[_Event]
    as_written: Collection[str]
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)  # None: the anchored node is not complete yet
    aliased: int = 0

    def compose_document(self) -> Node | None:
        next(self.events)  # the stream's start
        start: _Event = next(self.events)
        if isinstance(start, StreamEndEvent):
            return None
        if isinstance(start, DocumentStartEvent) and start.version not in _VERSIONS:
            raise _StopError(_make_syntax_problem(self.locate(start), DIRECTIVE))
        root = self.compose_node(next(self.events), 1)
        next(self.events)  # the document's end
        after: _Event = next(self.events)
        if isinstance(after, DocumentStartEvent):
            self.report(after, "a file holds one document: give what follows a file of its own", "several-documents")
        return root

    def report(self, event: _Event, message: str, rule: str) -> None:
        self.problems.append(self.make_problem(event, message, rule))

    def make_problem(self, event: _Event, message: str, rule: str) -> Problem:
        return Problem(self.locate(event), message, rule)

    def locate(self, event: _Event) -> Place:
        return locate(self.file, event.start_mark)

    def compose_node(self, event: _Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _StopError(self.make_problem(event, f"this is nested more than {MAX_DEPTH} deep", "too-deep"))
        if event.anchor is None:
            return self.compose_new_node(event, depth)
        if type(event) is AliasEvent:
            return self.resolve_alias(event, depth)
        self.anchors[event.anchor] = None
        node = self.anchors[event.anchor] = self.compose_new_node(event, depth)
        return node

    def compose_new_node(self, event: _Event, depth: int) -> Node:
        if type(event) is ScalarEvent:
            return self.compose_scalar(event)
        if event.tag is not None:
            self.refuse_tag(event)
        if type(event) is SequenceStartEvent:
            return self.compose_items(event, depth + 1)
        return self.compose_block(event, depth + 1)

    def compose_scalar(self, event: _Event) -> Scalar:
        text = self.read_text(event)
        is_plain = not event.style and event.tag in _NO_TAGS
        return Scalar(event.start_mark, resolve(text) if is_plain else text, text)

    def read_text(self, event: _Event) -> str:
        text: str = event.value
        if event.style == '"' and _SURROGATE.search(text):
            raise _StopError(_make_syntax_problem(self.locate(event), BAD_ESCAPE))
        if event.tag is not None:
            self.refuse_tag(event)
        return text

    def refuse_tag(self, event: _Event) -> None:
        if event.tag not in _NO_TAGS and (event.tag != _STRING_TAG or type(event) is not ScalarEvent):
            tag = quoted(event.tag.replace(_STANDARD_TAG, "!!", 1))  # as people write it: `!!map`
            message = f"the tag {tag} means nothing here: take it out; if it is meant as text, quote it"
            self.report(event, message, "unknown-tag")

    def compose_items(self, start: _Event, depth: int) -> Items:
        items: list[Node] = []
        while type(event := next(self.events)) is not SequenceEndEvent:
            items.append(self.compose_node(event, depth))
        return Items(start.start_mark, [item.value for item in items], items)

    def compose_block(self, start: _Event, depth: int) -> Block:
        values: dict[str, Plain] = {}
        keys: dict[str, Mark] = {}
        nodes: dict[str, Node] = {}
        while type(event := next(self.events)) is not MappingEndEvent:
            key = self.compose_key(event, depth)
            node = self.compose_node(next(self.events), depth)
            if key is None:
                continue
            if key in keys:
                self.report_duplicate(key, event, keys[key])
                continue
            keys[key], nodes[key], values[key] = event.start_mark, node, self.find_value(key, node)
        return Block(start.start_mark, values, keys, nodes)

    def find_value(self, key: str, node: Node) -> Plain:
        if key in self.as_written and type(node) is Scalar and node.value is not None:
            return node.text
        return node.value

    def compose_key(self, event: _Event, depth: int) -> str | None:
        if type(event) is ScalarEvent and event.anchor is None:
            text = self.read_text(event)
            if text != "<<" or event.style:
                return text
            self.report(event, '"<<" is not supported: write the keys out, or use "defaults"', "merge-key")
            return None
        node = self.compose_node(event, depth)
        if type(node) is Scalar:
            return node.text
        self.report(event, "a key must be text, not a list or a mapping", "complex-key")
        return None

    def report_duplicate(self, key: str, event: _Event, first: Mark) -> None:
        message = f"{quoted(key)} stands twice in this mapping, first at {locate(self.file, first)}"
        self.report(event, message, "duplicate-key")

    def resolve_alias(self, event: _Event, depth: int) -> Node:
        name = event.anchor
        if name not in self.anchors:
            message = f'the alias "*{name}" has no anchor before it; if it is meant as text, quote it'
            raise _StopError(self.make_problem(event, message, "unknown-alias"))
        node = self.anchors[name]
        if node is None:
            raise _StopError(
                self.make_problem(event, f'the alias "*{name}" stands in what it names', "recursive-alias")
            )
        self.refuse_bomb(event, node, depth)
        return node

    def refuse_bomb(self, event: _Event, node: Node, depth: int) -> None:
        size, height = _measure(node)
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            message = f"the aliases of this file stand for more than {MAX_ALIASED:,} values"
            raise _StopError(self.make_problem(event, message, "alias-bomb"))
        if depth + height - 1 > MAX_DEPTH:
            raise _StopError(self.make_problem(event, f"this is nested more than {MAX_DEPTH} deep", "too-deep"))


def _measure(node: Node) -> tuple[int, int]:
    """How many values a node stands for with all its parts, and over how many levels."""
    match node:
        case Scalar():
            return 1, 1
        case Items(items=items):
            parts = [_measure(item) for item in items]
        case Block(nodes=nodes):
            parts = [_measure(part) for part in nodes.values()]
    return 1 + sum(size for size, _ in parts), 1 + max((height for _, height in parts), default=0)
