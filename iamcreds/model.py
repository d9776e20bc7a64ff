"""The vocabulary of this project as types: actual state, recorded state, and problems of specs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from iamcreds.services import short_service_name
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from iamcreds.delivery import DeliveredSecret, Delivery
    from iamcreds.services import Family


class Status(StrEnum):
    """The status of a credential, as in IAM. `Expired` cannot be set; IAM sets it at the expiration date."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    EXPIRED = "Expired"


class Existing(StrEnum):
    """The behavior of a create that finds an unmanaged credential."""

    FAIL = "fail"
    ADOPT = "adopt"


class Unmanaged(StrEnum):
    """The treatment of a declared user's unmanaged credentials."""

    REPORT = "report"
    DEACTIVATE = "deactivate"
    DELETE = "delete"


class Severity(StrEnum):
    """The severity of a problem; only errors prevent the use of the specs."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class SourceLocation:
    """A source location in a spec file; line and column start at 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{escape_invisible(self.file)}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Problem:
    """A reason to reject a spec, or, as a warning, a likely mistake in it."""

    location: SourceLocation
    message: str
    rule: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        prefix = "" if self.severity is Severity.ERROR else "warning: "
        return f"{self.location}: {prefix}{escape_invisible(self.message)} [{self.rule}]"


@dataclass(frozen=True)
class Credential:
    """An existing service-specific credential; `login` is the service user name, or the alias of an API key."""

    id: str
    user: str
    service: str
    status: Status
    created: datetime
    family: Family
    login: str
    expires: datetime | None = None

    @property
    def service_short_name(self) -> str:
        """The short name of the service, such as `keyspaces`."""
        return short_service_name(self.service)

    @property
    def lifetime(self) -> timedelta | None:
        """The lifetime, which is whole days by IAM's rule; None if it never expires."""
        return None if self.expires is None else self.expires - self.created

    @property
    def lifetime_days(self) -> int | None:
        """The lifetime in days; None if it never expires, or if an endpoint other than AWS has no whole days."""
        return count_whole_days(self.lifetime)


def count_whole_days(lifetime: timedelta | None) -> int | None:
    """Return a lifetime in days, as specs declare it; None for no lifetime, and for one that is not whole days."""
    return None if lifetime is None or lifetime.seconds or lifetime.microseconds else lifetime.days


@dataclass(frozen=True)
class RecordedCredential:
    """A credential in a stack's state, without its secret.

    Attributes:
        resource: name of the resource.
        id: id of the credential.
        user: name of the IAM user.
        service: full name of the service.
        created: creation time.
        account: 12-digit account ID, None if the state does not contain it.
        reset: the reset trigger that was applied last, or None.
        trigger: the rotation trigger that was applied last, or None.
        rotation: the number of its predecessors, 0 without one.
        issued: time of the last create or reset, None if the state does not contain it.
        status: the status at the last update or refresh.
        expires: time of expiry, None for never.
        age_days: the declared lifetime in days, None without one.
        is_enforced: True if the program declared a status.
        is_retired: True if the program declared it Inactive.
        is_deactivated: True if it was deactivated manually and has expired since.
        is_leaving: True if it was replaced and waits for deletion.
        is_protected: True if the engine rejects its deletion.
        deliver: the applied delivery, None for none.
        delivered: the secret in the store that has its password, None for none.
        has_secret: True if the state has its password or API key.
    """

    resource: str
    id: str
    user: str
    service: str
    created: datetime
    account: str | None = None
    reset: str | None = None
    trigger: str | None = None
    rotation: int = 0
    issued: datetime | None = None
    status: Status = Status.ACTIVE
    expires: datetime | None = None
    age_days: int | None = None
    is_enforced: bool = False
    is_retired: bool = False
    is_deactivated: bool = False
    is_leaving: bool = False
    is_protected: bool = False
    deliver: Delivery | None = None
    delivered: DeliveredSecret | None = None
    has_secret: bool = False

    @property
    def was_deactivated(self) -> bool:
        """True if the state shows a manual deactivation, whether or not it has expired since."""
        return not self.is_enforced and (self.is_deactivated or self.status is Status.INACTIVE)


@dataclass(frozen=True)
class PendingCreate:
    """A create that a state names as pending: an update is running, or was interrupted.

    Attributes:
        resource: the resource name of the credential.
        user: the IAM user's name.
        service: the service's full name.
    """

    resource: str
    user: str
    service: str


@dataclass(frozen=True)
class StackExport:
    """The credentials that an exported state records, and its pending creates of credentials."""

    credentials: tuple[RecordedCredential, ...] = ()
    creates: tuple[PendingCreate, ...] = ()


@dataclass(frozen=True)
class IssuedCredential:
    """A credential with its password or API key, which IAM returns only in the responses to Create and Reset.

    `issued` is the server time of that response, None if the secret is imported. `is_new` is True after a create.
    """

    credential: Credential
    secret: str = field(repr=False)
    issued: datetime | None = None
    is_new: bool = False


@dataclass(frozen=True)
class AccessKey:
    """An existing access key; `last_used`, `service` and `region` are None for a key that was never used."""

    id: str
    user: str
    status: Status
    created: datetime
    last_used: datetime | None = None
    service: str | None = None
    region: str | None = None


@dataclass(frozen=True, order=True)
class User:
    """An existing IAM user."""

    name: str
    created: datetime


@dataclass(frozen=True)
class ReportedKey:
    """An access key in IAM's credential report, without its id; `changed` is the time of its create or last change."""

    active: bool
    changed: datetime | None = None
    last_used: datetime | None = None


@dataclass(frozen=True)
class ReportedUser:
    """A user in IAM's credential report, with the access keys at the time of the report."""

    name: str
    created: datetime
    keys: tuple[ReportedKey, ...] = ()


@dataclass(frozen=True)
class CredentialReport:
    """IAM's credential report: one document for all users of an account, up to four hours old."""

    generated: datetime
    users: tuple[ReportedUser, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """The actual state of an account, as read by a run.

    Attributes:
        account: the 12-digit account ID.
        read_at: time of the reads, in UTC.
        users: all IAM users, by name.
        credentials: all service-specific credentials, by user, service and id.
        access_keys: the access keys of the users in `access_keys_read`, by user, oldest first.
        access_keys_read: the users whose access keys were read one by one.
        report: the credential report for the access keys of the other users, or None without one.
        report_missing: the reason for a missing report, or None.
        young_users: users created so recently (server time) that lists may not show all their data.
        young_credentials: ids of credentials created so recently that lists may not show their current state.
    """

    account: str
    read_at: datetime
    users: tuple[User, ...] = ()
    credentials: tuple[Credential, ...] = ()
    access_keys: tuple[AccessKey, ...] = ()
    access_keys_read: tuple[str, ...] = ()
    report: CredentialReport | None = None
    report_missing: str | None = None
    young_users: frozenset[str] = frozenset()
    young_credentials: frozenset[str] = frozenset()
