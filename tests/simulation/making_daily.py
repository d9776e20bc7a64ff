"""A generator of specs that stay the same for a year of daily runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.desired import Retire, RotationPolicy
from tests.simulation.history import SERVICES, Declare, Limit
from tests.simulation.program import Declared
from tests.simulation.world import USERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

_PASSWORDS = ("codecommit.amazonaws.com", "cassandra.amazonaws.com")


def make_specs(random: Random) -> Iterator[Declare | Limit]:
    """Yield declarations that rotate, renew or let credentials expire."""
    yield Limit(0, random.choice((None, None, 1)))
    for user in USERS:
        for service in (*_PASSWORDS, *SERVICES):
            yield Declare(0, _declare(random, user, service))


def _declare(random: Random, user: str, service: str) -> Declared:
    declared = Declared(user, service, service.partition(".")[0])
    if service in _PASSWORDS:
        return replace(declared, rotate=_rotate(random))
    age, before = random.choice((60, 90, 100)), random.choice((None, 7 * 24, 14 * 24, 36))
    if random.random() < 0.4:
        return replace(declared, age_days=random.choice((None, 120)), rotate=_rotate(random))
    return replace(declared, age_days=age, renew_before_hours=before)


def _rotate(random: Random) -> RotationPolicy:
    return RotationPolicy(
        overlap_hours=random.choice((48, 7 * 24, 16 * 24)),
        every_hours=random.choice((20, 30, 45, 90)) * 24,
        retire=random.choice(list(Retire)),
    )
