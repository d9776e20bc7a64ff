"""Hints: probable corrections, as the ends of messages."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from iamcreds.specs.look_alikes import fold
from iamcreds.specs.nodes import quoted, resolve
from iamcreds.specs.schema import SCHEMA, accepts, find_parents, resolve_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iamcreds.specs.nodes import Plain
    from iamcreds.specs.schema import Violation

_USER = SCHEMA["$defs"]["user"]["properties"]
_PARENTS = {"": "at the top of the file", "users": "to a user", "credentials": "to a credential"}
_WITHOUT_SPACE = re.compile(r"([A-Za-z]+):\S", re.ASCII)
_TYPOGRAPHIC = re.compile("[\u2018-\u201f]")


def hint_at_key(violation: Violation, key: str) -> str:
    """Return a hint at the correct key or place of an unknown key, empty if there is none."""
    if key.startswith("-"):
        return "; a space is missing after the dash"
    if meant := find_meant_key(violation.path, violation.instance, key, violation.schema["properties"]):
        return did_you_mean(meant)
    if key != key.strip():
        return "; it begins or ends with whitespace that is not a space"
    if _may_be_user(violation.path, violation.instance[key]):
        return '; if it is a user, move it under "users"'
    locations = [_PARENTS.get(parent, f"below {quoted(parent)}") for parent in find_parents(key)]
    return f"; it belongs {' or '.join(locations)}" if locations else ""


def find_meant_key(path: Sequence[str | int], block: Mapping[str, Plain], key: str, known: Iterable[str]) -> str | None:
    """Return the known key that an unknown key of a mapping probably means, None if a different hint fits better.

    The same key in a different case, with hyphens or with look-alike characters comes first, then the most similar one.
    """
    if key.startswith("-"):
        return None
    alike = {_simplify(name): name for name in known}
    if name := alike.get(_simplify(key)):
        return name
    if key != key.strip() or _may_be_user(path, block[key]) or find_parents(key):
        return None
    return find_nearest(fold(key), known)


def _simplify(key: str) -> str:
    return fold(key).strip().lower().replace("_", "").replace("-", "")


def _may_be_user(path: Sequence[str | int], value: Plain) -> bool:
    return not path and isinstance(value, dict) and not value.keys().isdisjoint(_USER)


def hint_at_value(violation: Violation) -> str:
    """Return a hint at the correct value, empty if there is none."""
    return next(_find_hints(violation), "")


def _find_hints(violation: Violation) -> Iterator[str]:
    value, schema = violation.instance, violation.schema
    if isinstance(value, str) and _TYPOGRAPHIC.search(value):
        yield '; it has typographic quotes: use " instead'
    if violation.keyword == "enum" and isinstance(value, str):
        choices = [choice for choice in violation.choices if isinstance(choice, str)]
        yield did_you_mean(find_nearest(fold(value), choices)) if choices else _hint_at_quotes(value, schema)
    if violation.keyword != "type":
        return
    if violation.expected == "array":
        yield from _hint_at_list(value, resolve_reference(schema["items"]), has_items="minItems" in schema)
    elif violation.expected == "object":
        yield from _hint_at_mapping(violation)
    elif isinstance(value, str):
        yield _hint_at_quotes(value, schema)


def _hint_at_quotes(value: str, schema: Mapping[str, Any]) -> str:
    return "; remove the quotes" if accepts(schema, resolve(value)) else ""


def _hint_at_list(
    value: Any,  # noqa: ANN401 - anything a spec may hold
    item: Mapping[str, Any],
    *,
    has_items: bool,
) -> Iterator[str]:
    match value:
        case str() if "properties" not in item:
            if accepts(item, value):
                yield f"; write [{_format_value(value)}]"
        case None if not has_items:
            yield '; "[]" is the empty list'
        case dict() if any(key.startswith("-") for key in value):
            yield "; a space is missing after the dash"
        case dict():
            yield '; a list item begins with "- "'
        case str() if field := _find_field_for(item, value):
            yield f"; write - {field}: {_format_value(value)}"


def _hint_at_mapping(violation: Violation) -> Iterator[str]:
    value, schema = violation.instance, violation.schema
    match violation.path:
        case ["users"] if isinstance(value, list):
            yield '; a user is a key, without a dash and with a ":"'
        case ["users", name] if name in _USER:
            yield "; a user's name is missing above it"
    if value is None:
        yield "; indent its content below it"
    elif "properties" in schema:
        yield from _hint_at_field(value, violation)


def _hint_at_field(value: Any, violation: Violation) -> Iterator[str]:  # noqa: ANN401 - anything a spec may hold
    schema = violation.schema
    if isinstance(value, str) and (field := _WITHOUT_SPACE.match(value)) and field[1] in schema["properties"]:
        yield '; a space is missing after the ":"'
    name = _find_field_for(schema, value)
    if name is not None and isinstance(value, list):
        yield f"; move the list under {quoted(name)}"
    elif name is not None and accepts(schema, {name: value}):
        written = f"{name}: {_format_value(value)}"
        is_item = isinstance(violation.path[-1], int)
        yield f"; write {written if is_item else f'{violation.path[-1]}: {{{written}}}'}"


def _format_value(value: Plain) -> str:
    return quoted(value).strip('"')


def _find_field_for(schema: Mapping[str, Any], value: object) -> str | None:
    """Return the first field that accepts a value, required fields before optional ones, if there is one."""
    fields = schema["properties"]
    names = dict.fromkeys([*schema.get("required", []), *fields])
    return next((name for name in names if accepts(fields[name], value)), None)


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most similar to an unknown one, regardless of case, if there is one."""
    by_lower = {known_word.lower(): known_word for known_word in sorted(known)}
    near = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def did_you_mean(near: str | None) -> str:
    """Return a suggestion as the end of a message about an unknown word, empty if there is none."""
    return "" if near is None else f"; did you mean {quoted(near)}?"
