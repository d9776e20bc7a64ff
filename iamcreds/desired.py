"""The desired state: users, credentials and policies as specs declare them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from iamcreds.resource_names import resource_name, slot_name
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from iamcreds.delivery import Delivery
    from iamcreds.model import Existing, Problem, SourceLocation, Status, Unmanaged


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
class Waiver:
    """The acceptance of a finding until a date.

    Attributes:
        rule: the name of the rule.
        reason: the declared reason.
        until: the date (midnight, UTC) from which the finding counts again.
        location: source location of the declaration.
    """

    rule: str
    reason: str
    until: datetime
    location: SourceLocation


class Retire(StrEnum):
    """The action on the previous credential after the overlap."""

    DEACTIVATE = "deactivate"
    DELETE = "delete"


@dataclass(frozen=True)
class RotationPolicy:
    """The rotation of a credential.

    Attributes:
        overlap_hours: time for which the previous credential works after a rotation, in hours.
        every_hours: interval between rotations in hours; None if only a changed trigger rotates.
        retire: the action on the previous credential after the overlap.
        not_before: the earliest time of the next rotation, None for any.
        retire_by_hours: time after a rotation at which the previous credential is retired even if the delivered secret
            was not read, in hours; None if it is retired after the overlap in any case.
    """

    overlap_hours: int
    every_hours: int | None = None
    retire: Retire = Retire.DEACTIVATE
    not_before: datetime | None = None
    retire_by_hours: int | None = None

    def properties(self) -> dict[str, int | str]:
        """Return the interval, the overlap, the earliest date and the latest retirement for the run context."""
        every: dict[str, int | str] = {} if self.every_hours is None else {"every_hours": self.every_hours}
        date = {} if self.not_before is None else {"not_before": self.not_before.isoformat()}
        retirement = {} if self.retire_by_hours is None else {"retire_by_hours": self.retire_by_hours}
        return {"overlap_hours": self.overlap_hours} | every | date | retirement


@dataclass(frozen=True)
class DesiredCredential:
    """A credential that a spec declares; `service` is the full name, and `existing` None is the same as `fail`.

    Attributes:
        adopt: the id of the existing credential to import, None for a new one.
        was: former name of the credential.
        user_was: former name of its user.
        expire_after_days: lifetime in days, None for no expiry.
        renew_before_hours: time before the expiry from which the successor is created, in hours; None for no renewal.
        rotate: the rotation, None for none.
        trigger: text whose change rotates the credential once.
        deliver: the store of its secret, None for the stack's state.
        owner: `mailto:` address of its owner, by default that of the user; None without one.
        waive: the waivers of findings about this credential.
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
    rotate: RotationPolicy | None = None
    trigger: str | None = None
    deliver: Delivery | None = None
    owner: str | None = None
    waive: tuple[Waiver, ...] = ()
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
        return MAX_PER_SERVICE if self.has_successors else 1

    @property
    def has_successors(self) -> bool:
        """True if it is rotated, or renewed before it expires."""
        return self.rotate is not None or self.renew_before_hours is not None


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
        owner: `mailto:` address of the owner, None without one.
        waive: the waivers of findings about the user, all credentials and access keys.
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
    owner: str | None = None
    waive: tuple[Waiver, ...] = ()


@dataclass(frozen=True)
class Desired:
    """The desired state of a run.

    Attributes:
        users: the users, sorted by name.
        account: the 12-digit account ID, None if the specs do not declare it.
        warnings: the warnings, sorted.
        files: the files.
        path: the file or folder of the specs; the first of several.
        max_rotations: the maximum number of credentials that one run rotates, None without a limit.
    """

    users: tuple[DesiredUser, ...] = ()
    account: str | None = None
    warnings: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    path: str = "specs"
    max_rotations: int | None = None
