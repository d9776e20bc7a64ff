"""The waivers of findings, which specs declare with a reason and an end; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import CredentialDifference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from iamcreds.desired import DesiredCredential, DesiredUser, Waiver
    from iamcreds.drift.rules.difference import Difference


@dataclass(frozen=True)
class WaivedDifference:
    """A difference that counts for nothing until the end of its waiver."""

    difference: Difference
    waiver: Waiver

    def describe(self) -> str:
        """Describe the waiver: `waived until 2027-01-31: the vendor supports no rotation`."""
        return f"waived until {self.waiver.until:%Y-%m-%d}: {self.waiver.reason}"


def find_waiver(difference: Difference, users: Mapping[str, DesiredUser], at: datetime) -> Waiver | None:
    """Return the waiver of a difference at a time, None without one.

    If only the state shows which of several declared credentials it is about, each of them must have a waiver, and the
    one that ends first applies.

    Args:
        difference: the difference.
        users: the declared users by name.
        at: the current time.
    """
    user = users.get(difference.user)
    declared = difference.desired if isinstance(difference, CredentialDifference) else ()
    waivers = [find_waiver_of(difference.rule, user, each, at) for each in declared or (None,)]
    valid = [waiver for waiver in waivers if waiver is not None]
    return min(valid, key=lambda waiver: waiver.until) if len(valid) == len(waivers) else None


def find_waiver_of(
    rule: str, user: DesiredUser | None, credential: DesiredCredential | None, at: datetime
) -> Waiver | None:
    """Return the waiver of a rule for a user and, if not None, one declared credential; the one that ends last."""
    declared = [*(() if user is None else user.waive), *(() if credential is None else credential.waive)]
    return _find_last(rule, declared, at)


def _find_last(rule: str, waivers: Iterable[Waiver], at: datetime) -> Waiver | None:
    valid = (waiver for waiver in waivers if waiver.rule == rule and at < waiver.until)
    return max(valid, key=lambda waiver: waiver.until, default=None)
