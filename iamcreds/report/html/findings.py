"""The order of what was found, the most serious first; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iamcreds.drift.differences import Difference

SERIOUSNESS = (
    # somebody has an access that is not meant
    "reset-pending",
    "undeclared-user",
    "unmanaged-credential",
    "status-differs",
    "no-longer-declared",
    # somebody lacks one that is meant, or will
    "missing-user",
    "missing-credential",
    "expired",
    "expiring-soon",
    # a policy is broken
    "too-many-access-keys",
    "access-key-too-old",
    "access-key-idle",
    # somebody did it on purpose
    "switched-off",
)
"""Every rule that a difference can name, the most serious first."""


def sort_by_seriousness(differences: Iterable[Difference]) -> list[Difference]:
    """The most serious first; those of one rule in the order that they had."""
    return sorted(differences, key=lambda difference: SERIOUSNESS.index(difference.rule))
