"""The tables of queries, and the rows of tables that objects of the model cannot fill directly; pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from iamcreds.due_dates import find_rotation
from iamcreds.model import Status
from iamcreds.services import short_service_name
from iamcreds.slots import find_slots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredCredential, DesiredUser
    from iamcreds.model import Credential, RecordedCredential, User


@dataclass(frozen=True)
class DesiredRow:
    """A declared credential; a user without declared credentials has one row with an empty service.

    `rotation_due` is the time from which an update rotates it, None if it does not rotate or the state is unknown.
    `deliver_store`, `deliver_name` and `deliver_region` are those of its `deliver`.
    The service is empty instead of NULL, because `service NOT IN (SELECT service …)` has no result if one is NULL.
    """

    user: str
    service: str = ""
    name: str | None = None
    status: str | None = None
    reset: str | None = None
    protect: bool = False
    max_keys: int | None = None
    max_key_age_days: int | None = None
    max_key_idle_days: int | None = None
    file: str = ""
    line: int = 0
    resource: str | None = None
    adopt: str | None = None
    expire_after_days: int | None = None
    renew_before_hours: int | None = None
    rotate_every_hours: int | None = None
    rotate_overlap_hours: int | None = None
    rotate_retire_by_hours: int | None = None
    rotation_due: datetime | None = None
    deliver_store: str | None = None
    deliver_name: str | None = None
    deliver_region: str | None = None

    @property
    def service_short_name(self) -> str:
        """The short name of the service; empty if the service is empty."""
        return short_service_name(self.service)


@dataclass(frozen=True)
class UserRow:
    """An existing IAM user; the name is in `user`, as in every table."""

    user: str
    created: datetime


@dataclass(frozen=True)
class CredentialRow:
    """An existing credential, with facts of the state; each is None if the state does not have it.

    Attributes:
        credential: the existing credential.
        issued_at: the time of its last create or reset.
        delivery_arn: the ARN of its secret in a store.
        secret_in_state: True if the state has its password or API key.
    """

    credential: Credential
    issued_at: datetime | None = None
    delivery_arn: str | None = None
    secret_in_state: bool | None = None

    def __getattr__(self, column: str) -> object:
        """Return a value of the credential."""
        return getattr(self.credential, column)


CREDENTIAL_COLUMNS = ("user", "service", "id", "status", "created", "expires", "family", "login")
"""The columns of a list of service-specific credentials."""

KEY_COLUMNS = ("user", "id", "status", "created", "last_used", "service", "region")
"""The columns of a list of access keys."""

SHORT_NAME = "service_short_name"
"""The column with a service's short name, next to `service` with the full one."""

TABLES: Mapping[str, tuple[str, ...]] = {
    "access_keys": KEY_COLUMNS,
    "desired": (*(field.name for field in fields(DesiredRow)), SHORT_NAME),
    "service_specific_credentials": (*CREDENTIAL_COLUMNS, SHORT_NAME, "issued_at", "delivery_arn", "secret_in_state"),
    "users": tuple(field.name for field in fields(UserRow)),
}
"""The tables and their columns, named after attributes. The names never change, because users store statements."""

NUMBERS = frozenset(
    {
        "expire_after_days",
        "line",
        "max_key_age_days",
        "max_key_idle_days",
        "max_keys",
        "protect",
        "renew_before_hours",
        "rotate_every_hours",
        "rotate_overlap_hours",
        "rotate_retire_by_hours",
        "secret_in_state",
    }
)
"""The columns with whole numbers; all other columns have text."""

GUESSED = frozenset({"family", "service", SHORT_NAME, "status"})
"""The columns whose values statements often have in a different spelling, such as `active` or a short name."""


def list_desired_rows(
    desired: Desired, recorded: Mapping[str, RecordedCredential] | None = None
) -> Iterator[DesiredRow]:
    """Yield the rows of table `desired`, sorted by user, service and name; `recorded` is the state by resource name."""
    for user in desired.users:
        yield from _list_user_credentials(user, recorded or {}, desired.account)


def list_credential_rows(
    credentials: Iterable[Credential], recorded: Mapping[str, RecordedCredential] | None = None
) -> Iterator[CredentialRow]:
    """Yield the rows of table `service_specific_credentials`, in the given order; `recorded` is the state by id."""
    for credential in credentials:
        state = (recorded or {}).get(credential.id)
        if state is None:
            yield CredentialRow(credential)
        else:
            arn = None if state.delivered is None else state.delivered.arn
            yield CredentialRow(credential, state.issued, arn, state.has_secret)


def list_user_rows(users: Iterable[User]) -> Iterator[UserRow]:
    """Yield the rows of table `users`, in the given order."""
    return (UserRow(user.name, user.created) for user in users)


def _find_rotation(
    credential: DesiredCredential, recorded: Mapping[str, RecordedCredential], account: str | None
) -> datetime | None:
    """Return the time of the next rotation; None for a credential that was deactivated manually."""
    current = find_slots(recorded, credential).current
    if current is None or current.status is not Status.ACTIVE:
        return None
    account = current.account or account
    return None if account is None else find_rotation(credential, current, account)


def _list_user_credentials(
    user: DesiredUser, recorded: Mapping[str, RecordedCredential], account: str | None
) -> Iterator[DesiredRow]:
    policy = user.access_keys
    keys, age, idle = (None, None, None) if policy is None else (policy.max, policy.max_age_days, policy.max_idle_days)
    user_row = DesiredRow(
        user=user.name,
        max_keys=keys,
        max_key_age_days=age,
        max_key_idle_days=idle,
        file=user.location.file,
        line=user.location.line,
    )
    if not user.credentials:
        yield user_row
    for credential in user.credentials:
        yield replace(
            user_row,
            service=credential.service,
            name=credential.name,
            status=credential.status,
            reset=credential.reset,
            protect=credential.protect,
            file=credential.location.file,
            line=credential.location.line,
            resource=credential.declared_name,
            adopt=credential.adopt,
            expire_after_days=credential.expire_after_days,
            renew_before_hours=credential.renew_before_hours,
            rotate_every_hours=None if credential.rotate is None else credential.rotate.every_hours,
            rotate_overlap_hours=None if credential.rotate is None else credential.rotate.overlap_hours,
            rotate_retire_by_hours=None if credential.rotate is None else credential.rotate.retire_by_hours,
            rotation_due=_find_rotation(credential, recorded, account),
            deliver_store=None if credential.deliver is None else credential.deliver.store,
            deliver_name=None if credential.deliver is None else credential.deliver.name,
            deliver_region=None if credential.deliver is None else credential.deliver.region,
        )
