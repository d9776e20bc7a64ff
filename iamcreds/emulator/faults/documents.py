"""Validation of the JSON documents of the control API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


class ControlError(Exception):
    """A request to the control API is not valid; the message states the reason."""


def read_object(document: object, keys: set[str]) -> dict[str, Any]:
    """Return a document that is a JSON object with a subset of the keys.

    Raises:
        ControlError: it is not an object, or has another key.
    """
    if not isinstance(document, dict):
        raise ControlError("expected a JSON object")
    unknown = sorted(set(document) - keys)
    if unknown:
        raise ControlError(f"unknown keys: {', '.join(unknown)}; valid keys: {', '.join(sorted(keys))}")
    return document


def read_texts(document: object, required: set[str], optional: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return a document that is a JSON object of strings with the required keys and any of the optional ones.

    Raises:
        ControlError: it is not such an object.
    """
    texts = read_object(document, required | optional)
    if not required <= set(texts) or not all(isinstance(value, str) for value in texts.values()):
        raise ControlError(f"expected strings, at least: {', '.join(sorted(required))}")
    return texts


def read_date(text: str) -> datetime:
    """Parse an ISO 8601 date, and return it in UTC.

    Raises:
        ControlError: it is not valid.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise ControlError(f"{text!r} is not a valid ISO 8601 date") from error


def is_between(value: object, low: float, high: float) -> bool:
    """Return True for a number within the bounds. In Python, bool is a subclass of int, and JSON may contain NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def is_count(value: object) -> bool:
    """Return True for an integer of 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
