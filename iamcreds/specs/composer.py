"""Composition of plain values with source locations from PyYAML's events; no text raises an exception.

The events come from libyaml's parser, or from PyYAML's own parser if PyYAML was built without libyaml. `yaml.compose`
is unsuitable: libyaml's composer crashes on deep nesting, rejects an anchor that is set twice, and drops the location
of an alias.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from yaml.events import AliasEvent, MappingEndEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent, StreamEndEvent

from iamcreds.model import Problem, SourceLocation
from iamcreds.specs.nodes import Block, Items, locate, quoted, resolve
from iamcreds.specs.syntax import BAD_ESCAPE, DIRECTIVE, explain, find_forbidden_character

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from iamcreds.specs.nodes import Plain

LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader whose parser creates the events."""

MAX_DEPTH = 32
"""The maximum nesting of a file; the schema needs 8 levels."""

MAX_ALIASED = 100_000
"""The maximum number of values to which the aliases of a file expand, so that a few lines cannot fill the memory."""

_STANDARD_TAG = "tag:yaml.org,2002:"
_STRING_TAG = f"{_STANDARD_TAG}str"
_NO_TAGS = {None, "!"}  # libyaml's events have no tag for a lone exclamation mark
_VERSIONS = {None, (1, 1), (1, 2)}
_SURROGATE = re.compile("[\ud800-\udfff]")

_Event: TypeAlias = Any  # PyYAML's stubs declare that an event may lack its marks
_Node: TypeAlias = "tuple[_Event, Plain]"
"""The event that starts a value, and the value; for an alias, those of its anchor."""


class _StopError(Exception):
    """A problem after which the rest of the file cannot be parsed."""

    def __init__(self, location: SourceLocation, message: str, rule: str = "syntax") -> None:
        self.problem = Problem(location, f"invalid YAML: {message}" if rule == "syntax" else message, rule)
        super().__init__(message)


def compose(file: str, text: str, as_written: Collection[str] = ()) -> tuple[Items | None, tuple[Problem, ...]]:
    """Return the documents of a text (at most one), None if it cannot be parsed, and every problem of its YAML.

    A scalar under a key in `as_written` is text, quoted or not, unless it is null.
    """
    composer = _Composer(file, _read_events(file, text), as_written)
    try:
        documents = composer.compose_documents()
    except _StopError as stop:
        return None, (*composer.problems, stop.problem)
    return documents, tuple(composer.problems)


def _read_events(file: str, text: str) -> Iterator[_Event]:
    """Yield the events of a text; each exception of the parser becomes a `_StopError`."""
    if (offset := find_forbidden_character(text)) is not None:
        message = f"the character U+{ord(text[offset]):04X} is not allowed"
        raise _StopError(locate_offset(file, text, offset), message)
    event: _Event = None
    try:
        for event in iter(LOADER(text).get_event, None):
            yield event
    except yaml.MarkedYAMLError as error:
        mark, message = explain(error, text)
        raise _StopError(locate(file, mark), message) from None
    except (OverflowError, ValueError):  # raised by PyYAML's own parser for `"\UFFFFFFFF"`
        location = SourceLocation(file, 1, 1) if event is None else locate(file, event.end_mark)
        raise _StopError(location, BAD_ESCAPE) from None


def locate_offset(file: str, text: str, offset: int) -> SourceLocation:
    """Return the source location of the character at an offset."""
    before = text[:offset]
    return SourceLocation(file, before.count("\n") + 1, offset - before.rfind("\n"))


@dataclass
class _Composer:
    """A composer of the events of one text; it adds problems that do not stop it to `problems`."""

    file: str
    events: Iterator[_Event]
    as_written: Collection[str]
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, _Node | None] = field(default_factory=dict)  # None: the anchored value is not complete yet
    aliased: int = 0

    def compose_documents(self) -> Items:
        documents = Items()
        next(self.events)  # the stream's start
        start = next(self.events)
        if type(start) is StreamEndEvent:
            return documents
        if start.version not in _VERSIONS:
            raise _StopError(self.locate(start), DIRECTIVE)
        self.compose_item(documents, next(self.events), 1)
        next(self.events)  # the document's end
        after = next(self.events)
        if type(after) is not StreamEndEvent:
            message = "a file contains one YAML document only: move the others to separate files"
            self.report(after, message, "several-documents")
        return documents

    def locate(self, event: _Event) -> SourceLocation:
        return locate(self.file, event.start_mark)

    def report(self, event: _Event, message: str, rule: str) -> None:
        self.problems.append(Problem(self.locate(event), message, rule))

    def compose_node(self, event: _Event, depth: int, key: str | None = None) -> _Node:
        """Compose the value that begins with an event; `key` is the key of the value."""
        if depth > MAX_DEPTH:
            raise self.stop_too_deep(event)
        if type(event) is AliasEvent:
            return self.resolve_alias(event, depth, key)
        if event.anchor is None:
            return event, self.compose_value(event, depth, key)
        self.anchors[event.anchor] = None
        node = event, self.compose_value(event, depth, key)
        self.anchors[event.anchor] = node
        return node

    def stop_too_deep(self, event: _Event) -> _StopError:
        return _StopError(self.locate(event), f"the file is nested more than {MAX_DEPTH} levels deep", "too-deep")

    def compose_value(self, event: _Event, depth: int, key: str | None) -> Plain:
        if type(event) is ScalarEvent:
            self.check_scalar(event)
            return self.interpret(event, key)
        if event.tag is not None:
            self.reject_tag(event)
        return self.compose_items(depth + 1) if type(event) is SequenceStartEvent else self.compose_block(depth + 1)

    def check_scalar(self, event: _Event) -> None:
        if event.style == '"' and _SURROGATE.search(event.value):
            raise _StopError(self.locate(event), BAD_ESCAPE)
        if event.tag is not None:
            self.reject_tag(event)

    def interpret(self, scalar: _Event, key: str | None) -> str | float | bool | None:
        """Return the value of a scalar; a quoted or tagged scalar is always text."""
        text: str = scalar.value
        if scalar.style or scalar.tag not in _NO_TAGS:
            return text
        value = resolve(text)
        return text if key in self.as_written and value is not None else value

    def reject_tag(self, event: _Event) -> None:
        if event.tag not in _NO_TAGS and (event.tag != _STRING_TAG or type(event) is not ScalarEvent):
            tag = quoted(event.tag.replace(_STANDARD_TAG, "!!", 1))  # the common notation: `!!map`
            message = f"the tag {tag} is not supported: remove it, or quote the text if it is not a tag"
            self.report(event, message, "unknown-tag")

    def compose_items(self, depth: int) -> Items:
        items = Items()
        while type(event := next(self.events)) is not SequenceEndEvent:
            self.compose_item(items, event, depth)
        return items

    def compose_item(self, items: Items, event: _Event, depth: int) -> None:
        start, value = self.compose_node(event, depth)
        items.append(value)
        items.marks.append(start.start_mark)

    def compose_block(self, depth: int) -> Block:
        block = Block()
        while type(event := next(self.events)) is not MappingEndEvent:
            key = self.compose_key(event, depth)
            start, value = self.compose_node(next(self.events), depth, key)
            if key is None:
                continue
            if key in block:
                first = locate(self.file, block.key_marks[key])
                message = f"duplicate key {quoted(key)}, first at {first}"
                self.report(event, message, "duplicate-key")
                continue
            block[key], block.key_marks[key], block.marks[key] = value, event.start_mark, start.start_mark
        return block

    def compose_key(self, event: _Event, depth: int) -> str | None:
        start = event
        if type(event) is ScalarEvent and event.anchor is None:
            self.check_scalar(event)
        else:
            start, _ = self.compose_node(event, depth)
        if type(start) is not ScalarEvent:
            self.report(event, "a key must be text, not a list or a mapping", "complex-key")
        elif start.value == "<<" and not start.style:
            self.report(event, '"<<" is not supported: repeat the keys, or use "defaults"', "merge-key")
        else:
            return str(start.value)
        return None

    def resolve_alias(self, event: _Event, depth: int, key: str | None) -> _Node:
        name = event.anchor
        if name not in self.anchors:
            message = f'the alias "*{name}" has no preceding anchor: add one, or quote the text if it is not an alias'
            raise _StopError(self.locate(event), message, "unknown-alias")
        node = self.anchors[name]
        if node is None:
            message = f'the alias "*{name}" is inside the value of its own anchor'
            raise _StopError(self.locate(event), message, "recursive-alias")
        start, value = node
        size, height = _measure(value)
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            message = f"the aliases of this file expand to more than {MAX_ALIASED:,} values"
            raise _StopError(self.locate(event), message, "alias-bomb")
        if depth + height - 1 > MAX_DEPTH:
            raise self.stop_too_deep(event)
        return start, self.interpret(start, key) if type(start) is ScalarEvent else value


def _measure(value: Plain) -> tuple[int, int]:
    """Return the number of values in a value, including itself, and the number of their levels."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    measured = [_measure(part) for part in parts]
    return 1 + sum(size for size, _ in measured), 1 + max((height for _, height in measured), default=0)
