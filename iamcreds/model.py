"""The words of this project as types: what is desired, what is live, what is wrong with either."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

ALIASES = {
    "bedrock": "bedrock.amazonaws.com",
    "codecommit": "codecommit.amazonaws.com",
    "keyspaces": "cassandra.amazonaws.com",
    "logs": "logs.amazonaws.com",
}
"""Short names that specs may use for a service."""

PASSWORD_SERVICES = frozenset({"codecommit.amazonaws.com", "cassandra.amazonaws.com"})
"""Services whose credential is a user name and a password."""

API_KEY_SERVICES = frozenset(
    {
        "aws-external-anthropic.amazonaws.com",
        "bedrock.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "logs.amazonaws.com",
    },
)
"""Services whose credential is an API key."""

PLACES_PER_SERVICE = 2
"""How many credentials IAM lets one user have for one service, active or not."""


def service_name(service: str) -> str:
    """The full, lower-case name of a service given by alias or by name: `keyspaces` -> `cassandra.amazonaws.com`.

    IAM compares service names without regard to case and stores them in lower case.
    """
    lower = service.lower()
    return ALIASES.get(lower, lower)


def service_alias(service: str) -> str:
    """The short name of a service: its alias, or the first label of a name that has none."""
    full = service_name(service)
    return next((alias for alias, name in ALIASES.items() if name == full), full.split(".")[0])


class Status(StrEnum):
    """A credential's status, in IAM's words; nobody can set `Expired`, only the calendar does."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    EXPIRED = "Expired"


class Family(StrEnum):
    """What a credential consists of: a user name and a password, or an API key with an alias."""

    PASSWORD = "password"  # noqa: S105 - the name of a kind
    API_KEY = "api-key"


def service_family(service: str) -> Family | None:
    """What credentials of a service (full name) consist of, or None of a service that is new to us."""
    if service in PASSWORD_SERVICES:
        return Family.PASSWORD
    return Family.API_KEY if service in API_KEY_SERVICES else None


class Severity(StrEnum):
    """Whether a problem stops the specs from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands in a spec file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Problem:
    """Why a spec cannot be read (or, as a warning, may not mean what its author thinks)."""

    place: Place
    message: str
    rule: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class AccessKeyPolicy:
    """What may be true of a user's access keys; ages in days, None where nothing is asked."""

    max: int | None = None
    max_age_days: int | None = None
    max_idle_days: int | None = None
    enforce: bool = False


@dataclass(frozen=True)
class DesiredCredential:
    """One credential as a spec declares it; `service` is the full name, `place` where it is declared."""

    user: str
    service: str
    name: str
    place: Place
    status: Status | None = None
    reset: str | None = None
    was: str | None = None
    protect: bool = False

    @property
    def resource_name(self) -> str:
        """The Pulumi resource name, a promise: `jane/codecommit`, or `build-bot/codecommit/spare`."""
        return resource_name(self.user, self.service, self.name)

    @property
    def former_resource_name(self) -> str | None:
        """The resource name before `was` was written, or None."""
        return None if self.was is None else resource_name(self.user, self.service, self.was)


def resource_name(user: str, service: str, name: str) -> str:
    """The Pulumi resource name of a credential: `user/alias`, and `/name` unless the name is the alias."""
    alias = service_alias(service)
    return f"{user}/{alias}" if name == alias else f"{user}/{alias}/{name}"


@dataclass(frozen=True)
class DesiredUser:
    """One user as a spec declares it; `access_keys` has the file's defaults merged in, None watches nothing."""

    name: str
    place: Place
    credentials: tuple[DesiredCredential, ...] = ()
    access_keys: AccessKeyPolicy | None = None


@dataclass(frozen=True)
class Desired:
    """All the specs of a run: users sorted by name, the account they are for (12 digits), warnings, the files read."""

    users: tuple[DesiredUser, ...] = ()
    account: str | None = None
    warnings: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Credential:
    """A live service-specific credential; `login` is its service user name or, of an API key, its alias."""

    id: str
    user: str
    service: str
    status: Status
    created: datetime
    family: Family
    login: str
    expires: datetime | None = None


@dataclass(frozen=True)
class IssuedCredential:
    """A credential with its password or API key, which IAM tells in the answers to Create and Reset only."""

    credential: Credential
    secret: str = field(repr=False)


@dataclass(frozen=True)
class AccessKey:
    """A live access key; `last_used`, `service` and `region` are None of a key that was never used."""

    id: str
    user: str
    status: Status
    created: datetime
    last_used: datetime | None = None
    service: str | None = None
    region: str | None = None


@dataclass(frozen=True, order=True)
class Finding:
    """A rule that a live thing breaks: `id` names the access key or credential, or is empty for the user as a whole."""

    user: str
    id: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.user}: {self.message} [{self.rule}]"
