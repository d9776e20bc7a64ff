"""The properties of a credential that a comment may show, and how they changed; pure.

An allow-list: of any other property only the name is shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.pull_request.preview import State

SHOWN = ("user", "service", "status", "reset", "age_days", "existing", "adopt", "adopts", "adopts_status", "account")
"""The only inputs whose values are ever shown: none of them is, or can become, a secret."""

LIVE_SHOWN = ("credential_id", "create_date", "expiration_date")
"""The shown outputs of the existing credential that a change is about."""

LEFT_OUT = frozenset({"__provider", "declared", "refused"})
"""Properties whose difference means nothing to a person: the provider, a count, and what is shown as an error."""

NOT_SHOWN = "(not shown)"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's text for an unknown value."""


@dataclass(frozen=True, order=True)
class Property:
    """One property of a change as text; None if it is missing."""

    name: str
    before: str | None
    after: str | None


def compare_properties(old: State | None, new: State | None) -> Iterator[Property]:
    """Return the shown properties: id and dates of the existing credential, then every input that differs."""
    before, after = (old.inputs if old else {}), (new.inputs if new else {})
    live = old.outputs if old else {}
    for name in LIVE_SHOWN:
        if name in live:
            yield Property(name, format_value(live[name]), format_value(live[name]))
    others = sorted({*before, *after} - {*SHOWN, *LIVE_SHOWN} - LEFT_OUT)
    for name in (*SHOWN, *others):
        if before.get(name) != after.get(name):
            yield Property(name, _format_input(before, name), _format_input(after, name))


def _format_input(inputs: Mapping[str, Any], name: str) -> str | None:
    if name not in inputs:
        return None
    return format_value(inputs[name]) if name in SHOWN else NOT_SHOWN


def format_name(state: State, key: str, default: str = "") -> str:
    """Return an input of a state as text without quotes, such as the name of its user."""
    return format_value(state.inputs.get(key, default), quoted=False)


def parse_date(value: object) -> datetime | None:
    """Return an ISO 8601 date with its time zone, None for anything else."""
    try:
        date = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return date if date and date.tzinfo else None


def format_value(value: Any, *, quoted: bool = True) -> str:  # noqa: ANN401 - any property value
    """Return a value as text, by default in quotes; the contents of a list or an object are not shown."""
    match value:
        case str() if value == UNKNOWN:
            return "(known after up)"
        case str() if not quoted:
            return value
        case float() if value.is_integer():
            return str(int(value))
        case str() | int() | float() | None:
            return json.dumps(value, ensure_ascii=False)
        case _:
            return NOT_SHOWN
