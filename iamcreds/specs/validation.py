"""What the schema refuses, in sentences, at the places of the keys and values concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.model import Problem
from iamcreds.specs.hints import hint_at_key, hint_at_value
from iamcreds.specs.nodes import quoted
from iamcreds.specs.schema import find_refusals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.specs.nodes import Plain, Tree
    from iamcreds.specs.schema import Refusal

_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}

_RULES = {
    "enum": "wrong-value",
    "maxLength": "wrong-format",
    "maximum": "out-of-range",
    "minLength": "wrong-format",
    "minimum": "out-of-range",
    "not": "wrong-value",
    "pattern": "wrong-format",
    "type": "wrong-type",
    "uniqueItems": "wrong-value",
}


def validate(tree: Tree) -> Iterator[Problem]:
    """Everything the schema refuses in a spec file."""
    for refusal in find_refusals(tree.values):
        yield from _describe(refusal, tree)


def _describe(refusal: Refusal, tree: Tree) -> Iterator[Problem]:
    match refusal.keyword:
        case "additionalProperties":
            yield from _describe_unknown_keys(refusal, tree)
        case "required" | "anyOf" | "oneOf":
            yield _describe_missing_key(refusal, tree)
        case "x-not-supported-yet":
            yield _describe_unsupported(refusal, tree)
        case _ if refusal.is_of_a_key:
            message = f"{quoted(refusal.instance)} is not {_say_what_is_expected(refusal)}"
            yield Problem(tree.key_place([*refusal.path, refusal.instance]), message, "wrong-format")
        case keyword:
            place = tree.key_place if refusal.instance is None else tree.value_place
            yield Problem(place(refusal.path), _say_what_must_be(refusal), _RULES[keyword])


def _describe_unknown_keys(refusal: Refusal, tree: Tree) -> Iterator[Problem]:
    for key in refusal.instance:
        if key not in refusal.schema["properties"]:
            message = f"unknown key {quoted(key)}{hint_at_key(refusal, key)}"
            yield Problem(tree.key_place([*refusal.path, key]), message, "unknown-key")


def _describe_missing_key(refusal: Refusal, tree: Tree) -> Problem:
    place = tree.key_place(refusal.path)
    if refusal.keyword != "required":
        return Problem(place, f"{_name_subject(refusal)} must be {_say_what_is_expected(refusal)}", "missing-key")
    missing = " and ".join(quoted(key) for key in refusal.wanted if key not in refusal.instance)
    return Problem(place, f"{_name_subject(refusal)} lacks {missing}", "missing-key")


def _describe_unsupported(refusal: Refusal, tree: Tree) -> Problem:
    if refusal.wanted is True:
        message = f"{_name_subject(refusal)} is not supported yet: take it out"
        return Problem(tree.key_place(refusal.path), message, "not-supported-yet")
    value, instead = quoted(refusal.instance), _list_choices(refusal.supported)
    message = f"{_name_subject(refusal)}: {value} is not supported yet: write {instead}, or take it out"
    return Problem(tree.value_place(refusal.path), message, "not-supported-yet")


def _say_what_must_be(refusal: Refusal) -> str:
    found = "empty" if refusal.instance in ("", None) else quoted(refusal.instance)
    return f"{_name_subject(refusal)} must be {_say_what_is_expected(refusal)}, not {found}{hint_at_value(refusal)}"


def _name_subject(refusal: Refusal) -> str:
    match refusal.path:
        case [*_, "credentials", int()]:
            return "a credential"
        case [*_, str(name), int()]:
            return f"an item of {quoted(name)}"
        case [*_, last]:
            return quoted(str(last))
        case _:
            return "the file"


def _say_what_is_expected(refusal: Refusal) -> str:
    match refusal.keyword:
        case "enum":
            return _list_choices(refusal.supported)
        case "maximum" | "minimum":
            return f"from {refusal.schema['minimum']} to {refusal.schema['maximum']}"
        case "type" if refusal.wanted in ("array", "object") or "x-expected" not in refusal.schema:
            return _TYPES[refusal.wanted]
        case _:
            return str(refusal.schema["x-expected"])


def _list_choices(choices: Iterable[Plain]) -> str:
    *others, last = map(quoted, choices)
    return f"{', '.join(others)} or {last}" if others else last
