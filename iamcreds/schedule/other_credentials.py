"""The coming events of existing credentials that no projection has; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.drift.rules.credential_limits import CredentialTooOld
from iamcreds.drift.rules.expiring import ExpiringSoon
from iamcreds.model import Status, Unmanaged
from iamcreds.schedule.age_limits import find_violation
from iamcreds.schedule.event import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredUser
    from iamcreds.drift.comparing import Drift
    from iamcreds.model import Credential


def find_other_events(
    chosen: Desired, existing: Iterable[Credential], projected: Container[str], drift: Drift, until: datetime
) -> Iterator[Event]:
    """Yield the expiries and the age limits of credentials whose declaration is unknown or missing.

    An update deletes those that the state has. It deletes or deactivates unmanaged ones if specs declare so.

    Args:
        chosen: the selected part of the specs.
        existing: the selected existing credentials.
        projected: the ids of the credentials with a projection.
        drift: the comparison of the specs with the account.
        until: the end of the schedule.
    """
    users, state = {user.name: user for user in chosen.users}, drift.state
    for credential in existing:
        user = users.get(credential.user)
        treatment = None if user is None or state is None or not user.judges_credentials else user.unmanaged
        is_unmanaged = state is None or state.is_unmanaged(credential)
        if credential.id in projected or not is_unmanaged or treatment is Unmanaged.DELETE:
            continue
        event = _make_expiry(credential, user, drift)
        if credential.expires is not None and drift.inventory.read_at < credential.expires <= until:
            yield replace(event, when=credential.expires)
        days = None if user is None or user.credential_policy is None else user.credential_policy.max_age_days
        is_active = credential.status is Status.ACTIVE and treatment is not Unmanaged.DEACTIVATE
        if user is None or days is None or state is None or not is_active:
            continue
        limit = find_violation(CredentialTooOld.rule, credential.created, days, user)
        if limit <= until:
            yield replace(event, when=limit, kind=EventKind.VIOLATE, rule=CredentialTooOld.rule, limit=days)


def _make_expiry(credential: Credential, user: DesiredUser | None, drift: Drift) -> Event:
    """Return an expiry at present. Without the state, it may be that of any declared credential of its service."""
    declared = () if user is None or drift.state is not None else user.credentials
    candidates = tuple(each for each in declared if each.service == credential.service)
    owners = {each.owner for each in candidates}
    owner, location = (None, None) if user is None else (user.owner, user.location)
    return Event(
        when=drift.inventory.read_at,
        kind=EventKind.EXPIRE,
        user=credential.user,
        service=credential.service,
        id=credential.id,
        rule="" if user is None or not user.judges_credentials else ExpiringSoon.rule,
        location=candidates[0].location if len(candidates) == 1 else location,
        owner=owners.pop() if len(owners) == 1 else owner,
        candidates=candidates,
    )
