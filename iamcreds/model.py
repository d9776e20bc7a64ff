"""The words of this project as types: what is desired, what is live, what is wrong with either."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from iamcreds.services import service_alias, short_service_name
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from iamcreds.services import Family


class Status(StrEnum):
    """A credential's status, in IAM's words; nobody can set `Expired`, only the calendar does."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    EXPIRED = "Expired"


class Existing(StrEnum):
    """What a create does that finds a live credential which nobody declared."""

    FAIL = "fail"
    ADOPT = "adopt"


class Unmanaged(StrEnum):
    """What becomes of a live credential of a declared user that no spec declares and the stack has not."""

    REPORT = "report"
    DEACTIVATE = "deactivate"
    DELETE = "delete"


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
        return f"{escape_invisible(self.file)}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class Problem:
    """Why a spec cannot be read (or, as a warning, may not mean what its author thinks)."""

    place: Place
    message: str
    rule: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        what = "" if self.severity is Severity.ERROR else "warning: "
        return f"{self.place}: {what}{escape_invisible(self.message)} [{self.rule}]"


@dataclass(frozen=True)
class AccessKeyPolicy:
    """What may be true of a user's access keys; ages in days, None where nothing is asked."""

    max: int | None = None
    max_age_days: int | None = None
    max_idle_days: int | None = None
    enforce: bool = False

    def properties(self) -> dict[str, int]:
        """What it asks, by field, as `AccessKeys` takes it; what it does not ask is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None and value is not False}


@dataclass(frozen=True)
class DesiredCredential:
    """One credential as a spec declares it; `service` is the full name, `existing` None is the same as `fail`.

    `adopt` is the id of the live credential to take over, None for a new one. `was` and `user_was` are the former names
    of the credential and of its user.
    """

    user: str
    service: str
    name: str
    place: Place
    status: Status | None = None
    reset: str | None = None
    was: str | None = None
    protect: bool = False
    existing: Existing | None = None
    adopt: str | None = None
    user_was: str | None = None

    @property
    def resource_name(self) -> str:
        """The Pulumi resource name, a promise: `jane/codecommit`, or `build-bot/codecommit/spare`."""
        return resource_name(self.user, self.service, self.name)

    @property
    def former_resource_names(self) -> tuple[str, ...]:
        """The resource names that it may have had, because the user or the credential was renamed, or both were."""
        users, names = (self.user, self.user_was), (self.name, self.was)
        both = ((user, name) for user in users for name in names if user is not None and name is not None)
        return tuple(dict.fromkeys(resource_name(user, self.service, name) for user, name in both))[1:]


def resource_name(user: str, service: str, name: str) -> str:
    """The Pulumi resource name of a credential: `user/alias`, and `/name` unless the name is the alias."""
    alias = service_alias(service)
    return f"{user}/{alias}" if name == alias else f"{user}/{alias}/{name}"


def credential_name(resource: str, user: str, service: str) -> str | None:
    """The name of a credential of this user and service (full name) whose resource is called so; None if it is none."""
    alias = service_alias(service)
    if resource == f"{user}/{alias}":
        return alias
    own = f"{user}/{alias}/"
    return resource.removeprefix(own) or None if resource.startswith(own) else None


@dataclass(frozen=True)
class DesiredIamUser:
    """The IAM user itself, where a spec has it made.

    Attributes:
        place: where the spec says so.
        path: its IAM path; None leaves it to AWS, which says `/`.
        permissions_boundary: the ARN of a policy.
        tags: text by text.
        policy_arns: the ARNs of the managed policies that are attached.
        is_imported: whether it exists already, and is taken over.
        protect: whether every plan that would delete it is refused.
        retain_on_delete: whether it stays in IAM when it leaves the stack.
    """

    place: Place
    path: str | None = None
    permissions_boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    policy_arns: tuple[str, ...] = ()
    is_imported: bool = False
    protect: bool = False
    retain_on_delete: bool = False


@dataclass(frozen=True)
class DesiredUser:
    """One user as a spec declares it.

    Attributes:
        name: the IAM user's name.
        place: where the name stands.
        credentials: the credentials the user should have.
        access_keys: the policy, with the file's defaults merged in; None watches nothing.
        judges_credentials: whether the spec says which credentials there should be, or is about access keys alone.
        unmanaged: what becomes of other live ones; None where nobody said, which reports them in drift alone.
        iam_user: the IAM user itself, where it is to be made; None where it has to be there.
        releases_iam_user: whether the spec says that the IAM user is none of the stack's, also where it was.
        was: the former name of the IAM user, None for none.
    """

    name: str
    place: Place
    credentials: tuple[DesiredCredential, ...] = ()
    access_keys: AccessKeyPolicy | None = None
    judges_credentials: bool = True
    unmanaged: Unmanaged | None = None
    iam_user: DesiredIamUser | None = None
    releases_iam_user: bool = False
    was: str | None = None


@dataclass(frozen=True)
class Desired:
    """All the specs of a run.

    Attributes:
        users: sorted by name.
        account: the account they are for, 12 digits.
        warnings: sorted.
        files: the files that were read.
        path: the file or folder that was read; the first of several.
    """

    users: tuple[DesiredUser, ...] = ()
    account: str | None = None
    warnings: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    path: str = "specs"


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

    @property
    def service_short_name(self) -> str:
        """The short name of the service, such as `keyspaces`."""
        return short_service_name(self.service)

    @property
    def lifetime(self) -> timedelta | None:
        """How long it lives, whole days by IAM's own rule; None for ever."""
        return None if self.expires is None else self.expires - self.created


@dataclass(frozen=True)
class RecordedCredential:
    """A credential as a stack's state has it, without its secret.

    Attributes:
        resource: the name of the resource that has it.
        id: its id.
        user: the IAM user's name.
        service: the service's full name.
        created: when it was made.
        account: the account it is in, 12 digits, None where the state does not tell.
        reset: the reset trigger that was carried out last, None for none.
        is_leaving: whether it was replaced, and waits to be deleted.
        is_protected: True if the engine rejects its deletion.
    """

    resource: str
    id: str
    user: str
    service: str
    created: datetime
    account: str | None = None
    reset: str | None = None
    is_leaving: bool = False
    is_protected: bool = False


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
class User:
    """A live IAM user."""

    name: str
    created: datetime


@dataclass(frozen=True)
class ReportedKey:
    """An access key in IAM's credential report, which tells no id; `changed` is when it was created or last changed."""

    active: bool
    changed: datetime | None = None
    last_used: datetime | None = None


@dataclass(frozen=True)
class ReportedUser:
    """A user in IAM's credential report, with the access keys the user had when it was made."""

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
    """What a run read of an account.

    Attributes:
        account: 12 digits.
        read_at: when, in UTC.
        users: all IAM users, by name.
        credentials: all service-specific credentials, by user, service and id.
        access_keys: the access keys of the users in `access_keys_read`, by user, oldest first.
        access_keys_read: the users whose access keys were read one by one.
        report: the credential report by which the others were judged, or None where none was used.
        report_missing: why there is no report although one was wanted, or None.
        young_users: users made so recently, by AWS's clock, that lists may not show all that they have.
        young_credentials: ids of credentials made so recently that lists may not show them as they are.
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
