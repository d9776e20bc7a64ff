"""Durations such as `12h`, `90d` and `2w`; pure."""

from __future__ import annotations

import re
from datetime import timedelta

from iamcreds.text.formatting import format_count

MAX_DURATION = timedelta(days=36_600)
"""IAM's maximum for the age of an API key."""

_DURATION = re.compile("(0|[1-9][0-9]{0,4})([hdw])")  # as in schema.json, except for the zero
_LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def parse_duration(text: str) -> timedelta:
    """Parse a duration such as `12h`, `90d` or `2w`.

    Raises:
        ValueError: the text is not a duration, or exceeds `MAX_DURATION`.
    """
    match = _DURATION.fullmatch(text)
    length = None if match is None else int(match[1]) * _LENGTHS[match[2]]
    if length is None or length > MAX_DURATION:
        raise ValueError(f"{text!r} is not a duration such as 12h, 14d or 2w, of at most {MAX_DURATION.days} days")
    return length


def format_duration(length: timedelta) -> str:
    """Format a duration in its largest unit, rounded down: `12 minutes`."""
    seconds = max(0, int(length.total_seconds()))
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), ("second", 1))
    return format_count(seconds // size, unit)
