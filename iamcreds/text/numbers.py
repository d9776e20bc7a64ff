"""Whole numbers among the properties of resources; pure."""

from __future__ import annotations


def parse_whole_number(value: object) -> int | None:
    """Return a whole number from 0, which the engine writes as a float; None for any other value.

    JSON documents may have Infinity and NaN, because Python's parser accepts them.
    """
    match value:
        case bool():
            return None
        case int() if value >= 0:
            return value
        case float() if value.is_integer() and value >= 0:
            return int(value)
        case _:
            return None
