"""Rules about access keys that violate their user's policy, and the check that applies them; pure.

States contain the sentences (output `findings` of `AccessKeys`), so they contain no value that changes daily.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from iamcreds.drift.rules.difference import Difference, Kind, Values, Words, list_existing
from iamcreds.drift.rules.missing import MissingWatchedUser
from iamcreds.model import Status
from iamcreds.text.commands import delete_access_key
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from iamcreds.desired import AccessKeyPolicy
    from iamcreds.model import AccessKey, ReportedKey, ReportedUser


@dataclass(frozen=True, kw_only=True)
class AccessKeyFinding(Difference):
    """Access keys exceed a limit of their user's policy.

    Attributes:
        field: the limit's name in the specs.
        limit: the limit: a number of keys or of days.
        existing: the keys that exceed it, oldest first.
    """

    kind = Kind.FINDING
    field: ClassVar[str]
    limit: int
    existing: tuple[AccessKey, ...]

    @property
    def id(self) -> str:
        """The id of the key."""
        return self.existing[0].id

    @property
    def next(self) -> str:
        """The next step: delete the oldest key if it is not needed."""
        return f"if the key is no longer needed: {delete_access_key(self.user, self.existing[0].id)}"

    def values(self) -> Values:
        """Return the limit and the keys."""
        return Values(1, {self.field: self.limit}, self.existing)


@dataclass(frozen=True, kw_only=True)
class TooManyAccessKeys(AccessKeyFinding):
    """The user has more than `limit` access keys: those in `existing`."""

    rule = "too-many-access-keys"
    meaning = "a user has more access keys than max, including inactive ones"
    seriousness = 30
    field = "max"

    @property
    def id(self) -> str:
        """Empty, because the difference is about several keys."""
        return ""

    def describe(self) -> Words:
        """Report all keys."""
        ids, most = ", ".join(key.id for key in self.existing), f"at most {self.limit}"
        message = f"has {format_count(len(self.existing), 'access key')} ({ids}), but the policy allows {most}"
        return Words(message, self.next, most, list_existing(self.existing))

    def values(self) -> Values:
        """Return the number of keys above the limit, the limit and all keys."""
        return super().values()._replace(number=len(self.existing) - self.limit)


@dataclass(frozen=True, kw_only=True)
class AccessKeyTooOld(AccessKeyFinding):
    """The only key in `existing` is older than `limit` days."""

    rule = "access-key-too-old"
    meaning = "an active access key is older than maxAgeDays"
    seriousness = 31
    field = "maxAgeDays"

    def describe(self) -> Words:
        """Report the limit and the creation date."""
        days, created = _format_days(self.limit), f"created on {self.existing[0].created:%Y-%m-%d}"
        message = f"access key {self.id} is older than {days}: {created}"
        return Words(message, self.next, f"at most {days} old", created)


@dataclass(frozen=True, kw_only=True)
class AccessKeyIdle(AccessKeyFinding):
    """The only key in `existing` has not been used for more than `limit` days."""

    rule = "access-key-idle"
    meaning = "an active access key has not been used for longer than maxIdleDays"
    seriousness = 32
    field = "maxIdleDays"

    def describe(self) -> Words:
        """Report the limit and the date of the last use."""
        (key,), days = self.existing, _format_days(self.limit)
        since = (
            f"last used on {key.last_used:%Y-%m-%d}"
            if key.last_used
            else f"never used, created on {key.created:%Y-%m-%d}"
        )
        message = f"access key {key.id} has not been used for {days}: {since}"
        return Words(message, self.next, f"used within {days}", since)


def check_access_keys(
    user: str,
    policy: AccessKeyPolicy,
    keys: Sequence[AccessKey] | None,
    now: datetime,
    case_variant: str | None = None,
) -> Iterator[AccessKeyFinding | MissingWatchedUser]:
    """Yield the violations of a user's access key policy.

    `max` counts all keys, like IAM's quota. The limits of age and idleness apply to active keys only, because an
    inactive key gives no access.

    Args:
        user: the user name.
        policy: the policy.
        keys: the user's access keys, or None if the user does not exist.
        now: the current time.
        case_variant: the existing user whose name differs only by case from that of a missing user.
    """
    if keys is None:
        yield MissingWatchedUser(user=user, case_variant=case_variant)
        return
    if policy.max is not None and len(keys) > policy.max:
        yield TooManyAccessKeys(user=user, limit=policy.max, existing=tuple(keys))
    for key in keys:
        if key.status is Status.ACTIVE:
            yield from _check_ages(policy, key, now)


def _check_ages(policy: AccessKeyPolicy, key: AccessKey, now: datetime) -> Iterator[AccessKeyFinding]:
    if policy.max_age_days is not None and _exceeds(policy.max_age_days, now - key.created):
        yield AccessKeyTooOld(user=key.user, limit=policy.max_age_days, existing=(key,))
    if policy.max_idle_days is not None and _exceeds(policy.max_idle_days, now - (key.last_used or key.created)):
        yield AccessKeyIdle(user=key.user, limit=policy.max_idle_days, existing=(key,))


def needs_closer_look(policy: AccessKeyPolicy, reported: ReportedUser, now: datetime) -> bool:
    """Return True if the user may have a finding at `now`, according to the credential report.

    Ages are computed for `now`, so a key that became too old after the report is included. The report does not contain
    later creations, activations and uses. It dates keys by "created or last changed", so a changed key may be older.
    """
    if policy.max is not None and len(reported.keys) > policy.max:
        return True
    return any(key.active and _may_exceed(policy, key, reported, now) for key in reported.keys)


def _may_exceed(policy: AccessKeyPolicy, key: ReportedKey, user: ReportedUser, now: datetime) -> bool:
    # No report without this date is known. A key without one may be as old as its user.
    changed = key.changed or user.created
    created = min(changed, key.last_used or changed)  # a key used before its last change is older than the change
    return _exceeds(policy.max_age_days, now - created) or _exceeds(
        policy.max_idle_days, now - (key.last_used or created)
    )


def _exceeds(days: int | None, age: timedelta) -> bool:
    return days is not None and age > timedelta(days=days)


def _format_days(number: int) -> str:
    """Return a number of days without a thousands separator, as in existing states."""
    return "1 day" if number == 1 else f"{number} days"
