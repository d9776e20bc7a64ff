"""Access keys x policy -> findings; pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.drift.differences import AccessKeyIdle, AccessKeyTooOld, MissingWatchedUser, TooManyAccessKeys
from iamcreds.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from iamcreds.drift.differences import AccessKeyFinding
    from iamcreds.model import AccessKey, AccessKeyPolicy, ReportedKey, ReportedUser


def check_access_keys(
    user: str, policy: AccessKeyPolicy, keys: Sequence[AccessKey] | None, now: datetime
) -> Iterator[AccessKeyFinding | MissingWatchedUser]:
    """What the user's access keys break of the policy at `now`; `keys` is None of a user who does not exist.

    `max` counts every key, as IAM's own quota does. Age and idleness are asked of active keys alone: an inactive one
    opens nothing, however old.
    """
    if keys is None:
        yield MissingWatchedUser(user=user)
        return
    if policy.max is not None and len(keys) > policy.max:
        yield TooManyAccessKeys(user=user, limit=policy.max, live=tuple(keys))
    for key in keys:
        if key.status is Status.ACTIVE:
            yield from _check_ages(policy, key, now)


def _check_ages(policy: AccessKeyPolicy, key: AccessKey, now: datetime) -> Iterator[AccessKeyFinding]:
    if policy.max_age_days is not None and _exceeds(policy.max_age_days, now - key.created):
        yield AccessKeyTooOld(user=key.user, limit=policy.max_age_days, live=(key,))
    if policy.max_idle_days is not None and _exceeds(policy.max_idle_days, now - (key.last_used or key.created)):
        yield AccessKeyIdle(user=key.user, limit=policy.max_idle_days, live=(key,))


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
