"""Messages about violations of the schema, with the source locations of the keys and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.model import Problem
from iamcreds.specs.correction import correct_keys
from iamcreds.specs.hints import hint_at_key, hint_at_value
from iamcreds.specs.look_alikes import quoted_with_look_alikes
from iamcreds.specs.nodes import quoted
from iamcreds.specs.schema import find_violations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.specs.nodes import Plain, Tree
    from iamcreds.specs.schema import Violation

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
    "minItems": "wrong-value",
    "minLength": "wrong-format",
    "minimum": "out-of-range",
    "not": "wrong-value",
    "pattern": "wrong-format",
    "type": "wrong-type",
    "uniqueItems": "wrong-value",
}

_LISTS = {"minItems": "an empty one", "uniqueItems": "one with duplicates"}


def validate(tree: Tree) -> tuple[Tree, list[Problem]]:
    """Return the values of a spec file with misspelt keys corrected, and every problem that the schema finds."""
    violations = list(find_violations(tree.values))
    corrections: list[Problem] = []
    if any(violation.keyword == "additionalProperties" for violation in violations):
        tree, corrections = correct_keys(tree)
        violations = list(find_violations(tree.values))
    return tree, corrections + [problem for violation in violations for problem in _describe(violation, tree)]


def _describe(violation: Violation, tree: Tree) -> Iterator[Problem]:
    match violation.keyword:
        case "additionalProperties":
            yield from _describe_unknown_keys(violation, tree)
        case "required" | "anyOf" | "oneOf":
            yield _describe_missing_key(violation, tree)
        case _ if violation.is_of_a_key:
            message = f"{quoted_with_look_alikes(violation.instance)} is not {_describe_expected(violation)}"
            yield Problem(tree.key_location([*violation.path, violation.instance]), message, "wrong-format")
        case keyword:
            location = tree.key_location if violation.instance is None else tree.value_location
            yield Problem(location(violation.path), _describe_mismatch(violation), _RULES[keyword])


def _describe_unknown_keys(violation: Violation, tree: Tree) -> Iterator[Problem]:
    for key in violation.instance:
        if key not in violation.schema["properties"]:
            message = f"unknown key {quoted_with_look_alikes(key)}{hint_at_key(violation, key)}"
            yield Problem(tree.key_location([*violation.path, key]), message, "unknown-key")


def _describe_missing_key(violation: Violation, tree: Tree) -> Problem:
    location = tree.key_location(violation.path)
    if violation.keyword != "required":
        return Problem(location, f"{_name_subject(violation)} must be {_describe_expected(violation)}", "missing-key")
    missing = " and ".join(quoted(key) for key in violation.expected if key not in violation.instance)
    return Problem(location, f"{_name_subject(violation)} lacks {missing}", "missing-key")


def _describe_mismatch(violation: Violation) -> str:
    match violation.instance:
        case list() if violation.keyword in _LISTS:
            actual = _LISTS[violation.keyword]
        case None | "":
            actual = "empty"
        case str(text):
            actual = quoted_with_look_alikes(text)
        case value:
            actual = quoted(value)
    expected = _describe_expected(violation)
    return f"{_name_subject(violation)} must be {expected}, not {actual}{hint_at_value(violation)}"


def _name_subject(violation: Violation) -> str:
    match violation.path:
        case [*_, "credentials", int()]:
            return "a credential"
        case [*_, str(name), int()]:
            return f"an item of {quoted(name)}"
        case [*_, last]:
            return quoted(str(last))
        case _:
            return "the file"


def _describe_expected(violation: Violation) -> str:
    match violation.keyword:
        case "enum":
            return _list_choices(violation.choices)
        case "maximum" | "minimum":
            return f"from {violation.schema['minimum']} to {violation.schema['maximum']}"
        case "type" if violation.expected in ("array", "object") or "x-expected" not in violation.schema:
            return _TYPES[violation.expected]
        case _:
            return str(violation.schema["x-expected"])


def _list_choices(choices: Iterable[Plain]) -> str:
    *others, last = map(quoted, choices)
    return f"{', '.join(others)} or {last}" if others else last
