"""A provider that records its requests and follows its properties, used with the engine and its model."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from iamcreds.errors import IamcredsError

TRACE = "SIMULATION_TRACE"
"""The environment variable with the file of recorded requests, one JSON array for each line."""

FAILING = "SIMULATION_FAILING"
"""The environment variable with the failing requests, as in `delete a,create b`; `gone a` makes a read find nothing."""

UPDATE, REPLACE, DELETE_FIRST = "update", "replace", "delete first"
"""The effect of a changed `value`, as in the property `how`."""


class Traced(ResourceProvider):
    """A provider with the properties `name`, `value`, and `how` (the effect of a changed value)."""

    def read(self, id_: str, props: Mapping[str, Any]) -> ReadResult:
        """Return the recorded properties."""
        _note(self, "read", props, id_)
        return ReadResult(None, {}) if _fails("gone", props) else ReadResult(id_, dict(props), dict(props))

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> CheckResult:
        """Accept every input."""
        _note(self, "check", news, str(olds.get("value")))
        failures = [CheckFailure("value", "refused")] if _fails("refuse", news) else []
        return CheckResult(dict(news), failures)

    def diff(self, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        """Compare the values."""
        _note(self, "diff", news, f"{id_} {olds.get('value')} {news.get('value')}")
        changes, how = olds.get("value") != news.get("value"), news.get("how")
        replaces = ["value"] if changes and how in (REPLACE, DELETE_FIRST) else []
        return DiffResult(changes=changes, replaces=replaces, delete_before_replace=how == DELETE_FIRST)

    def create(self, props: Mapping[str, Any]) -> CreateResult:
        """Create an id from name and value."""
        _note(self, "create", props, "")
        _fail("create", props)
        return CreateResult(f"{props['name']}-{props['value']}", dict(props))

    def update(self, id_: str, _olds: Mapping[str, Any], news: Mapping[str, Any]) -> UpdateResult:
        """Accept the new properties."""
        _note(self, "update", news, id_)
        _fail("update", news)
        return UpdateResult(dict(news))

    def delete(self, id_: str, props: Mapping[str, Any]) -> None:
        """Delete nothing."""
        _note(self, "delete", props, id_)
        _fail("delete", props)


def _note(asked: Traced, method: str, props: Mapping[str, Any], more: str) -> None:
    process = f"{os.getpid()}-{id(asked)}"
    with Path(os.environ[TRACE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps([method, props["name"], more, process]) + "\n")


def _fails(method: str, props: Mapping[str, Any]) -> bool:
    return f"{method} {props['name']}" in os.environ.get(FAILING, "").split(",")


def _fail(method: str, props: Mapping[str, Any]) -> None:
    if _fails(method, props):
        raise IamcredsError(f"{method} of {props['name']} fails")
