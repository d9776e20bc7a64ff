"""The comparison of the declared and the existing credentials of one user and service; pure.

Only the state maps ids to declared credentials. Without it, a declared credential with `adopt` matches the credential
with that id. The others are matched by number and status, and a difference has an id only if it is the same in every
possible match. An expired credential is not matched if enough others exist. The dates of two existing credentials may
show that one is the previous one of a credential with `renewBefore`; it is not compared. For one with `rotate`, dates
show nothing: either of two may be current, and neither is unmanaged for certain.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iamcreds.drift.rules.changed import Deactivated, StatusDiffers
from iamcreds.drift.rules.expiring import ExpiryFacts
from iamcreds.drift.rules.expiry import check_expiry
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.undeclared import UnmanagedCredential
from iamcreds.due_dates import find_renewal_date
from iamcreds.model import Status
from iamcreds.services import MAX_PER_SERVICE
from iamcreds.slots import PreviousCredential, find_previous

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from iamcreds.desired import DesiredCredential, DesiredUser
    from iamcreds.drift.rules.difference import CredentialDifference
    from iamcreds.model import Credential, SourceLocation

_OTHER = {Status.ACTIVE: Status.INACTIVE, Status.INACTIVE: Status.ACTIVE}


@dataclass(frozen=True)
class Pair:
    """The declared and the existing credentials of one user and service.

    Attributes:
        user: the declared user.
        service: the full name of the service.
        declared: the declared credentials, which may be none.
        existing: the existing credentials, sorted, which may be none.
        recent: the ids of credentials that an update may be creating.
        specs: the file or folder of the specs.
        previous: the existing credential whose successor is in `existing`, None without one.
    """

    user: DesiredUser
    service: str
    declared: tuple[DesiredCredential, ...]
    existing: tuple[Credential, ...]
    recent: frozenset[str] = frozenset()
    specs: str = "specs"
    previous: PreviousCredential | None = None

    @property
    def has_slots(self) -> bool:
        """True if the only declared credential rotates, and at least one of its two slots exists."""
        return len(self.declared) == 1 and self.declared[0].rotate is not None and bool(self.existing)

    @property
    def location(self) -> SourceLocation:
        """The source location of the only declared credential, otherwise of the user."""
        return self.declared[0].location if len(self.declared) == 1 else self.user.location


def split_previous(pair: Pair) -> Pair:
    """Return the pair without the previous one of two existing credentials, as far as their dates show it."""
    for desired in pair.declared:
        older = find_previous(desired, pair.existing)
        if older is not None:
            existing = tuple(each for each in pair.existing if each != older)
            return replace(pair, existing=existing, previous=PreviousCredential(older, desired))
    return pair


def compare_credentials(pair: Pair, at: datetime, soon: timedelta) -> Iterator[CredentialDifference]:
    """Yield the differences of the pair at a time; an expiry within `soon` after it is a finding."""
    if pair.has_slots:
        yield from _compare_slots(pair, at, soon)
        return
    adopted, rest = split_adopted(pair)
    yield from _compare_numbers(rest, pair)
    for part in [*adopted, rest]:
        if part.declared:
            yield from _compare_statuses(part)
    by_id = {part.existing[0].id: part for part in adopted}
    for existing in pair.existing if pair.declared else ():
        yield from check_expiry(_find_expiry(existing, by_id.get(existing.id, pair), pair, at, soon))


def _compare_slots(pair: Pair, at: datetime, soon: timedelta) -> Iterator[CredentialDifference]:
    """Yield the differences that are certain for a declared credential that rotates, and for its one or two slots.

    One of two is expected to be Inactive or expired. The newer one has the later expiry, because a rotation replaces a
    credential that expires.
    """
    yield from _compare_statuses(pair)
    yield from check_expiry(_find_expiry(find_newest(pair), pair, pair, at, soon))


def find_newest(pair: Pair) -> Credential:
    """Return the existing credential that was created last."""
    return max(pair.existing, key=lambda existing: (existing.created, existing.id))


def _find_expiry(existing: Credential, part: Pair, whole: Pair, at: datetime, soon: timedelta) -> ExpiryFacts:
    """Return the facts about an expiry; `part` has the declared credentials that may match the existing one."""
    declared = sum(each.number for each in whole.declared)
    return ExpiryFacts(
        existing=existing,
        desired=part.declared,
        location=part.location,
        at=at,
        soon=soon,
        is_quota_used=max(declared, len(whole.existing)) >= MAX_PER_SERVICE,
        previous=None if whole.previous is None else whole.previous.credential,
        is_ambiguous=len(part.existing) > len(part.declared),
    )


def split_adopted(pair: Pair) -> tuple[list[Pair], Pair]:
    """Return a pair for each declared credential whose `adopt` matches an existing one, and a pair of all others.

    The latter excludes expired credentials that are not needed for a match, because their expiry is a finding already.
    """
    by_id = {existing.id: existing for existing in pair.existing}
    named = {each: by_id[each.adopt] for each in pair.declared if each.adopt in by_id}
    adopted = [replace(pair, declared=(desired,), existing=(existing,)) for desired, existing in named.items()]
    declared = tuple(each for each in pair.declared if each not in named)
    existing = tuple(existing for existing in pair.existing if existing not in named.values())
    valid = tuple(each for each in existing if each.status is not Status.EXPIRED)
    is_enough = bool(pair.declared) and len(valid) >= len(declared)
    return adopted, replace(pair, declared=declared, existing=valid if is_enough else existing)


def _compare_numbers(pair: Pair, whole: Pair) -> Iterator[MissingCredential | UnmanagedCredential]:
    """Yield missing and unmanaged credentials; `whole` is the pair with those matched by `adopt`."""
    user, service, declared, existing = pair.user.name, pair.service, pair.declared, pair.existing
    if not declared:
        for credential in existing:
            yield UnmanagedCredential(
                user=user,
                service=service,
                location=pair.location,
                desired=whole.declared,
                existing=(credential,),
                is_recent=credential.id in pair.recent,
                blocks_renewal=_has_renewal(whole),
                renewal_due=_find_renewal_date(whole),
            )
    elif not existing:
        for desired in declared:
            yield MissingCredential(
                user=user, service=service, location=desired.location, desired=(desired,), existing=()
            )
    elif len(existing) < len(declared):
        # Exactly one is missing, because IAM and the specs allow two.
        yield MissingCredential(
            user=user, service=service, location=pair.location, desired=declared, existing=existing, specs=pair.specs
        )
    elif len(existing) > len(declared):
        yield UnmanagedCredential(
            user=user,
            service=service,
            location=pair.location,
            desired=declared,
            existing=existing,
            number=len(existing) - len(declared),
            specs=pair.specs,
            blocks_renewal=_has_renewal(pair),
        )


def _has_renewal(pair: Pair) -> bool:
    return any(each.renew_before_hours is not None for each in pair.declared)


def _find_renewal_date(pair: Pair) -> datetime | None:
    """Return the renewal date of a credential with `adopt`, None if the specs have no id or no renewal."""
    expiries = {existing.id: existing.expires for existing in pair.existing}
    dates = (find_renewal_date(each, expiries.get(each.adopt or "")) for each in pair.declared)
    return next((date for date in dates if date is not None), None)


def _compare_statuses(pair: Pair) -> Iterator[StatusDiffers | Deactivated]:
    """Yield the different statuses and the deactivations of the match with the fewest of them."""
    want: Counter[Status] = Counter(each.status for each in pair.declared if each.status is not None)
    have: Counter[Status] = Counter(
        existing.status for existing in pair.existing if existing.status is not Status.EXPIRED
    )
    expired = len(pair.existing) - have.total()
    met = want & have
    short, spare = want - met, have - met
    either = len(pair.declared) - want.total()  # without a status: Active is as created, and Inactive is a deactivation
    left = min(either, spare.total())
    # An expired credential may match any declared one.
    matched = met.total() + left + min(expired, short.total() + either - left)
    differ = min(len(pair.declared), len(pair.existing)) - matched
    for status in sorted(short) if differ else ():
        yield from _differing(pair, status, differ)
    off = min(max(0, either - spare[Status.ACTIVE] - expired), spare[Status.INACTIVE])
    if off:
        yield from _find_deactivated(pair, off)


def _differing(pair: Pair, status: Status, number: int) -> Iterator[StatusDiffers]:
    """Yield `number` differences between existing credentials and a declared status."""
    desired = tuple(each for each in pair.declared if each.status is status)
    location = min(each.location for each in desired)
    for existing, count in _candidates(pair, _OTHER[status], number):
        yield StatusDiffers(
            user=pair.user.name, service=pair.service, location=location, desired=desired, existing=existing,
            number=count, status=status,
        )  # fmt: skip


def _find_deactivated(pair: Pair, number: int) -> Iterator[Deactivated]:
    for existing, count in _candidates(pair, Status.INACTIVE, number):
        yield Deactivated(
            user=pair.user.name,
            service=pair.service,
            location=pair.location,
            desired=pair.declared,
            existing=existing,
            number=count,
            may_be_previous=pair.has_slots and len(pair.existing) == 1,
            specs=pair.specs,
        )


def _candidates(pair: Pair, status: Status, number: int) -> Iterator[tuple[tuple[Credential, ...], int]]:
    """Yield each credential with the status if there are `number`, otherwise all of them as one item."""
    candidates = tuple(credential for credential in pair.existing if credential.status is status)
    if number == len(candidates):
        yield from (((credential,), 1) for credential in candidates)
    else:
        yield candidates, number
