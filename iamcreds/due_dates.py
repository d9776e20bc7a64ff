"""The dates on which `pulumi up` renews, rotates and retires credentials, derived from specs and credentials; pure."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from iamcreds.model import count_whole_days

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from iamcreds.desired import DesiredCredential, RotationPolicy
    from iamcreds.model import Credential, RecordedCredential

_SPREAD = 0.1
"""The share of `every` by which rotations of credentials that were issued on one day are spread."""

_TOLERANCE = 0.05
"""The share of `every` by which a run may rotate early, so that a schedule with the period `every` misses none."""


def find_renewal_date(desired: DesiredCredential, expires: datetime | None) -> datetime | None:
    """Return the time from which `up` creates the successor of a credential; None without an expiry or a renewal."""
    if desired.renew_before_hours is None or expires is None:
        return None
    return expires - timedelta(hours=desired.renew_before_hours)


def find_renewal(
    desired: DesiredCredential, existing: Credential | None, previous: Credential | None = None
) -> datetime | None:
    """Return the time from which `pulumi up` creates the successor, None if it never does.

    A credential with a lifetime other than the declared one is replaced instead. A previous credential that expires
    before it leaves no quota for the successor until then; `renewBefore` of more than half of `after` has this result.
    """
    if existing is None or not has_lifetime(desired, existing):
        return None
    due = find_renewal_date(desired, existing.expires)
    end = None if previous is None else previous.expires
    if due is None or end is None or existing.expires is None or end >= existing.expires:
        return due
    return max(due, end)


def find_overdue_renewal(
    desired: DesiredCredential, existing: Credential, previous: Credential | None = None
) -> datetime | None:
    """Return the time from which a renewal is overdue, None for never: half of the time from its date to the expiry.

    If a run takes place at least once per half of `renewBefore`, no renewal becomes overdue.
    """
    due = find_renewal(desired, existing, previous)
    return None if due is None or existing.expires is None else due + (existing.expires - due) / 2


def find_successor_date(
    desired: DesiredCredential, existing: Credential, previous: Credential | None = None
) -> datetime | None:
    """Return the time from which `pulumi up` renews or rotates a credential because it expires, None if it never does.

    Without the state, this is the only date of a rotation that is known.
    """
    policy, expires = desired.rotate, existing.expires
    if policy is None:
        return find_renewal(desired, existing, previous)
    if expires is None or (policy.not_before is not None and policy.not_before >= expires):
        return None
    due = expires - timedelta(hours=policy.overlap_hours)
    return due if policy.not_before is None else max(due, policy.not_before)


def has_lifetime(desired: DesiredCredential, existing: Credential) -> bool:
    """Return True if the credential expires after the declared lifetime, from which it may differ by seconds."""
    lifetime = existing.lifetime
    return lifetime is not None and round(lifetime / timedelta(days=1)) == desired.expire_after_days


def find_lifetime(desired: DesiredCredential) -> timedelta | None:
    """Return the declared lifetime, None for no expiry."""
    return None if desired.expire_after_days is None else timedelta(days=desired.expire_after_days)


def find_rotation(desired: DesiredCredential, recorded: RecordedCredential, account: str) -> datetime | None:
    """Return the time from which `pulumi up` rotates the current credential, None if it never does.

    The time depends on the account and the credential's name, so that credentials issued on the same day rotate on
    different days, 5% to 15% of `every` early. A changed trigger or `expire` is due at once. A key that expires is
    rotated at least the overlap before, because a reset in place does not move the expiry.

    Args:
        desired: the credential as specs declare it.
        recorded: the current credential as the state has it.
        account: 12-digit account ID.
    """
    policy = desired.rotate
    if policy is None:
        return None
    dates = list(_list_rotation_dates(desired, policy, recorded, account))
    due = min(dates, default=None)
    return due if due is None or policy.not_before is None else max(due, policy.not_before)


def _list_rotation_dates(
    desired: DesiredCredential, policy: RotationPolicy, recorded: RecordedCredential, account: str
) -> Iterator[datetime]:
    if is_triggered(desired, recorded) or has_other_lifetime(desired, recorded):
        yield find_issue(recorded)
    if policy.every_hours is not None:
        early = _SPREAD * compute_spread(account, desired.declared_name) + _TOLERANCE
        yield add_time(find_issue(recorded), timedelta(hours=policy.every_hours) * (1 - early))
    if recorded.expires is not None:
        yield recorded.expires - timedelta(hours=policy.overlap_hours)


def find_overdue_date(desired: DesiredCredential, recorded: RecordedCredential) -> datetime | None:
    """Return the time from which a rotation by `every` is overdue, None for never.

    If a run takes place at least once per 5% of `every`, no rotation becomes overdue.
    """
    policy = desired.rotate
    if policy is None or policy.every_hours is None:
        return None
    every = timedelta(hours=policy.every_hours)
    expected = add_time(find_issue(recorded), every)
    if policy.not_before is not None:
        expected = max(expected, policy.not_before)
    return add_time(expected, every * _TOLERANCE)


def is_overdue(desired: DesiredCredential, recorded: RecordedCredential, at: datetime) -> bool:
    """Return True if the rotation of the current credential is overdue at that time."""
    overdue = find_overdue_date(desired, recorded)
    return overdue is not None and overdue <= at


def is_triggered(desired: DesiredCredential, recorded: RecordedCredential) -> bool:
    """Return True if the declared trigger differs from the recorded one; its first appearance rotates nothing."""
    return recorded.trigger is not None and desired.trigger not in (None, recorded.trigger)


def find_issue(recorded: RecordedCredential) -> datetime:
    """Return the time of the last create or reset; the creation time if the state does not contain it."""
    return recorded.issued or recorded.created


def find_retirement(
    desired: DesiredCredential, current: RecordedCredential, last_read: date | None = None
) -> datetime | None:
    """Return the time from which `pulumi up` retires the previous credential, None without successors.

    With renewals, this concerns only a previous key without an expiry. With `retireWhen`, the date is the latest
    possible one until a consumer has read the new secret.

    Args:
        desired: the credential as specs declare it.
        current: the current credential as the state has it.
        last_read: the day of the last read of its secret in the store (UTC), None if unknown.
    """
    policy = desired.rotate
    hours = desired.renew_before_hours if policy is None else policy.overlap_hours
    if policy is not None and policy.retire_by_hours is not None and not is_picked_up(current, last_read):
        hours = max(policy.overlap_hours, policy.retire_by_hours)
    return None if hours is None else add_time(find_issue(current), timedelta(hours=hours))


def is_picked_up(current: RecordedCredential, last_read: date | None) -> bool:
    """Return True if a consumer has read the delivered secret.

    The store shows the day of the last read, and a read on the day of the delivery may have been before it.
    """
    return last_read is not None and last_read > find_issue(current).astimezone(UTC).date()


def has_other_lifetime(desired: DesiredCredential, recorded: RecordedCredential) -> bool:
    """Return True if the declared lifetime is neither the recorded nor the actual one."""
    days = desired.expire_after_days
    actual = None if recorded.expires is None else count_whole_days(recorded.expires - recorded.created)
    return days != recorded.age_days and (days is None or days != actual)


def add_time(time: datetime, period: timedelta) -> datetime:
    """Return the sum, or the last possible time in place of an overflow: `notBefore` may be in year 9999."""
    try:
        return time + period
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


@lru_cache(maxsize=1024)  # a schedule needs it for each date of a credential
def compute_spread(account: str, name: str) -> float:
    """Return a number from 0 to less than 1 that is constant for an account and the declared name of a credential."""
    digest = hashlib.sha256(f"{account}/{name}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
