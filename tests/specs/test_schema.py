"""The schema is valid JSON Schema, describes every field, and is the file that editors read."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema_rs import meta

from iamcreds.drift.comparing import list_rules
from iamcreds.drift.rules.access_key_limits import AccessKeyFinding
from iamcreds.drift.rules.delivery import LeftoverSecret
from iamcreds.drift.rules.difference import Kind
from iamcreds.drift.rules.missing import MissingUser
from iamcreds.drift.rules.undeclared import UnmanagedCredential, UnresolvedCreate
from iamcreds.services import SERVICES, service_aliases
from iamcreds.specs.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OWN_WORDS = {"x-expected", "x-text"}


def parts(schema: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401
    """Yield every object of a schema, with its path."""
    if isinstance(schema, dict):
        yield path, schema
        for key, part in schema.items():
            yield from parts(part, f"{path}/{key}")


def fields() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every field of the specs by its path, merged with the target of its `$ref`."""
    for path, part in parts(SCHEMA):
        if path.endswith("/properties"):
            for name, field in part.items():
                yield f"{path}/{name}", {**referred(field), **field}


def referred(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the target of a field's `$ref`, or an empty mapping."""
    definition: Mapping[str, Any] = SCHEMA["$defs"][field["$ref"].split("/")[-1]] if "$ref" in field else {}
    return definition


def test_is_a_schema() -> None:
    """It is a valid schema of draft 2020-12."""
    meta.validate(dict(SCHEMA))


@pytest.mark.parametrize(("path", "field"), list(fields()), ids=[path for path, _ in fields()])
def test_described(path: str, field: Mapping[str, Any]) -> None:
    """Every field has a description, which is a sentence."""
    assert field.get("description", "").endswith("."), path


def test_patterns_say_what_they_expect() -> None:
    """No message shows a regular expression, because every pattern has `x-expected` in words."""
    silent = [path for path, part in parts(SCHEMA) if isinstance(part.get("pattern"), str) and "x-expected" not in part]
    assert silent == []


def test_own_words() -> None:
    """It has only the two extension keywords that its comment explains."""
    used = {key for _, part in parts(SCHEMA) for key in part if key.startswith("x-")}
    assert used == OWN_WORDS
    assert all(word in SCHEMA["$comment"] for word in OWN_WORDS)


def test_fields_as_written_agree() -> None:
    """Text fields of one name all have `x-text`, or none has it."""
    marks: dict[str, set[bool]] = {}
    for path, field in fields():
        if "string" in field.get("type", ()) and "store" not in path:
            marks.setdefault(path.rpartition("/")[2], set()).add("x-text" in field)
    assert [name for name, mark in marks.items() if len(mark) > 1] == []


def test_services() -> None:
    """An editor offers every alias and every known service."""
    offered = SCHEMA["$defs"]["credential"]["properties"]["service"]["examples"]
    assert set(offered) == {*service_aliases(), *(service.name for service in SERVICES)}


def test_one_file() -> None:
    """The schema of the package is the one in `specs/`."""
    root = Path(__file__).parents[2]
    assert (root / "iamcreds" / "specs" / "schema.json").resolve() == root / "specs" / "schema.json"


def test_paths() -> None:
    """The pattern of a user's path accepts slashes, and other characters between the first and the last slash."""
    (pattern,) = [field["pattern"] for path, field in fields() if path.endswith("/iamUser/properties/path")]
    texts = ("".join(letters) for length in range(8) for letters in itertools.product("/a ", repeat=length))
    assert all(bool(re.search(pattern, text)) == bool(re.search("^/([!-~]+/)*$", text)) for text in texts)


def waivable(name: str) -> list[str]:
    """Return the rules that the waivers of a definition of the schema accept."""
    rules: list[str] = SCHEMA["$defs"][name]["properties"]["rule"]["enum"]
    return rules


def test_waivable_rules() -> None:
    """Specs can waive every finding and unmanaged credential, except those about a missing user or pending create."""
    kinds = {Kind.FINDING, Kind.UNMANAGED}
    rules = {rule.rule for rule in list_rules() if rule.kind in kinds} - {MissingUser.rule, UnresolvedCreate.rule}
    of_keys = {rule.rule for rule in list_rules() if issubclass(rule, AccessKeyFinding)}
    of_users = of_keys | {UnmanagedCredential.rule, LeftoverSecret.rule}
    assert waivable("userWaiver") == sorted(rules)
    assert waivable("credentialWaiver") == sorted(set(waivable("userWaiver")) - of_users)
