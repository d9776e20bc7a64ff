"""Matching of declared credentials without an id to existing credentials; pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.services import service_alias
from iamcreds.slots import find_previous

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.desired import Desired, DesiredCredential
    from iamcreds.model import Credential

_NUMBERED = re.compile(r"\+\d+-at-\d{12}$")
"""The suffix of the login of a second credential for a service (from AWS responses that another project recorded)."""


@dataclass(frozen=True)
class Match:
    """A declared credential and the matching existing credential."""

    desired: DesiredCredential
    credential: Credential


@dataclass(frozen=True)
class Undecided:
    """A declared credential without a certain match, its candidates, and the reason."""

    desired: DesiredCredential
    reason: str
    candidates: tuple[Credential, ...]


def find_matches(desired: Desired, existing: Iterable[Credential]) -> Iterator[Match | Undecided]:
    """Match declared and existing credentials of each user and service, except those whose `adopt` exists.

    One declared credential matches one existing credential. If there are two of each, the declared credential with the
    service's short name matches the older one, as in the output of `iamcreds dump`. Logins and declared statuses must
    agree, and so must a declared expiry. Expired credentials never match. With `renewBefore`, the declared credential
    matches the newer one of two if their dates show that it is the successor.
    """
    credentials = {credential.id: credential for credential in existing}
    every = [each for user in desired.users for each in user.credentials]
    adopted = {each.adopt for each in every}
    candidates: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    for credential in credentials.values():
        if credential.id not in adopted and credential.status is not Status.EXPIRED:
            candidates[credential.user, credential.service].append(credential)
    unmatched: dict[tuple[str, str], list[DesiredCredential]] = defaultdict(list)
    for declared in every:
        if declared.adopt not in credentials:
            unmatched[declared.user, declared.service].append(declared)
    shared = {location for location, number in Counter(each.location for each in every).items() if number > 1}
    for group, group_declared in unmatched.items():
        if by_age := sorted(candidates[group], key=lambda credential: (credential.created, credential.id)):
            for each in _match_group(group_declared, by_age):
                if isinstance(each, Match) and each.desired.location in shared:
                    reason = "several credentials share these lines through an anchor"
                    yield Undecided(each.desired, reason, (each.credential,))
                else:
                    yield each


def _match_group(declared: Sequence[DesiredCredential], by_age: Sequence[Credential]) -> Iterator[Match | Undecided]:
    """Match the credentials of one user and service; the existing ones are sorted, oldest first."""
    if any(find_previous(each, by_age) for each in declared):
        by_age = by_age[1:]
    pairs = [*zip(declared, by_age, strict=False)] if len(declared) == len(by_age) == 1 else _pair_two(declared, by_age)
    if any(each.adopt is not None for each in declared):
        reason = "an id in `adopt` does not exist, so the declared credential may be any of these"
    elif pairs:
        yield from (_match_pair(desired, credential) for desired, credential in pairs)
        return
    elif len(declared) == len(by_age):
        reason = "names, statuses, logins and dates do not show which credential is which"
    else:
        reason = f"{len(declared)} declared and {len(by_age)} existing credentials"
    yield from (Undecided(each, reason, tuple(by_age)) for each in declared)


def _match_pair(desired: DesiredCredential, credential: Credential) -> Match | Undecided:
    """Return the match, unless the declared expiry would reject the import."""
    if desired.expire_after_days in (None, credential.lifetime_days):
        return Match(desired, credential)
    return Undecided(desired, "its expiry differs from the declared one, so it cannot be imported", (credential,))


def _pair_two(
    declared: Sequence[DesiredCredential], by_age: Sequence[Credential]
) -> list[tuple[DesiredCredential, Credential]]:
    """Return the pairs of two declared and two existing credentials, empty if they are ambiguous."""
    first = [each for each in declared if each.name == service_alias(each.service)]
    if not first or not len(declared) == len(by_age) == 2:  # noqa: PLR2004 - IAM allows two
        return []
    (second,) = (each for each in declared if each is not first[0])
    older, younger = by_age
    is_ambiguous = older.created == younger.created or (
        _NUMBERED.search(older.login) is not None and _NUMBERED.search(younger.login) is None
    )
    pairs = [(first[0], older), (second, younger)]
    differs = any(desired.status not in (None, credential.status) for desired, credential in pairs)
    return [] if is_ambiguous or differs else pairs
