"""The vocabulary of this project as types: desired state, actual state, and problems of specs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from iamcreds.services import MAX_PER_SERVICE, service_alias, short_service_name
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from iamcreds.services import Family


_SLOT_2 = "~2"


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
class AccessKeyPolicy:
    """The policy for a user's access keys; ages in days, None without a limit."""

    max: int | None = None
    max_age_days: int | None = None
    max_idle_days: int | None = None
    enforce: bool = False

    def properties(self) -> dict[str, int]:
        """Return the limits as properties of `AccessKeys`, without those that are not set."""
        return {name: value for name, value in asdict(self).items() if value is not None and value is not False}


@dataclass(frozen=True)
class CredentialPolicy:
    """The policy for a user's credentials; ages and lifetimes in days, None without a limit.

    Attributes:
        max_age_days: the maximum age of the password or API key.
        max_lifetime_days: the maximum time from creation to expiry.
        require_expiry: the services (full names) whose credentials must expire.
        services: the allowed services (full names), empty for all.
        enforce: True if a preview rejects a violation.
    """

    max_age_days: int | None = None
    max_lifetime_days: int | None = None
    require_expiry: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    enforce: bool = False

    def properties(self) -> dict[str, int | list[str]]:
        """Return the policy for the run context, without the limits that are not set."""
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class DesiredCredential:
    """A credential that a spec declares; `service` is the full name, and `existing` None is the same as `fail`.

    Attributes:
        adopt: the id of the existing credential to import, None for a new one.
        was: former name of the credential.
        user_was: former name of its user.
        expire_after_days: lifetime in days, None for no expiry.
        renew_before_hours: time before the expiry from which the successor is created, in hours; None for no renewal.
        slot: 1 or 2: one of the two resources of a credential with a successor; see `iamcreds.planning.rotation`.
        rotation: the number of successors before this one, None in specs.
        is_moved: True if slot 1 continues the resource of slot 2.
    """

    user: str
    service: str
    name: str
    location: SourceLocation
    status: Status | None = None
    reset: str | None = None
    was: str | None = None
    protect: bool = False
    existing: Existing | None = None
    adopt: str | None = None
    user_was: str | None = None
    expire_after_days: int | None = None
    renew_before_hours: int | None = None
    slot: int = 1
    rotation: int | None = None
    is_moved: bool = False

    @property
    def declared_name(self) -> str:
        """The resource name of slot 1, by which outputs and commands name both slots."""
        return resource_name(self.user, self.service, self.name)

    @property
    def resource_name(self) -> str:
        """The Pulumi resource name, which never changes: `jane/codecommit`, or `build-bot/codecommit/spare`."""
        return slot_name(self.declared_name, self.slot)

    @property
    def former_resource_names(self) -> tuple[str, ...]:
        """The resource names before the renamings of the user, of the credential, or of both, or in slot 2."""
        names = self.former_declared_names
        moved = [slot_name(name, 2) for name in (self.declared_name, *names)] if self.is_moved else []
        return (*(slot_name(name, self.slot) for name in names), *moved)

    @property
    def former_declared_names(self) -> tuple[str, ...]:
        """The names of slot 1 before the renamings of the user, of the credential, or of both."""
        users, names = (self.user, self.user_was), (self.name, self.was)
        both = ((user, name) for user in users for name in names if user is not None and name is not None)
        return tuple(dict.fromkeys(resource_name(user, self.service, name) for user, name in both))[1:]

    @property
    def number(self) -> int:
        """The share of IAM's quota that it declares: one with a successor uses all of it."""
        return 1 if self.renew_before_hours is None else MAX_PER_SERVICE


def resource_name(user: str, service: str, name: str) -> str:
    """Return the Pulumi resource name of a credential: `user/alias`, and `/name` unless the name is the alias."""
    alias = service_alias(service)
    return f"{user}/{alias}" if name == alias else f"{user}/{alias}/{name}"


def slot_name(name: str, slot: int) -> str:
    """Return the resource name of a slot: that of slot 2 ends with `~2`. No user, service or name contains `~`."""
    return f"{name}{_SLOT_2}" if slot > 1 else name


def split_slot(resource: str) -> tuple[str, int]:
    """Return the declared name and the slot of a resource name; see `slot_name`."""
    name = resource.removesuffix(_SLOT_2)
    return name, 1 if name == resource else 2


def credential_name(resource: str, user: str, service: str) -> str | None:
    """Return the name in a credential's resource name, or None if user or service (full name) do not match."""
    alias = service_alias(service)
    if resource == f"{user}/{alias}":
        return alias
    prefix = f"{user}/{alias}/"
    return resource.removeprefix(prefix) or None if resource.startswith(prefix) else None


@dataclass(frozen=True)
class DesiredIamUser:
    """The IAM user itself, if a spec declares it with `iamUser`.

    Attributes:
        location: source location of the declaration.
        path: IAM path; None is AWS's default, `/`.
        permissions_boundary: ARN of a policy.
        tags: values by key.
        policy_arns: ARNs of the attached managed policies.
        is_imported: True if an existing user is imported.
        protect: True if every plan that would delete the user is rejected.
        retain_on_delete: True if the user stays in IAM after removal from the stack.
    """

    location: SourceLocation
    path: str | None = None
    permissions_boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    policy_arns: tuple[str, ...] = ()
    is_imported: bool = False
    protect: bool = False
    retain_on_delete: bool = False


@dataclass(frozen=True)
class DesiredUser:
    """A user that a spec declares.

    Attributes:
        name: name of the IAM user.
        location: source location of the name.
        credentials: the desired credentials.
        access_keys: the access key policy, merged with the defaults of the file; None without a policy.
        credential_policy: the credential policy, merged with the defaults of the file; None without a policy.
        judges_credentials: True if the spec declares credentials, False if it declares access keys only.
        unmanaged: the treatment of unmanaged credentials; None if not declared, which reports them in drift only.
        iam_user: the IAM user itself, if the stack manages it; None if it must exist.
        releases_iam_user: True if the spec declares that the stack does not manage the IAM user, even if it did before.
        was: former name of the IAM user, None for none.
    """

    name: str
    location: SourceLocation
    credentials: tuple[DesiredCredential, ...] = ()
    access_keys: AccessKeyPolicy | None = None
    credential_policy: CredentialPolicy | None = None
    judges_credentials: bool = True
    unmanaged: Unmanaged | None = None
    iam_user: DesiredIamUser | None = None
    releases_iam_user: bool = False
    was: str | None = None


@dataclass(frozen=True)
class Desired:
    """The desired state of a run.

    Attributes:
        users: the users, sorted by name.
        account: the 12-digit account ID, None if the specs do not declare it.
        warnings: the warnings, sorted.
        files: the files.
        path: the file or folder of the specs; the first of several.
    """

    users: tuple[DesiredUser, ...] = ()
    account: str | None = None
    warnings: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    path: str = "specs"


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
    """

    resource: str
    id: str
    user: str
    service: str
    created: datetime
    account: str | None = None
    reset: str | None = None
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

    `issued` is the server time of that response, None if the secret is imported.
    """

    credential: Credential
    secret: str = field(repr=False)
    issued: datetime | None = None


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
