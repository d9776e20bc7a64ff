"""Lengths of time as people write them: `12h`, `90d`, `2w`; pure."""

from __future__ import annotations

import re
from datetime import timedelta

from iamcreds.text.formatting import format_count

MAX_DURATION = timedelta(days=36_600)
"""As much as IAM takes for the age of an API key."""

_WRITTEN = re.compile("(0|[1-9][0-9]{0,4})([hdw])")  # but for the zero as in schema.json
_LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def parse_duration(text: str) -> timedelta:
    """The length of time that a text such as `12h`, `90d` or `2w` says.

    Raises:
        ValueError: it says none, or one longer than `MAX_DURATION`.
    """
    written = _WRITTEN.fullmatch(text)
    length = None if written is None else int(written[1]) * _LENGTHS[written[2]]
    if length is None or length > MAX_DURATION:
        raise ValueError(f"{text!r} is not a time such as 12h, 14d or 2w, of {MAX_DURATION.days} days at most")
    return length


def format_duration(length: timedelta) -> str:
    """A length of time in its largest whole unit: `12 minutes`."""
    seconds = max(0, int(length.total_seconds()))
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), ("second", 1))
    return format_count(seconds // size, unit)
