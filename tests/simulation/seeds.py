"""Generation of a history from a seed, whose number selects the kind of history."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.simulation.making import AdoptingMaker, Maker, RenewingMaker
from tests.simulation.making_rotations import RotatingMaker

if TYPE_CHECKING:
    from tests.simulation.history import Step

ADOPTING = 1_000_000
"""The first seed of histories in an account with existing credentials, which are imported or unmanaged."""

RENEWING = 10_000_000
"""The first seed of histories over months, of credentials that expire and get successors."""

ROTATING = 20_000_000
"""The first seed of histories over months, of credentials that are rotated."""

_MAKERS = ((ROTATING, RotatingMaker), (RENEWING, RenewingMaker), (ADOPTING, AdoptingMaker), (0, Maker))


def make_history(seed: int) -> list[Step]:
    """Generate a history of about three to twelve steps."""
    maker = next(maker for first, maker in _MAKERS if seed >= first)
    return list(maker(Random(seed)).history())  # noqa: S311 - not for secrets
