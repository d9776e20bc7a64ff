"""What was probably meant, where a spec says something else: the ends of sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.specs.spelling import did_you_mean, nearest

if TYPE_CHECKING:
    from iamcreds.specs.schema import Refusal


def key_hint(refusal: Refusal, key: str) -> str:
    """What an unknown key may be meant for."""
    return did_you_mean(nearest(key, refusal.schema["properties"]))


def value_hint(refusal: Refusal) -> str:
    """What to write instead of a value."""
    if refusal.keyword == "enum" and isinstance(refusal.instance, str):
        return did_you_mean(nearest(refusal.instance, refusal.supported))
    return ""
