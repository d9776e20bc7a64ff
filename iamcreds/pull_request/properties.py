"""The comparison of credential properties for the comment; pure.

Values are shown only for the properties of an allow-list, and otherwise only the name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.pull_request.preview import State

SHOWN = (
    "user",
    "service",
    "status",
    "reset",
    "age_days",
    "rotation",
    "rotates",
    "retires",
    "trigger",
    "deliver",
    "delivers",
    "existing",
    "adopt",
    "adopts",
    "adopts_status",
    "account",
)
"""The inputs whose values are shown, because they never contain a secret."""

LIVE_SHOWN = ("credential_id", "create_date", "expiration_date")
"""The outputs of the existing credential whose values are shown."""

LEFT_OUT = frozenset({"__provider", "declared", "refused"})
"""Properties without meaning for a reviewer: the provider, a count, and rejections, which are shown as errors."""

NOT_SHOWN = "(not shown)"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's placeholder for an unknown value."""
KNOWN_LATER = "(known after up)"


@dataclass(frozen=True, order=True)
class Property:
    """A changed property as text; None stands for a missing property."""

    name: str
    before: str | None
    after: str | None


def compare_properties(old: State | None, new: State | None) -> Iterator[Property]:
    """Yield the id and dates of the existing credential, then every input that differs."""
    before, after = (old.inputs if old else {}), (new.inputs if new else {})
    existing = old.outputs if old else {}
    for name in LIVE_SHOWN:
        if name in existing:
            yield Property(name, format_value(existing[name]), format_value(existing[name]))
    others = sorted({*before, *after} - {*SHOWN, *LIVE_SHOWN} - LEFT_OUT)
    for name in (*SHOWN, *others):
        if before.get(name) != after.get(name):
            yield Property(name, _format_input(before, name), _format_input(after, name))


def _format_input(inputs: Mapping[str, Any], name: str) -> str | None:
    if name not in inputs:
        return None
    if name == "deliver":
        return json.dumps(inputs[name], ensure_ascii=False, sort_keys=True).replace(UNKNOWN, KNOWN_LATER)
    return format_value(inputs[name]) if name in SHOWN else NOT_SHOWN


def format_name(state: State, key: str, default: str = "") -> str:
    """Return an input of a state as text without quotes, such as the user name."""
    return format_value(state.inputs.get(key, default), quoted=False)


def parse_date(value: object) -> datetime | None:
    """Parse an ISO 8601 date with a time zone, or return None."""
    try:
        date = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return date if date and date.tzinfo else None


def format_value(value: Any, *, quoted: bool = True) -> str:  # noqa: ANN401 - any property value
    """Return a value as text, by default in quotes; lists and objects are not shown."""
    match value:
        case str() if value == UNKNOWN:
            return KNOWN_LATER
        case str() if not quoted:
            return value
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float() | None:
            return json.dumps(value, ensure_ascii=False)
        case _:
            return NOT_SHOWN
