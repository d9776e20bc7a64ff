"""The changes of a preview, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.pull_request.properties import Property


class Action(StrEnum):
    """An action on a credential.

    RENEW creates a successor before an expiry, and DELETE_EXPIRED deletes a previous credential after its expiry.
    ROTATE issues a new password in the other slot, and RETIRE deactivates or deletes the previous credential after the
    overlap. DELIVER writes a recorded password to a secret store, or changes the settings of the secret there. RECORD
    changes only the state and nothing in AWS.
    """

    CREATE = "create"
    RENEW = "renew"
    ROTATE = "rotate"
    RETIRE = "retire"
    ADOPT = "adopt"
    REPLACE = "replace"
    DELETE = "delete"
    DELETE_EXPIRED = "delete expired"
    RENAME = "rename"
    RESET = "reset"
    DEACTIVATE = "deactivate"
    ACTIVATE = "activate"
    PROTECT = "protect"
    UNPROTECT = "unprotect"
    DELIVER = "deliver"
    RECORD = "record"


REMOVALS = frozenset({Action.DELETE, Action.REPLACE, Action.RESET, Action.DEACTIVATE})
"""The actions that stop a working password."""


@dataclass(frozen=True, order=True)
class Note:
    """A reason or consequence. `text` is trusted, and `value` is not."""

    text: str
    value: str = ""


@dataclass(frozen=True, order=True)
class Change:
    """The change of one credential.

    Attributes:
        user: the IAM user's name.
        name: the declared resource name of both slots, or the id of an unmanaged credential.
        service: the service's full name.
        actions: the actions.
        notes: reasons and consequences.
        properties: the changed properties that the comment shows.
        location: the source location or, of a deleted resource, the last one; empty if it is unknown.
        credential_id: the id of the existing credential, or empty if it does not exist or its id is unknown.
        steps: the steps of `up` on the existing credential that need an approval, in addition to the actions.
        created: the creation date of the existing credential in UTC, or None if it is unknown.
        is_previous: True for a credential whose successor is in the other slot.
        rotates: the id of the credential whose successor a rotation issues, or empty.
    """

    user: str
    name: str
    service: str
    actions: tuple[Action, ...]
    notes: tuple[Note, ...] = ()
    properties: tuple[Property, ...] = ()
    location: str = ""
    credential_id: str = ""
    steps: tuple[Action, ...] = ()
    created: datetime | None = field(default=None, compare=False)
    is_previous: bool = False
    rotates: str = ""

    @property
    def is_unmanaged(self) -> bool:
        """Return True if the credential is unmanaged: it is adopted, or has no resource."""
        return Action.ADOPT in self.actions or self.name == self.credential_id

    @property
    def is_removal(self) -> bool:
        """Return True if a working password stops working."""
        return not REMOVALS.isdisjoint(self.actions)


class UserAction(StrEnum):
    """An action on an IAM user or an attached policy. RETAIN removes it from the state and leaves it in IAM."""

    CREATE = "create"
    IMPORT = "import"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RETAIN = "retain"
    PROTECT = "protect"
    UNPROTECT = "unprotect"
    ATTACH = "attach"
    DETACH = "detach"


@dataclass(frozen=True, order=True)
class UserChange:
    """The change of an IAM user or, if `policy` is an ARN, of the attachment of this policy to the user."""

    user: str
    policy: str
    actions: tuple[UserAction, ...]
    notes: tuple[Note, ...] = ()
    location: str = ""

    @property
    def is_removal(self) -> bool:
        """Return True if the user is deleted or replaced."""
        return not self.policy and not {UserAction.DELETE, UserAction.REPLACE}.isdisjoint(self.actions)


@dataclass(frozen=True, order=True)
class PolicyChange:
    """The change of a user's access key policy; None stands for no policy."""

    user: str
    before: str | None
    after: str | None


@dataclass(frozen=True, order=True)
class RejectedChange:
    """A resource that `up` rejects and does not change, and the reason."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True)
class Changes:
    """All changes of a preview.

    Attributes:
        stack: the stack's name, or empty if it is unknown.
        credential_count: the number of declared credentials in the state, or None if the preview does not list every
            resource.
        credentials: the changes of credentials.
        user_count: the number of IAM users in the state.
        users: the changes of IAM users and of attached policies.
        policies: the changes of access key policies.
        others: the changes of all other resources, such as `create aws:s3/bucket:Bucket jane`.
        rejections: the rejected resources.
        findings: the findings about access keys.
        credential_findings: the violations of credential policies.
        waived: the findings that the specs waive, with their waivers.
        warnings: the other warnings.
        errors: the errors, including rejections, each with its source location if the program reported one.
        project: the project's name, or empty if it is unknown.
        account: the account of the credentials, or None if the preview does not have exactly one.
    """

    stack: str
    credential_count: int | None
    credentials: tuple[Change, ...] = ()
    user_count: int = 0
    users: tuple[UserChange, ...] = ()
    policies: tuple[PolicyChange, ...] = ()
    others: tuple[str, ...] = ()
    rejections: tuple[RejectedChange, ...] = ()
    findings: tuple[str, ...] = ()
    credential_findings: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    project: str = ""
    account: str | None = None

    @property
    def is_empty(self) -> bool:
        """Return True if nothing changes or failed, and no finding is waived or violates a credential policy.

        A changed credential policy or waiver changes no resource, so only the findings show it. Other warnings do not
        count.
        """
        changes = self.credentials or self.users or self.policies or self.others
        return not (changes or self.errors or self.credential_findings or self.waived)

    @property
    def removals(self) -> int:
        """Count credentials to delete, replace, reset or deactivate, and IAM users to delete or replace.

        Both slots of a credential count once.
        """
        removed = [change for change in self.credentials if change.is_removal]
        current = {(each.user, each.service, each.name) for each in removed if not each.is_previous}
        previous = {(each.user, each.service, each.name) for each in removed if each.is_previous} - current
        credentials = sum(not each.is_previous for each in removed) + len(previous)
        return credentials + sum(change.is_removal for change in self.users)

    @property
    def rotations(self) -> int:
        """Count credentials to rotate."""
        return sum(Action.ROTATE in change.actions for change in self.credentials)

    @property
    def unmanaged_removals(self) -> int:
        """Count the removals of unmanaged credentials."""
        return sum(change.is_removal and change.is_unmanaged for change in self.credentials)
