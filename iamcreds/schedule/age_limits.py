"""The dates from which credentials and access keys violate an age limit of their user's policy; pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.drift.waivers import find_waiver_of
from iamcreds.due_dates import add_time

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.desired import DesiredCredential, DesiredUser


def find_violation(
    rule: str, since: datetime, days: int, user: DesiredUser, credential: DesiredCredential | None = None
) -> datetime:
    """Return the time from which a limit of days is violated, or the end of the waiver of the rule at that time."""
    limit = add_time(since, timedelta(days=days))
    waiver = find_waiver_of(rule, user, credential, limit)
    return limit if waiver is None else waiver.until
