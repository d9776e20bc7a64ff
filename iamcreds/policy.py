"""Access keys x policy -> findings; pure. Wording holds still from day to day, so that a preview does too."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.model import AccessKey, AccessKeyPolicy, Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


def findings(user: str, policy: AccessKeyPolicy, keys: Sequence[AccessKey] | None, now: datetime) -> Iterator[Finding]:
    """What the user's access keys break of the policy at `now`; `keys` is None of a user who does not exist.

    `max` counts every key, as IAM's own quota does. Age and idleness are asked of active keys alone: an inactive one
    opens nothing, however old.
    """
    if keys is None:
        yield Finding(
            user, "", "missing-user", "the account has no such IAM user, so there are no access keys to watch"
        )
        return
    if policy.max is not None and len(keys) > policy.max:
        ids = ", ".join(key.id for key in keys)
        yield Finding(user, "", "max", f"has {len(keys)} access keys ({ids}), and at most {policy.max} may exist")
    for key in keys:
        if key.status is Status.ACTIVE:
            yield from _too_old(policy.max_age_days, key, now)
            yield from _too_idle(policy.max_idle_days, key, now)


def _too_old(days: int | None, key: AccessKey, now: datetime) -> Iterator[Finding]:
    if days is not None and now - key.created > timedelta(days=days):
        message = f"access key {key.id} is older than {_days(days)}: created on {key.created:%Y-%m-%d}"
        yield Finding(key.user, key.id, "maxAgeDays", message)


def _too_idle(days: int | None, key: AccessKey, now: datetime) -> Iterator[Finding]:
    if days is not None and now - (key.last_used or key.created) > timedelta(days=days):
        since = f"last used on {key.last_used:%Y-%m-%d}" if key.last_used else f"never since {key.created:%Y-%m-%d}"
        yield Finding(
            key.user, key.id, "maxIdleDays", f"access key {key.id} has not been used for {_days(days)}: {since}"
        )


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
