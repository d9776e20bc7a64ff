"""The waivers of findings, which specs declare with a reason and an end; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from iamcreds.drift.rules.delivery import LeftoverSecret, NotPickedUp
from iamcreds.drift.rules.difference import CredentialDifference
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredCredential, DesiredUser, Waiver
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.drift.rules.difference import Difference
    from iamcreds.drift.selection import Selection

_Finding = TypeVar("_Finding", bound="Difference")

_OF_STORES = frozenset({LeftoverSecret.rule, NotPickedUp.rule})
"""The rules that need the lists of the secret stores."""


@dataclass(frozen=True)
class WaivedDifference:
    """A difference that counts for nothing until the end of its waiver."""

    difference: Difference
    waiver: Waiver

    def format_sentence(self) -> str:
        """Return the sentence with its waiver: `jane: … [access-key-idle], waived until 2027-01-31 (…): …`."""
        return f"{self.difference.format_sentence()}, {escape_invisible(describe_waiver(self.waiver))}"


def describe_waiver(waiver: Waiver) -> str:
    """Describe a waiver: `waived until 2027-01-31 (specs/jane.yaml:7:13): the vendor supports no rotation`."""
    return f"waived until {waiver.until:%Y-%m-%d} ({waiver.location}): {waiver.reason}"


def split_waived(
    chosen: Desired, differences: Sequence[Difference], at: datetime
) -> tuple[tuple[Difference, ...], tuple[WaivedDifference, ...]]:
    """Return the differences that count at a time, and those that the selected specs waive."""
    users = {user.name: user for user in chosen.users}
    pairs = [(difference, find_waiver(difference, users, at)) for difference in differences]
    return (
        tuple(difference for difference, waiver in pairs if waiver is None),
        tuple(WaivedDifference(difference, waiver) for difference, waiver in pairs if waiver is not None),
    )


def find_waiver(difference: Difference, users: Mapping[str, DesiredUser], at: datetime) -> Waiver | None:
    """Return the waiver of a difference at a time, None without one.

    If it may be about any of several declared credentials, each of them must have a waiver. The one that ends first
    applies.

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
    return find_valid(rule, list_waivers(user, credential), at)


def list_waivers(user: DesiredUser | None, credential: DesiredCredential | None) -> tuple[Waiver, ...]:
    """Return the waivers that apply to a user and, if not None, to one declared credential."""
    return (*(() if user is None else user.waive), *(() if credential is None else credential.waive))


def find_valid(rule: str, waivers: Iterable[Waiver], at: datetime) -> Waiver | None:
    """Return the waiver of a rule that ends last, None without one at this time."""
    valid = (waiver for waiver in waivers if waiver.rule == rule and at < waiver.until)
    return max(valid, key=lambda waiver: waiver.until, default=None)


def find_ended(rule: str, waivers: Iterable[Waiver], at: datetime) -> Waiver | None:
    """Return the waiver of a rule that ended last, None without one."""
    ended = (waiver for waiver in waivers if waiver.rule == rule and waiver.until <= at)
    return max(ended, key=lambda waiver: waiver.until, default=None)


def split_by_user(
    findings: Sequence[_Finding], waivers: Mapping[str, Sequence[Waiver]], at: datetime
) -> tuple[list[_Finding], list[WaivedDifference]]:
    """Return the findings that count at a time, and those that the waivers of their user waive."""
    found = [(finding, find_valid(finding.rule, waivers.get(finding.user, ()), at)) for finding in findings]
    waived = [WaivedDifference(finding, waiver) for finding, waiver in found if waiver is not None]
    return [finding for finding, waiver in found if waiver is None], waived


def describe_end(rule: str, waivers: Iterable[Waiver], at: datetime) -> str:
    """Return the end of the waiver of a rule that ended last, in parentheses; empty without one."""
    ended = find_ended(rule, waivers, at)
    return "" if ended is None else f" (waived until {ended.until:%Y-%m-%d})"


def list_ended(chosen: Desired, counted: Iterable[Difference], at: datetime) -> tuple[Waiver, ...]:
    """Return the waivers whose findings count again, by source location."""
    users = {user.name: user for user in chosen.users}
    ended: set[Waiver] = set()
    for difference in counted:
        declared = difference.desired if isinstance(difference, CredentialDifference) else ()
        for credential in declared or (None,):
            waiver = find_ended(difference.rule, list_waivers(users.get(difference.user), credential), at)
            ended |= set() if waiver is None else {waiver}
    return tuple(sorted(ended, key=lambda waiver: waiver.location))


def list_unused(
    chosen: Desired, differences: Iterable[Difference], selection: Selection, state: RecordedState | None
) -> tuple[Waiver, ...]:
    """Return the waivers that no difference matches, by source location; none without the state.

    Only with the state, every rule is checked, and each difference is about one credential. A selection of services may
    exclude the findings of a user's waivers, and without the secret stores, their rules are not checked.
    """
    if state is None:
        return ()
    matching: dict[tuple[str, str], list[Difference]] = defaultdict(list)
    for difference in differences:
        matching[difference.user, difference.rule].append(difference)
    unused = (
        waiver
        for user in chosen.users
        for credential, waiver in _list_declared(user, has_users=not selection.services)
        if not any(_concerns(each, credential) for each in matching[user.name, waiver.rule])
    )
    has_stores = state.secrets is not None and not state.secrets.notes
    checked = (waiver for waiver in unused if has_stores or waiver.rule not in _OF_STORES)
    return tuple(sorted(checked, key=lambda waiver: waiver.location))


def _list_declared(user: DesiredUser, *, has_users: bool) -> Iterator[tuple[DesiredCredential | None, Waiver]]:
    """Yield the waivers of a user, if requested, with None, and those of its credentials, each with its credential."""
    if has_users:
        yield from ((None, waiver) for waiver in user.waive)
    for credential in user.credentials:
        yield from ((credential, waiver) for waiver in credential.waive)


def _concerns(difference: Difference, credential: DesiredCredential | None) -> bool:
    """Return True if a difference of a user may be about a credential; None stands for the whole user."""
    if credential is None or not isinstance(difference, CredentialDifference):
        return True
    names = {each.declared_name for each in difference.desired}
    return credential.declared_name in names
