"""The two slots of a rotated or renewed credential, which every reader shows under one declared name; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.due_dates import find_lifetime, find_renewal_date, find_retirement
from iamcreds.model import Status
from iamcreds.resource_names import slot_name, split_slot
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential, RecordedCredential

SLOTS = (1, 2)


@dataclass(frozen=True)
class Slots:
    """The recorded credentials of a declared one: the current one, and the previous one until its deletion."""

    current: RecordedCredential | None = None
    previous: RecordedCredential | None = None

    def find_retirement(
        self, desired: DesiredCredential, existing: Mapping[str, Credential], last_read: date | None = None
    ) -> datetime | None:
        """Return the time from which `pulumi up` retires the previous one; None if that is unknown, or if it does not.

        It keeps the previous one while the current one does not work. With renewals, it retires only one that never
        expires.

        Args:
            desired: the declared credential.
            existing: the existing credentials by id.
            last_read: the day of the last read of the current secret in its store (UTC), None if unknown.
        """
        current, previous = self.current, self.previous
        working = None if current is None else existing.get(current.id)
        if current is None or working is None or working.status is not Status.ACTIVE:
            return None
        other = None if previous is None else existing.get(previous.id)
        is_ending = desired.rotate is None and other is not None and other.expires is not None
        return None if is_ending else find_retirement(desired, current, last_read)


@dataclass(frozen=True)
class PreviousCredential:
    """An existing credential whose successor exists, and their declared credential.

    Attributes:
        credential: the existing credential.
        desired: the declared credential.
        retirement: the time from which `pulumi up` retires it; None if that is unknown, or if it does not.
        is_kept: True if `pulumi up` does not retire it, because the current one was deactivated manually.
    """

    credential: Credential
    desired: DesiredCredential
    retirement: datetime | None = None
    is_kept: bool = False

    @property
    def valid_until(self) -> datetime | None:
        """The time until which it works at least; None if it does not work or the time is unknown."""
        if self.credential.status is not Status.ACTIVE:
            return None
        return min(filter(None, (self.retirement, self.credential.expires)), default=None)

    def describe(self) -> str:
        """Describe it: `previous, valid until 2026-12-10`."""
        return describe_previous(self.credential, self.retirement)


def rank_slot(resource: str, rotation: int) -> tuple[int, int]:
    """Return the sort key of the slots of a declared credential: the current slot has the greatest one."""
    return rotation, -split_slot(resource)[1]


def has_successor(credential: DesiredCredential, declared: Iterable[DesiredCredential]) -> bool:
    """Return True if one of the declared resources is the successor of this one, in the other slot."""
    rank = rank_slot(credential.resource_name, credential.rotation or 0)
    slots = (each for each in declared if each.declared_name == credential.declared_name)
    return any(rank_slot(each.resource_name, each.rotation or 0) > rank for each in slots)


def find_slots(by_resource: Mapping[str, RecordedCredential], desired: DesiredCredential) -> Slots:
    """Return the recorded credentials of a declared one, by its declared name or a former one.

    A credential of a different user or service is not the previous one; its name only ends with `~2`.
    """
    names = (desired.declared_name, *desired.former_declared_names)
    candidates = [[by_resource.get(slot_name(name, slot)) for name in names] for slot in SLOTS]
    recorded = [next(filter(None, of_slot), None) for of_slot in candidates]
    slots = [each for each in recorded if each is not None]
    slots.sort(key=lambda each: rank_slot(each.resource, each.rotation), reverse=True)
    return Slots(*slots[:1], *(each for each in slots[1:] if _is_slot_of(each, slots[0], desired)))


def _is_slot_of(previous: RecordedCredential, current: RecordedCredential, desired: DesiredCredential) -> bool:
    """Return True if the user and service are those of the current slot; a rename may have changed only one of both."""
    users = (current.user, desired.user, desired.user_was)
    return previous.user in users and previous.service == current.service


def find_previous(desired: DesiredCredential, existing: Sequence[Credential]) -> Credential | None:
    """Return the older of two credentials if their dates show that the newer one is its successor; otherwise None.

    Only the state has the ids. Without it, both have the declared lifetime, and the successor was created within
    `renewBefore` of the expiry of the older one, or later. A rotation resets the older one as well as the newer one, so
    dates do not show which one is current.
    """
    if len(existing) != MAX_PER_SERVICE:
        return None
    older, newer = sorted(existing, key=lambda credential: (credential.created, credential.id))
    due = find_renewal_date(desired, older.expires)
    has_lifetime = older.lifetime == newer.lifetime == find_lifetime(desired)
    return older if due is not None and has_lifetime and due <= newer.created else None


def describe_previous(credential: Credential, retirement: datetime | None = None) -> str:
    """Describe a previous credential: `previous, valid until 2026-12-10`.

    Args:
        credential: the credential.
        retirement: the time from which `pulumi up` retires it; None if that is unknown, or if it does not.
    """
    end = min(filter(None, (retirement, credential.expires)), default=None)
    if credential.status is Status.INACTIVE and (retirement is not None or end is None):
        return "previous, Inactive"
    if end is None:
        return "previous"
    if credential.status is Status.ACTIVE:
        return f"previous, valid until {end:%Y-%m-%d}"
    if credential.status is Status.EXPIRED:
        return "previous, expired" + (f" on {credential.expires:%Y-%m-%d}" if credential.expires else "")
    return f"previous, Inactive until {end:%Y-%m-%d}"
