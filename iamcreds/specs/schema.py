"""What `schema.json` refuses, in sentences, at the places of the keys and values concerned."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, ValidationError, validators

from iamcreds.model import Problem
from iamcreds.specs.nodes import key_place, plain_entry, quoted, value_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jsonschema.protocols import Validator

    from iamcreds.specs.nodes import Block, Plain

SCHEMA: Mapping[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text("utf-8"))
"""The schema, as it stands in `specs/schema.json`."""

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


def values(root: Block) -> dict[str, Any]:
    """The plain values of a spec file, ids and triggers as they are written."""
    return {key: plain_entry(key, entry.node, _written_fields()) for key, entry in root.entries.items()}


def problems(root: Block) -> Iterator[Problem]:
    """Everything the schema refuses in a spec file."""
    for error in _validator().iter_errors(values(root)):
        yield from _problems(_Refusal.of(error), root)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like one that is not known, whatever the case, if there is any."""
    by_lower = {one.lower(): one for one in sorted(known)}
    near = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def did_you_mean(near: str | None) -> str:
    """The end of a sentence about a word that is not known."""
    return "" if near is None else f"; did you mean {quoted(near)}?"


@cache
def _written_fields() -> frozenset[str]:
    """The names of the fields that count as they are written, quoted or not."""
    return frozenset(_marked(SCHEMA))


def _marked(schema: Any) -> Iterator[str]:  # noqa: ANN401  # any part of a schema
    match schema:
        case dict():
            for name, field in schema.get("properties", {}).items():
                if _resolved(field).get("x-text"):
                    yield name
            for part in schema.values():
                yield from _marked(part)
        case list():
            for part in schema:
                yield from _marked(part)
        case _:
            pass


def _resolved(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field with what its `$ref` says beneath what it says itself."""
    if "$ref" not in field:
        return field
    return {**SCHEMA["$defs"][field["$ref"].rpartition("/")[2]], **field}


@cache
def _validator() -> Validator:
    keywords = {"pattern": _pattern, "x-not-supported-yet": _not_supported_yet}
    validator: Validator = validators.extend(Draft202012Validator, keywords)(SCHEMA)  # type: ignore[no-untyped-call]
    return validator


def _pattern(_: Validator, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    """ECMA's patterns: Python's dollar sign would let a line break pass, its classes every alphabet."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance, re.ASCII):
        yield ValidationError("pattern")


def _not_supported_yet(_: Validator, which: object, instance: object, __: object) -> Iterator[ValidationError]:
    if which is True or (isinstance(which, list) and instance in which):
        yield ValidationError("x-not-supported-yet")


@dataclass(frozen=True)
class _Refusal:
    """One of jsonschema's errors, as far as we use it: what `keyword` asks for and `instance`, at `path`, is not."""

    path: list[str | int]
    keyword: str
    wanted: Any
    instance: Any
    schema: Mapping[str, Any]
    is_of_a_key: bool

    @classmethod
    def of(cls, error: ValidationError) -> _Refusal:
        return cls(
            path=list(error.absolute_path),
            keyword=str(error.validator),
            wanted=error.validator_value,
            instance=error.instance,
            schema=error.schema if isinstance(error.schema, dict) else {},
            is_of_a_key="propertyNames" in error.relative_schema_path,
        )

    @property
    def subject(self) -> str:
        match self.path:
            case [*_, "credentials", int()]:
                return "a credential"
            case [*_, last]:
                return quoted(str(last))
            case _:
                return "the file"

    @property
    def supported(self) -> list[str]:
        """The choices that are not refused for now."""
        refused = self.schema.get("x-not-supported-yet", [])
        return [choice for choice in self.schema["enum"] if choice not in refused]

    @property
    def expected(self) -> str:
        match self.keyword:
            case "enum":
                return _either(self.supported)
            case "maximum" | "minimum":
                return f"from {self.schema['minimum']} to {self.schema['maximum']}"
            case "type" if self.wanted in ("array", "object") or "x-expected" not in self.schema:
                return _TYPES[self.wanted]
            case _:
                return str(self.schema["x-expected"])


def _either(choices: Iterable[Plain]) -> str:
    *others, last = map(quoted, choices)
    return f"{', '.join(others)} or {last}" if others else last


def _problems(refusal: _Refusal, root: Block) -> Iterator[Problem]:
    match refusal.keyword:
        case "additionalProperties":
            yield from _unknown_keys(refusal, root)
        case "required" | "anyOf" | "oneOf":
            yield _missing_key(refusal, root)
        case "x-not-supported-yet":
            yield _not_yet(refusal, root)
        case _ if refusal.is_of_a_key:
            message = f"{quoted(refusal.instance)} is not {refusal.expected}"
            yield Problem(key_place(root, [*refusal.path, refusal.instance]), message, "wrong-format")
        case keyword:
            place = key_place if refusal.instance is None else value_place
            yield Problem(place(root, refusal.path), _must(refusal), _RULES[keyword])


def _unknown_keys(refusal: _Refusal, root: Block) -> Iterator[Problem]:
    known = refusal.schema["properties"]
    for key in refusal.instance:
        if key not in known:
            message = f"unknown key {quoted(key)}{did_you_mean(nearest(key, known))}"
            yield Problem(key_place(root, [*refusal.path, key]), message, "unknown-key")


def _missing_key(refusal: _Refusal, root: Block) -> Problem:
    place = key_place(root, refusal.path)
    if refusal.keyword != "required":
        return Problem(place, f"{refusal.subject} must be {refusal.expected}", "missing-key")
    missing = " and ".join(quoted(key) for key in refusal.wanted if key not in refusal.instance)
    return Problem(place, f"{refusal.subject} lacks {missing}", "missing-key")


def _not_yet(refusal: _Refusal, root: Block) -> Problem:
    if refusal.wanted is True:
        message = f"{refusal.subject} is not supported yet: take it out"
        return Problem(key_place(root, refusal.path), message, "not-supported-yet")
    instead = _either(refusal.supported)
    message = f"{refusal.subject}: {quoted(refusal.instance)} is not supported yet: write {instead}, or take it out"
    return Problem(value_place(root, refusal.path), message, "not-supported-yet")


def _must(refusal: _Refusal) -> str:
    instance = refusal.instance
    found = "empty" if instance in ("", None) else quoted(instance)
    near = nearest(instance, refusal.supported) if refusal.keyword == "enum" and isinstance(instance, str) else None
    return f"{refusal.subject} must be {refusal.expected}, not {found}{did_you_mean(near)}"
