"""JSON documents of the control API: what is read out of them, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


class ControlError(Exception):
    """What was asked of the controls makes no sense; the message says why."""


def read_object(document: object, keys: set[str]) -> dict[str, Any]:
    """A JSON object that has no other keys.

    Raises:
        ControlError: it is something else.
    """
    if not isinstance(document, dict):
        raise ControlError("a JSON object is wanted")
    unknown = sorted(set(document) - keys)
    if unknown:
        raise ControlError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(keys))}")
    return document


def read_texts(document: object, required: set[str], optional: frozenset[str] = frozenset()) -> dict[str, str]:
    """A JSON object of texts that has the required keys and no others than the optional ones.

    Raises:
        ControlError: it is something else.
    """
    given = read_object(document, required | optional)
    if not required <= set(given) or not all(isinstance(value, str) for value in given.values()):
        raise ControlError(f"texts are wanted: {', '.join(sorted(required))}")
    return given


def read_date(text: str) -> datetime:
    """A date in UTC.

    Raises:
        ControlError: it is none.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise ControlError(f"no ISO 8601 date: {text}") from error


def is_between(value: object, low: float, high: float) -> bool:
    """Whether it is a number within the bounds; bool is an int to Python, and NaN a number to its JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def is_count(value: object) -> bool:
    """Whether it is a whole number, 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
