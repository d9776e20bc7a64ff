"""The rows of the report's table of access keys; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.drift.comparing import group_access_keys, watched_users
from iamcreds.drift.rules.difference import Kind
from iamcreds.due_dates import add_time
from iamcreds.model import AccessKey, Status
from iamcreds.text.formatting import format_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from iamcreds.desired import AccessKeyPolicy
    from iamcreds.drift.comparing import Drift
    from iamcreds.model import ReportedKey
    from iamcreds.report.html.rows import Subject


@dataclass(frozen=True)
class KeyRow:
    """An access key, read by this run (with an id) or from the credential report (without one).

    Attributes:
        user: the name of its user.
        id: its id, or empty.
        status: Active or Inactive.
        created: its creation time; in the credential report, the time of its creation or last change.
        days: its age in days, from `created`.
        last_used: the time of its last use, or None for a key that was never used.
        idle: the days since its last use, or since `created`.
        used_for: service and region of its last use, or empty if unknown.
        policy: the limits of its user's policy, or None without a policy.
        limit: the time at which an active key exceeds the maximum age, or None.
        rules: the violated rules.
    """

    user: str
    id: str
    status: Status
    created: datetime | None
    days: int | None
    last_used: datetime | None
    idle: int | None
    used_for: str
    policy: str | None
    limit: datetime | None
    rules: tuple[str, ...]


def build_key_rows(subject: Subject) -> Iterator[KeyRow]:
    """Yield every known access key: those that were read, and for other users those of the credential report.

    Access keys belong to no service, so a selection of services has none.
    """
    if subject.selection.services:
        return
    inventory = subject.drift.inventory
    policies = watched_users(subject.desired)
    broken = _find_broken_rules(subject.drift)
    reported = () if inventory.report is None else inventory.report.users
    keys: dict[str, Sequence[AccessKey | ReportedKey]] = {user.name: user.keys for user in reported}
    keys |= group_access_keys(inventory)
    for user in inventory.users:
        if subject.selection.has_user(user.name):
            for key in keys.get(user.name, ()):
                yield _build_key_row(subject, user.name, key, policies.get(user.name), broken)


def _find_broken_rules(drift: Drift) -> dict[tuple[str, str], set[str]]:
    """Return the violated rules by user and id of an access key; rules that concern all keys of a user have no id."""
    broken = defaultdict(set)
    for finding in drift.by_kind(Kind.FINDING):
        if not finding.service:
            broken[finding.user, finding.id].add(finding.rule)
    return broken


def _build_key_row(
    subject: Subject,
    user: str,
    key: AccessKey | ReportedKey,
    policy: AccessKeyPolicy | None,
    broken: Mapping[tuple[str, str], set[str]],
) -> KeyRow:
    created: datetime | None
    if isinstance(key, AccessKey):
        id_, status, created = key.id, key.status, key.created
        used_for = " in ".join(word for word in (key.service, key.region) if word)
    else:
        id_, status, created = "", Status.ACTIVE if key.active else Status.INACTIVE, key.changed
        used_for = ""
    since = key.last_used or created
    return KeyRow(
        user=user,
        id=id_,
        status=status,
        created=created,
        days=None if created is None else subject.days_since(created),
        last_used=key.last_used,
        idle=None if since is None else subject.days_since(since),
        used_for=used_for,
        policy=None if policy is None else format_policy(policy.properties()),
        limit=_find_limit(policy, created) if status is Status.ACTIVE else None,
        rules=tuple(sorted(broken.get((user, ""), set()) | broken.get((user, id_), set()))),
    )


def _find_limit(policy: AccessKeyPolicy | None, created: datetime | None) -> datetime | None:
    if policy is None or policy.max_age_days is None or created is None:
        return None
    return add_time(created, timedelta(days=policy.max_age_days))
