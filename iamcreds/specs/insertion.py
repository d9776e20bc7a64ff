"""Insertion of ids into the text of a spec file as `adopt: ID`, without any other change; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent, MappingEndEvent, MappingStartEvent, ScalarEvent

from iamcreds.desired import Desired
from iamcreds.model import Severity
from iamcreds.specs import composer
from iamcreds.specs.digest import compute_digest
from iamcreds.specs.reading import read
from iamcreds.specs.sources import parse
from iamcreds.text.yaml_values import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.desired import DesiredCredential, DesiredUser

_Event: TypeAlias = Any  # PyYAML's stubs declare that an event may lack its marks


def insert_ids(file: str, text: str, ids: Mapping[str, str]) -> str | None:
    """Insert ids, by resource name, into the credentials of a text; return None if that is impossible.

    The result is read again, and must declare the same as the text, plus these ids.
    """
    before = [user.desired for user in read(parse(file, text)).users]
    expected = [_adopt(user, ids) for user in before]
    locations = {
        each.location: ids[each.resource_name] for each in _list_credentials(before) if each.resource_name in ids
    }
    if len(locations) < len(ids):  # the file has changed
        return None
    changed = _insert(text, {(location.line - 1, location.column - 1): locations[location] for location in locations})
    after = read(parse(file, changed))
    is_valid = all(problem.severity is Severity.WARNING for problem in after.problems)
    is_expected = _digest(expected) == _digest([user.desired for user in after.users])
    return changed if is_valid and is_expected else None


def _list_credentials(users: Iterable[DesiredUser]) -> Iterator[DesiredCredential]:
    return (credential for user in users for credential in user.credentials)


def _adopt(user: DesiredUser, ids: Mapping[str, str]) -> DesiredUser:
    credentials = (replace(each, adopt=ids.get(each.resource_name, each.adopt)) for each in user.credentials)
    return replace(user, credentials=tuple(credentials))


def _digest(users: list[DesiredUser]) -> str:
    return compute_digest(Desired(tuple(users)))


def _insert(text: str, ids: Mapping[tuple[int, int], str]) -> str:
    """Insert ids by line and column (from 0) of the mappings; from the end, so that positions stay valid."""
    lines = text.splitlines(keepends=True)  # each line end that it recognizes is one in YAML, too, or not allowed
    events: list[_Event] = list(yaml.parse(text, Loader=composer.LOADER))
    for number, event in reversed([*enumerate(events)]):
        location = event.start_mark.line, event.start_mark.column
        if type(event) is MappingStartEvent and location in ids:
            for key, end in _list_pairs(events, number):
                if type(key) is ScalarEvent and key.value == "service":
                    _insert_after(lines, event, key, end.end_mark, ids[location])
    return "".join(lines)


def _insert_after(lines: list[str], mapping: _Event, key: _Event, end: _Event, credential_id: str) -> None:
    """Insert an id after the value that ends at a mark: on its line in a flow mapping, otherwise on a new line."""
    line = lines[end.line]
    if mapping.flow_style:
        is_quoted = key.style == '"'
        field = f'"adopt": "{credential_id}"' if is_quoted else f"adopt: {format_value(credential_id)}"
        lines[end.line] = f"{line[: end.column]}, {field}{line[end.column :]}"
        return
    content = line.rstrip("\r\n\x85\u2028\u2029")
    ending = line[len(content) :]
    field = f"{' ' * key.start_mark.column}adopt: {format_value(credential_id)}"
    # If the last line has no line end, the new one has none.
    lines[end.line] = f"{line}{field}{ending}" if ending else f"{line}{_find_ending(lines)}{field}"


def _find_ending(lines: list[str]) -> str:
    return "\r\n" if lines[0].endswith("\r\n") else "\n"


def _list_pairs(events: list[_Event], number: int) -> Iterator[tuple[_Event, _Event]]:
    """Yield the first event of each key and the last event of its value in the mapping at a position."""
    position = number + 1
    while type(events[position]) is not MappingEndEvent:
        value = _skip(events, position)
        after = _skip(events, value)
        yield events[position], events[after - 1]
        position = after


def _skip(events: list[_Event], position: int) -> int:
    """Return the position after the value that begins at a position."""
    depth = 0
    while True:
        event = events[position]
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        position += 1
        if depth == 0:
            return position
