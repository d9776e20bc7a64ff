"""What the schema refuses, in sentences, at the places of the keys and values concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.model import Problem
from iamcreds.specs.hints import key_hint, value_hint
from iamcreds.specs.nodes import quoted
from iamcreds.specs.schema import refusals

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
}


def problems(tree: Tree) -> Iterator[Problem]:
    """Everything the schema refuses in a spec file."""
    for refusal in refusals(tree.values):
        yield from _problems(refusal, tree)


def _problems(refusal: Refusal, tree: Tree) -> Iterator[Problem]:
    match refusal.keyword:
        case "additionalProperties":
            yield from _unknown_keys(refusal, tree)
        case "required" | "anyOf" | "oneOf":
            yield _missing_key(refusal, tree)
        case "x-not-supported-yet":
            yield _not_yet(refusal, tree)
        case _ if refusal.is_of_a_key:
            message = f"{quoted(refusal.instance)} is not {_expected(refusal)}"
            yield Problem(tree.key_place([*refusal.path, refusal.instance]), message, "wrong-format")
        case keyword:
            place = tree.key_place if refusal.instance is None else tree.value_place
            yield Problem(place(refusal.path), _must(refusal), _RULES[keyword])


def _unknown_keys(refusal: Refusal, tree: Tree) -> Iterator[Problem]:
    for key in refusal.instance:
        if key not in refusal.schema["properties"]:
            message = f"unknown key {quoted(key)}{key_hint(refusal, key)}"
            yield Problem(tree.key_place([*refusal.path, key]), message, "unknown-key")


def _missing_key(refusal: Refusal, tree: Tree) -> Problem:
    place = tree.key_place(refusal.path)
    if refusal.keyword != "required":
        return Problem(place, f"{_subject(refusal)} must be {_expected(refusal)}", "missing-key")
    missing = " and ".join(quoted(key) for key in refusal.wanted if key not in refusal.instance)
    return Problem(place, f"{_subject(refusal)} lacks {missing}", "missing-key")


def _not_yet(refusal: Refusal, tree: Tree) -> Problem:
    if refusal.wanted is True:
        message = f"{_subject(refusal)} is not supported yet: take it out"
        return Problem(tree.key_place(refusal.path), message, "not-supported-yet")
    value, instead = quoted(refusal.instance), _either(refusal.supported)
    message = f"{_subject(refusal)}: {value} is not supported yet: write {instead}, or take it out"
    return Problem(tree.value_place(refusal.path), message, "not-supported-yet")


def _must(refusal: Refusal) -> str:
    found = "empty" if refusal.instance in ("", None) else quoted(refusal.instance)
    return f"{_subject(refusal)} must be {_expected(refusal)}, not {found}{value_hint(refusal)}"


def _subject(refusal: Refusal) -> str:
    match refusal.path:
        case [*_, "credentials", int()]:
            return "a credential"
        case [*_, last]:
            return quoted(str(last))
        case _:
            return "the file"


def _expected(refusal: Refusal) -> str:
    match refusal.keyword:
        case "enum":
            return _either(refusal.supported)
        case "maximum" | "minimum":
            return f"from {refusal.schema['minimum']} to {refusal.schema['maximum']}"
        case "type" if refusal.wanted in ("array", "object") or "x-expected" not in refusal.schema:
            return _TYPES[refusal.wanted]
        case _:
            return str(refusal.schema["x-expected"])


def _either(choices: Iterable[Plain]) -> str:
    *others, last = map(quoted, choices)
    return f"{', '.join(others)} or {last}" if others else last
