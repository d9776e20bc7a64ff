"""Formatting of counts, sentences and access key policies; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_LIMITS = {"max": "max", "max_age_days": "maxAgeDays", "max_idle_days": "maxIdleDays", "enforce": "enforce"}
"""The names in specs of the properties of an access key policy."""


def format_count(number: int, thing: str, things: str | None = None) -> str:
    """Return a count with its noun: `1 credential`, `1,200 credentials`; `things` is an irregular plural."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def capitalize(sentence: str) -> str:
    """Return a sentence with an initial capital; the rest stays unchanged."""
    return sentence[:1].upper() + sentence[1:]


def format_policy(policy: Mapping[str, object], format_value: Callable[[object], str] = str) -> str:
    """Format the properties of an access key policy with their names in specs: `max 1, maxAgeDays 90`."""
    limits = ((name, policy[key]) for key, name in _LIMITS.items() if key in policy)
    words = (name if value is True else f"{name} {format_value(value)}" for name, value in limits)
    return ", ".join(words) or "no limit"


def take_fitting(texts: Iterable[str], room: int) -> Iterator[str]:
    """Yield the first texts that together have at most `room` characters."""
    for text in texts:
        room -= len(text)
        if room < 0:
            return
        yield text
