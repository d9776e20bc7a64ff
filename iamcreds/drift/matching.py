"""The comparison of the declared and the existing credentials of one user and service; pure.

Only the state maps ids to declared credentials. Without it, a declared credential with `adopt` matches the credential
with that id. The others are matched by number and status, and a difference has an id only if it is the same in every
possible match. An expired credential is not matched if enough others exist.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iamcreds.drift.rules.changed import StatusDiffers, SwitchedOff
from iamcreds.drift.rules.expiry import check_expiry
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.undeclared import UnmanagedCredential
from iamcreds.model import Status
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from iamcreds.drift.rules.difference import CredentialDifference
    from iamcreds.model import Credential, DesiredCredential, DesiredUser, Place

_OTHER = {Status.ACTIVE: Status.INACTIVE, Status.INACTIVE: Status.ACTIVE}


@dataclass(frozen=True)
class Pair:
    """The declared and the existing credentials of one user and service.

    Attributes:
        user: the declared user.
        service: the full name of the service.
        declared: the declared credentials, which may be none.
        live: the existing credentials, sorted, which may be none.
        recent: the ids of credentials that an update may be creating.
        specs: the file or folder of the specs.
    """

    user: DesiredUser
    service: str
    declared: tuple[DesiredCredential, ...]
    live: tuple[Credential, ...]
    recent: frozenset[str] = frozenset()
    specs: str = "specs"

    @property
    def place(self) -> Place:
        """The source location of the only declared credential, otherwise of the user."""
        return self.declared[0].place if len(self.declared) == 1 else self.user.place


def compare_credentials(pair: Pair, at: datetime, soon: timedelta) -> Iterator[CredentialDifference]:
    """Yield the differences of the pair at a time; an expiry within `soon` after it is a finding."""
    adopted, rest = _split(pair)
    yield from _compare_numbers(rest, pair.declared)
    for part in [*adopted, rest]:
        if part.declared:
            yield from _compare_statuses(part)
    by_id = {part.live[0].id: part for part in adopted}
    is_quota_used = max(len(pair.declared), len(pair.live)) >= MAX_PER_SERVICE
    for live in pair.live if pair.declared else ():
        part = by_id.get(live.id, pair)
        yield from check_expiry(live, part.declared, part.place, at, soon, is_quota_used=is_quota_used)


def _split(pair: Pair) -> tuple[list[Pair], Pair]:
    """Return a pair for each declared credential whose `adopt` matches an existing one, and a pair of all others.

    The latter excludes expired credentials that are not needed for a match, because their expiry is a finding already.
    """
    by_id = {live.id: live for live in pair.live}
    named = {wanted: by_id[wanted.adopt] for wanted in pair.declared if wanted.adopt in by_id}
    adopted = [replace(pair, declared=(wanted,), live=(live,)) for wanted, live in named.items()]
    declared = tuple(wanted for wanted in pair.declared if wanted not in named)
    existing = tuple(live for live in pair.live if live not in named.values())
    valid = tuple(live for live in existing if live.status is not Status.EXPIRED)
    is_enough = bool(pair.declared) and len(valid) >= len(declared)
    return adopted, replace(pair, declared=declared, live=valid if is_enough else existing)


def _compare_numbers(
    pair: Pair, every: tuple[DesiredCredential, ...]
) -> Iterator[MissingCredential | UnmanagedCredential]:
    """Yield missing and unmanaged credentials; `every` are all declared ones, including those matched by `adopt`."""
    user, service, declared, live = pair.user.name, pair.service, pair.declared, pair.live
    if not declared:
        for credential in live:
            yield UnmanagedCredential(
                user=user,
                service=service,
                place=pair.place,
                desired=every,
                live=(credential,),
                is_recent=credential.id in pair.recent,
            )
    elif not live:
        for wanted in declared:
            yield MissingCredential(user=user, service=service, place=wanted.place, desired=(wanted,), live=())
    elif len(live) < len(declared):
        # Exactly one is missing, because IAM and the specs allow two.
        yield MissingCredential(
            user=user, service=service, place=pair.place, desired=declared, live=live, specs=pair.specs
        )
    elif len(live) > len(declared):
        yield UnmanagedCredential(
            user=user,
            service=service,
            place=pair.place,
            desired=declared,
            live=live,
            number=len(live) - len(declared),
            specs=pair.specs,
        )


def _compare_statuses(pair: Pair) -> Iterator[StatusDiffers | SwitchedOff]:
    """Yield the different statuses and the deactivations of the match with the fewest of them."""
    want: Counter[Status] = Counter(wanted.status for wanted in pair.declared if wanted.status is not None)
    have: Counter[Status] = Counter(live.status for live in pair.live if live.status is not Status.EXPIRED)
    expired = len(pair.live) - have.total()
    met = want & have
    short, spare = want - met, have - met
    either = len(pair.declared) - want.total()  # without a status: Active is as created, and Inactive is a deactivation
    left = min(either, spare.total())
    # An expired credential may match any declared one.
    matched = met.total() + left + min(expired, short.total() + either - left)
    differ = min(len(pair.declared), len(pair.live)) - matched
    for status in sorted(short) if differ else ():
        yield from _differing(pair, status, differ)
    off = min(max(0, either - spare[Status.ACTIVE] - expired), spare[Status.INACTIVE])
    if off:
        yield from _switched_off(pair, off)


def _differing(pair: Pair, status: Status, number: int) -> Iterator[StatusDiffers]:
    """Yield `number` differences between existing credentials and a declared status."""
    desired = tuple(wanted for wanted in pair.declared if wanted.status is status)
    place = min(wanted.place for wanted in desired)
    for live, count in _candidates(pair, _OTHER[status], number):
        yield StatusDiffers(
            user=pair.user.name, service=pair.service, place=place, desired=desired, live=live, number=count,
            status=status,
        )  # fmt: skip


def _switched_off(pair: Pair, number: int) -> Iterator[SwitchedOff]:
    for live, count in _candidates(pair, Status.INACTIVE, number):
        yield SwitchedOff(
            user=pair.user.name, service=pair.service, place=pair.place, desired=pair.declared, live=live, number=count
        )


def _candidates(pair: Pair, status: Status, number: int) -> Iterator[tuple[tuple[Credential, ...], int]]:
    """Yield each credential with the status if there are `number`, otherwise all of them as one item."""
    candidates = tuple(credential for credential in pair.live if credential.status is status)
    if number == len(candidates):
        yield from (((credential,), 1) for credential in candidates)
    else:
        yield candidates, number
