"""`schema.json`, the only description of the fields, and violations of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema_rs import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema_rs import ValidationError

    from iamcreds.specs.nodes import Plain

SCHEMA: Mapping[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text("utf-8"))
"""The schema, the same as `specs/schema.json`."""


@dataclass(frozen=True)
class Violation:
    """A value, `instance` at `path`, that violates `keyword` of `schema`."""

    path: Sequence[str | int]
    keyword: str
    schema: Mapping[str, Any]
    instance: Any
    is_of_a_key: bool

    @property
    def expected(self) -> Any:  # noqa: ANN401 - any value of a keyword
        """The value of the keyword in the schema."""
        return self.schema[self.keyword]

    @property
    def choices(self) -> list[Plain]:
        """The choices."""
        choices: list[Plain] = self.schema["enum"]
        return choices


def find_violations(values: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield every violation of the schema in the plain values of a spec file."""
    return (_make_violation(error, values) for error in _compile().iter_errors(dict(values)))


def accepts(field: Mapping[str, Any], value: object) -> bool:
    """Return True if a field accepts a value."""
    return Draft202012Validator({**field, "$defs": SCHEMA["$defs"]}).is_valid(value)


def resolve_reference(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a field merged with the target of its `$ref`; keywords of the field take precedence."""
    if "$ref" not in field:
        return field
    return {**SCHEMA["$defs"][field["$ref"].rpartition("/")[2]], **field}


@cache
def find_fields_as_written() -> frozenset[str]:
    """Return the names of the fields whose values are text as written, quoted or not."""
    return frozenset(name for name, field, _ in _find_fields(SCHEMA, "") if field.get("x-text"))


def find_parents(name: str) -> list[str]:
    """Return the possible parents of a field with this name, with an empty text for the top of a file."""
    return list(dict.fromkeys(parent for child, _, parent in _find_fields(SCHEMA, "") if child == name))


def _find_fields(schema: Mapping[str, Any], parent: str) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Yield each field by its name, with its references resolved, and the name of its parent."""
    for name, field in schema.get("properties", {}).items():
        whole = resolve_reference(field)
        yield name, whole, parent
        for part in (whole, whole.get("items"), whole.get("additionalProperties")):
            if isinstance(part, dict):
                yield from _find_fields(resolve_reference(part), name)


@cache
def _compile() -> Draft202012Validator:
    return Draft202012Validator(dict(SCHEMA))


def _make_violation(error: ValidationError, values: Mapping[str, Any]) -> Violation:
    *path, keyword = error.schema_path
    is_of_a_key = path[-1:] == ["propertyNames"]
    schema: Any = SCHEMA
    for step in path:
        schema = schema[step]
    kind: Any = error.kind  # for a key, it contains the error of the key only
    instance = kind.error.instance if is_of_a_key else error.instance
    return Violation(list(_follow(error.instance_path, values)), str(keyword), schema, instance, is_of_a_key)


def _follow(path: Sequence[str | int], values: Any) -> Iterator[str | int]:  # noqa: ANN401 - any value of specs
    """Yield a path with its keys as in the values: the validator reports a key such as `007` or `+1` as an index."""
    for step in path:
        is_lost = isinstance(values, dict) and step not in values
        actual = next(key for key in values if _is_index(key, step)) if is_lost else step
        values = values[actual]
        yield actual


def _is_index(key: str, index: str | int) -> bool:
    return (key.removeprefix("+").lstrip("0") or "0") == str(index)
