"""Matching of declared credentials without an id to existing credentials; pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.model import Credential, Desired, DesiredCredential

_NUMBERED = re.compile(r"\+\d+-at-\d{12}$")
"""The suffix of the login of a second credential for a service (from AWS responses that another project recorded)."""


@dataclass(frozen=True)
class Match:
    """A declared credential and the matching existing credential."""

    wanted: DesiredCredential
    credential: Credential


@dataclass(frozen=True)
class Undecided:
    """A declared credential without a certain match, its candidates, and the reason."""

    wanted: DesiredCredential
    reason: str
    candidates: tuple[Credential, ...]


def find_matches(desired: Desired, existing: Iterable[Credential]) -> Iterator[Match | Undecided]:
    """Match declared and existing credentials of each user and service, except those whose `adopt` exists.

    One declared credential matches one existing credential. If there are two of each, the declared credential with the
    service's short name matches the older one, as in the output of `iamcreds dump`. Logins and declared statuses must
    agree. Expired credentials never match.
    """
    credentials = {credential.id: credential for credential in existing}
    every = [wanted for user in desired.users for wanted in user.credentials]
    adopted = {wanted.adopt for wanted in every}
    candidates: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    for credential in credentials.values():
        if credential.id not in adopted and credential.status is not Status.EXPIRED:
            candidates[credential.user, credential.service].append(credential)
    unmatched: dict[tuple[str, str], list[DesiredCredential]] = defaultdict(list)
    for wanted in every:
        if wanted.adopt not in credentials:
            unmatched[wanted.user, wanted.service].append(wanted)
    shared = {place for place, number in Counter(wanted.place for wanted in every).items() if number > 1}
    for group, declared in unmatched.items():
        if by_age := sorted(candidates[group], key=lambda credential: (credential.created, credential.id)):
            for each in _match_group(declared, by_age):
                if isinstance(each, Match) and each.wanted.place in shared:
                    reason = "several credentials share these lines through an anchor"
                    yield Undecided(each.wanted, reason, (each.credential,))
                else:
                    yield each


def _match_group(declared: Sequence[DesiredCredential], by_age: Sequence[Credential]) -> Iterator[Match | Undecided]:
    """Match the credentials of one user and service; the existing ones are sorted, oldest first."""
    pairs = [*zip(declared, by_age, strict=False)] if len(declared) == len(by_age) == 1 else _pair_two(declared, by_age)
    if any(wanted.adopt is not None for wanted in declared):
        reason = "an id in `adopt` does not exist, so its credential may be any of these"
    elif pairs:
        yield from (Match(wanted, credential) for wanted, credential in pairs)
        return
    elif len(declared) == len(by_age):
        reason = "names, statuses, logins and dates do not show which credential is which"
    else:
        reason = f"{len(declared)} declared and {len(by_age)} existing credentials"
    yield from (Undecided(wanted, reason, tuple(by_age)) for wanted in declared)


def _pair_two(
    declared: Sequence[DesiredCredential], by_age: Sequence[Credential]
) -> list[tuple[DesiredCredential, Credential]]:
    """Return the pairs of two declared and two existing credentials, empty if they are ambiguous."""
    first = [wanted for wanted in declared if wanted.name == service_alias(wanted.service)]
    if not first or not len(declared) == len(by_age) == 2:  # noqa: PLR2004 - IAM allows two
        return []
    (second,) = (wanted for wanted in declared if wanted is not first[0])
    older, younger = by_age
    is_ambiguous = older.created == younger.created or (
        _NUMBERED.search(older.login) is not None and _NUMBERED.search(younger.login) is None
    )
    pairs = [(first[0], older), (second, younger)]
    differs = any(wanted.status not in (None, credential.status) for wanted, credential in pairs)
    return [] if is_ambiguous or differs else pairs
