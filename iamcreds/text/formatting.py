"""Numbers and sentences as people write them; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_LIMITS = {"max": "max", "max_age_days": "maxAgeDays", "max_idle_days": "maxIdleDays", "enforce": "enforce"}
"""What specs call the parts of a policy for access keys."""


def format_count(number: int, thing: str, things: str | None = None) -> str:
    """A number of things: `1 credential`, `1,200 credentials`; `things` is a plural that does not end in s alone."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def capitalize(sentence: str) -> str:
    """A sentence that begins with a capital; the rest stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def format_policy(policy: Mapping[str, object], format_value: Callable[[object], str] = str) -> str:
    """A policy for access keys, of which its properties are given, in the specs' words: `max 1, maxAgeDays 90`."""
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
