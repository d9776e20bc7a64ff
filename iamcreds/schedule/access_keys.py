"""The dates at which access keys begin to violate their user's policy; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.comparing import group_access_keys
from iamcreds.drift.rules.access_key_limits import AccessKeyIdle, AccessKeyTooOld
from iamcreds.model import AccessKey, Status
from iamcreds.schedule.age_limits import find_violation
from iamcreds.schedule.event import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredUser
    from iamcreds.model import Inventory, ReportedKey


def find_key_events(chosen: Desired, inventory: Inventory, until: datetime) -> Iterator[Event]:
    """Yield the violations up to a time, and present ones, of active keys that were read or that the report has.

    The credential report has no ids. It dates a key by its creation or last change, so the key may be older.
    """
    reported = {} if inventory.report is None else {user.name: user.keys for user in inventory.report.users}
    read = group_access_keys(inventory)
    for user in chosen.users:
        keys = read.get(user.name, reported.get(user.name, ())) if user.access_keys is not None else ()
        for key in keys:
            yield from (event for event in _find_violations(user, key) if event.when <= until)


def _find_violations(user: DesiredUser, key: AccessKey | ReportedKey) -> Iterator[Event]:
    policy, created = user.access_keys, key.created if isinstance(key, AccessKey) else key.changed
    if isinstance(key, AccessKey):
        id_, is_active = key.id, key.status is Status.ACTIVE
    else:
        id_, is_active = "", key.active
    if policy is None or not is_active or created is None:
        return
    limits = (
        (AccessKeyTooOld.rule, policy.max_age_days, created),
        (AccessKeyIdle.rule, policy.max_idle_days, key.last_used or created),
    )
    for rule, days, since in limits:
        if days is not None:
            yield Event(
                when=find_violation(rule, since, days, user),
                kind=EventKind.VIOLATE,
                user=user.name,
                id=id_,
                rule=rule,
                location=user.location,
                owner=user.owner,
                limit=days,
            )
