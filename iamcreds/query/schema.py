"""The tables that a query may read, and the rows of those that our own objects do not fill as they are; pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from iamcreds.services import short_service_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from iamcreds.model import Desired, DesiredUser, User


@dataclass(frozen=True)
class DesiredRow:
    """One declared credential; a user declared without any is one row whose service is empty.

    The service is empty and not absent, because `service NOT IN (SELECT service …)` finds nothing at all as soon as
    one of them is NULL.
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

    @property
    def service_short_name(self) -> str:
        """The short name of the service; empty if the service is."""
        return short_service_name(self.service)


@dataclass(frozen=True)
class UserRow:
    """One live IAM user; the name stands under `user`, as in every table."""

    user: str
    created: datetime


CREDENTIAL_COLUMNS = ("user", "service", "id", "status", "created", "expires", "family", "login")
"""The columns of a list of service-specific credentials."""

KEY_COLUMNS = ("user", "id", "status", "created", "last_used", "service", "region")
"""The columns of a list of access keys."""

SHORT_NAME = "service_short_name"
"""The column with a service's short name, next to `service` with the full one."""

TABLES: Mapping[str, tuple[str, ...]] = {
    "access_keys": KEY_COLUMNS,
    "desired": (*(field.name for field in fields(DesiredRow)), SHORT_NAME),
    "service_specific_credentials": (*CREDENTIAL_COLUMNS, SHORT_NAME),
    "users": tuple(field.name for field in fields(UserRow)),
}
"""The tables and their columns, each named for the attribute that fills it; a promise to whoever keeps statements."""

NUMBERS = frozenset({"protect", "max_keys", "max_key_age_days", "max_key_idle_days", "line"})
"""The columns that hold whole numbers; all others hold text."""

GUESSED = frozenset({"family", "service", SHORT_NAME, "status"})
"""The columns whose values statements often have in a different spelling, such as `active` or a short name."""


def list_desired_rows(desired: Desired) -> Iterator[DesiredRow]:
    """The rows of table `desired`, sorted by user, service and name."""
    for user in desired.users:
        yield from _list_user_credentials(user)


def list_user_rows(users: Iterable[User]) -> Iterator[UserRow]:
    """The rows of table `users`, in the order given."""
    return (UserRow(user.name, user.created) for user in users)


def _list_user_credentials(user: DesiredUser) -> Iterator[DesiredRow]:
    policy = user.access_keys
    keys, age, idle = (None, None, None) if policy is None else (policy.max, policy.max_age_days, policy.max_idle_days)
    whole = DesiredRow(
        user=user.name,
        max_keys=keys,
        max_key_age_days=age,
        max_key_idle_days=idle,
        file=user.place.file,
        line=user.place.line,
    )
    if not user.credentials:
        yield whole
    for credential in user.credentials:
        yield replace(
            whole,
            service=credential.service,
            name=credential.name,
            status=credential.status,
            reset=credential.reset,
            protect=credential.protect,
            file=credential.place.file,
            line=credential.place.line,
            resource=credential.resource_name,
            adopt=credential.adopt,
        )
