"""Schedules of accounts with one user, jane, at a fixed time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from iamcreds.desired import Desired, DesiredCredential, DesiredUser, RotationPolicy
from iamcreds.drift.comparing import compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.selection import EVERYTHING
from iamcreds.due_dates import compute_spread
from iamcreds.model import (
    Credential,
    Inventory,
    PendingCreate,
    RecordedCredential,
    SourceLocation,
    StackExport,
    Status,
    User,
)
from iamcreds.schedule.events import make_schedule
from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iamcreds.drift.selection import Selection
    from iamcreds.drift.stored_secrets import StoredSecrets
    from iamcreds.schedule.events import Schedule

ACCOUNT = "123456789012"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PLACE = SourceLocation("specs/jane.yaml", 2, 3)
KEYSPACES, BEDROCK = "cassandra.amazonaws.com", "bedrock.amazonaws.com"
PASSWORD = DesiredCredential("jane", KEYSPACES, "keyspaces", SourceLocation("specs/jane.yaml", 4, 9))
ROTATED = replace(PASSWORD, rotate=RotationPolicy(overlap_hours=7 * 24, every_hours=30 * 24))
KEY = replace(PASSWORD, service=BEDROCK, name="bedrock", expire_after_days=90)
RENEWED = replace(KEY, renew_before_hours=14 * 24)
INTERVAL = 30 * DAY * (1 - 0.05 - 0.1 * compute_spread(ACCOUNT, "jane/keyspaces"))
"""The time from a rotation to the next one, which is 5% to 15% before `every`."""


def existing(
    id_: str,
    days: float,
    desired: DesiredCredential = PASSWORD,
    status: Status = Status.ACTIVE,
    **fields: Any,  # noqa: ANN401 - any fields
) -> Credential:
    """Return an existing credential of that age in days, with the declared lifetime."""
    family = Family.PASSWORD if desired.service == KEYSPACES else Family.API_KEY
    created = NOW - days * DAY
    expires = None if desired.expire_after_days is None else created + desired.expire_after_days * DAY
    is_expired = expires is not None and expires <= NOW
    credential = Credential(id_, desired.user, desired.service, status, created, family, "jane-at-1", expires)
    return replace(credential, **{"status": Status.EXPIRED if is_expired else status, **fields})


def record(
    credential: Credential,
    rotation: int = 0,
    slot: int = 1,
    **fields: Any,  # noqa: ANN401 - any fields
) -> RecordedCredential:
    """Return a credential as the state has it, issued at its creation."""
    alias = "keyspaces" if credential.service == KEYSPACES else "bedrock"
    recorded = RecordedCredential(
        f"jane/{alias}{'~2' if slot > 1 else ''}", credential.id, credential.user, credential.service,
        credential.created, issued=credential.created, rotation=rotation, status=credential.status,
        expires=credential.expires, age_days=credential.lifetime_days,
    )  # fmt: skip
    return replace(recorded, **fields)


def schedule(  # noqa: PLR0913 - independent facts
    desired: DesiredCredential | DesiredUser | Desired,
    credentials: Sequence[Credential] = (),
    recorded: Sequence[RecordedCredential] | None = None,
    *,
    days: float = 100,
    now: datetime = NOW,
    users: Sequence[str] = ("jane",),
    selection: Selection = EVERYTHING,
    secrets: StoredSecrets | None = None,
    creates: Sequence[PendingCreate] = (),
    **inventory: Any,  # noqa: ANN401 - any fields
) -> Schedule:
    """Return the schedule of that many days, with a state unless `recorded` is None."""
    if isinstance(desired, DesiredCredential):
        desired = DesiredUser("jane", PLACE, (desired,))
    specs = Desired((desired,)) if isinstance(desired, DesiredUser) else desired
    state = None if recorded is None else make_recorded_state(StackExport(tuple(recorded), tuple(creates)))
    account = Inventory(
        ACCOUNT, now, users=tuple(User(name, now - 999 * DAY) for name in users), credentials=tuple(credentials),
        **inventory,
    )  # fmt: skip
    state = state if state is None or secrets is None else replace(state, secrets=secrets)
    return make_schedule(specs, compare(specs, account, selection=selection, state=state), now + days * DAY, selection)


def outline(schedule: Schedule) -> list[tuple[float, str, str]]:
    """Return the day from now, the kind and the id of each event."""
    return [
        (round((event.when - schedule.now) / DAY, 1), event.kind.value, event.id or event.resource)
        for event in schedule.events
    ]
