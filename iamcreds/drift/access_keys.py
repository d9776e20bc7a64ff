"""Access keys x policy -> findings; pure. Wording holds still from day to day, so that a preview does too."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.model import AccessKey, AccessKeyPolicy, Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from iamcreds.model import ReportedKey, ReportedUser

RULES = {
    "access-key-idle": "an active access key was not used for longer than maxIdleDays",
    "access-key-too-old": "an active access key is older than maxAgeDays",
    "missing-user": "the account has no such IAM user",
    "too-many-access-keys": "a user has more access keys than max, inactive ones counted",
}
"""Every rule a finding of this module can name, and what breaks it; names are for good."""


def findings(user: str, policy: AccessKeyPolicy, keys: Sequence[AccessKey] | None, now: datetime) -> Iterator[Finding]:
    """What the user's access keys break of the policy at `now`; `keys` is None of a user who does not exist.

    `max` counts every key, as IAM's own quota does. Age and idleness are asked of active keys alone: an inactive one
    opens nothing, however old.
    """
    if keys is None:
        message = "the account has no such IAM user, so there are no access keys to watch"
        yield Finding(user, "", "missing-user", message)
        return
    if policy.max is not None and len(keys) > policy.max:
        yield _too_many(user, policy.max, keys)
    for key in keys:
        if key.status is Status.ACTIVE:
            yield from _too_old(policy.max_age_days, key, now)
            yield from _too_idle(policy.max_idle_days, key, now)


def needs_closer_look(policy: AccessKeyPolicy, reported: ReportedUser, now: datetime) -> bool:
    """Whether the user may have a finding at `now`, as far as the credential report tells.

    Time is the present's, not the report's: a key that became too old since is looked at, and one that was used since
    is looked at in vain. What the report cannot tell: keys made or switched on since, and the true age of a key that
    was changed after its creation, for it dates keys by "created or last changed".
    """
    if policy.max is not None and len(reported.keys) > policy.max:
        return True
    return any(key.active and _may_break(policy, key, reported, now) for key in reported.keys)


def _may_break(policy: AccessKeyPolicy, key: ReportedKey, user: ReportedUser, now: datetime) -> bool:
    # A key without a date would be a surprise: it may be as old as its user.
    changed = key.changed or user.created
    created = min(changed, key.last_used or changed)  # a key that was used before it was changed is older than that
    return _exceeds(policy.max_age_days, now - created) or _exceeds(
        policy.max_idle_days, now - (key.last_used or created)
    )


def _exceeds(days: int | None, age: timedelta) -> bool:
    return days is not None and age > timedelta(days=days)


def _too_many(user: str, most: int, keys: Sequence[AccessKey]) -> Finding:
    ids = ", ".join(key.id for key in keys)
    number = "1 access key" if len(keys) == 1 else f"{len(keys)} access keys"
    return Finding(
        user,
        "",
        "too-many-access-keys",
        f"has {number} ({ids}), and at most {most} may exist",
        desired=f"at most {most}",
        live=", ".join(f"{key.id} {key.status}" for key in keys),
    )


def _too_old(days: int | None, key: AccessKey, now: datetime) -> Iterator[Finding]:
    if days is not None and _exceeds(days, now - key.created):
        created = f"created on {key.created:%Y-%m-%d}"
        yield Finding(
            key.user,
            key.id,
            "access-key-too-old",
            f"access key {key.id} is older than {_days(days)}: {created}",
            desired=f"at most {_days(days)} old",
            live=created,
        )


def _too_idle(days: int | None, key: AccessKey, now: datetime) -> Iterator[Finding]:
    if days is not None and _exceeds(days, now - (key.last_used or key.created)):
        since = f"last used on {key.last_used:%Y-%m-%d}" if key.last_used else f"never since {key.created:%Y-%m-%d}"
        yield Finding(
            key.user,
            key.id,
            "access-key-idle",
            f"access key {key.id} has not been used for {_days(days)}: {since}",
            desired=f"used within {_days(days)}",
            live=since,
        )


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
