"""The existing credentials that declared ones without an id stand for, as far as that is certain; pure."""

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
"""The end of the login of a user's second credential for a service (AWS's answers, recorded by another project)."""


@dataclass(frozen=True)
class Match:
    """A declared credential and the existing one that it stands for."""

    wanted: DesiredCredential
    credential: Credential


@dataclass(frozen=True)
class Undecided:
    """A declared credential that may stand for each of the candidates, and the reason why nothing is decided."""

    wanted: DesiredCredential
    reason: str
    candidates: tuple[Credential, ...]


def find_matches(desired: Desired, existing: Iterable[Credential]) -> Iterator[Match | Undecided]:
    """Match declared and existing credentials of each user and service, except those whose `adopt` exists.

    One declared credential and one existing one are a match. Of two and two, the credential with the service's own name
    is the older one, as `iamcreds dump` writes it; logins and declared statuses must agree. Expired ones never match.
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
        if found := sorted(candidates[group], key=lambda credential: (credential.created, credential.id)):
            for each in _match_group(declared, found):
                if isinstance(each, Match) and each.wanted.place in shared:
                    yield Undecided(each.wanted, "an anchor shares these lines with others", (each.credential,))
                else:
                    yield each


def _match_group(declared: Sequence[DesiredCredential], found: Sequence[Credential]) -> Iterator[Match | Undecided]:
    """Match those of one user and service; `found` is sorted, oldest first."""
    pairs = [*zip(declared, found, strict=False)] if len(declared) == len(found) == 1 else _pair_two(declared, found)
    if any(wanted.adopt is not None for wanted in declared):
        reason = "an id in `adopt` does not exist, so its credential may be any of these"
    elif pairs:
        yield from (Match(wanted, credential) for wanted, credential in pairs)
        return
    elif len(declared) == len(found):
        reason = "names, statuses, logins and dates do not show which credential is which"
    else:
        reason = f"{len(declared)} declared and {len(found)} existing credentials"
    yield from (Undecided(wanted, reason, tuple(found)) for wanted in declared)


def _pair_two(
    declared: Sequence[DesiredCredential], found: Sequence[Credential]
) -> list[tuple[DesiredCredential, Credential]]:
    """Return the pairs of two and two, empty if there is any doubt."""
    first = [wanted for wanted in declared if wanted.name == service_alias(wanted.service)]
    if not first or not len(declared) == len(found) == 2:  # noqa: PLR2004 - IAM allows two
        return []
    (second,) = (wanted for wanted in declared if wanted is not first[0])
    older, younger = found
    is_in_doubt = older.created == younger.created or (
        _NUMBERED.search(older.login) is not None and _NUMBERED.search(younger.login) is None
    )
    pairs = [(first[0], older), (second, younger)]
    differs = any(wanted.status not in (None, credential.status) for wanted, credential in pairs)
    return [] if is_in_doubt or differs else pairs
