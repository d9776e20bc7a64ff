"""The changes that a preview shows, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.pull_request.properties import Property


class Action(StrEnum):
    """An action on a credential; RECORD changes the state only, and nothing in AWS."""

    CREATE = "create"
    ADOPT = "adopt"
    REPLACE = "replace"
    DELETE = "delete"
    RENAME = "rename"
    RESET = "reset"
    SWITCH_OFF = "switch off"
    SWITCH_ON = "switch on"
    PROTECT = "protect"
    UNPROTECT = "unprotect"
    RECORD = "record"


REMOVALS = frozenset({Action.DELETE, Action.REPLACE, Action.RESET, Action.SWITCH_OFF})
"""The actions after which a working password no longer works."""


@dataclass(frozen=True, order=True)
class Note:
    """A reason or consequence in our words, and its value, which is anybody's text."""

    text: str
    value: str = ""


@dataclass(frozen=True, order=True)
class Change:
    """The change of one credential.

    Attributes:
        user: the IAM user's name.
        name: the name of the resource, or the id of an unmanaged credential.
        service: the service's full name.
        actions: the actions.
        notes: reasons and consequences.
        properties: the changed properties that may be shown.
        place: where it is declared or, if it is deleted, was declared; empty if that is unknown.
        credential_id: the id of the existing credential, empty if there is none or if it is unknown.
        enforces: the declared status that `up` sends, `Active` or `Inactive`, or empty.
        created: the creation date of the existing credential in UTC, None if there is none or if it is unknown.
    """

    user: str
    name: str
    service: str
    actions: tuple[Action, ...]
    notes: tuple[Note, ...] = ()
    properties: tuple[Property, ...] = ()
    place: str = ""
    credential_id: str = ""
    enforces: str = ""
    created: datetime | None = field(default=None, compare=False)

    @property
    def is_unmanaged(self) -> bool:
        """Return True if the credential exists and the state does not have it: it is adopted, or has no resource."""
        return Action.ADOPT in self.actions or self.name == self.credential_id

    @property
    def is_removal(self) -> bool:
        """Return True if a working password no longer works afterwards."""
        return not REMOVALS.isdisjoint(self.actions)


class UserAction(StrEnum):
    """An action on an IAM user or an attached policy; LET_GO leaves it in IAM."""

    CREATE = "create"
    IMPORT = "import"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    LET_GO = "let go"
    PROTECT = "protect"
    UNPROTECT = "unprotect"
    ATTACH = "attach"
    DETACH = "detach"


@dataclass(frozen=True, order=True)
class UserChange:
    """The change of an IAM user or, if `policy` is an ARN, of its attachment to the user."""

    user: str
    policy: str
    actions: tuple[UserAction, ...]
    notes: tuple[Note, ...] = ()
    place: str = ""

    @property
    def is_removal(self) -> bool:
        """Return True if the user is deleted or replaced."""
        return not self.policy and not {UserAction.DELETE, UserAction.REPLACE}.isdisjoint(self.actions)


@dataclass(frozen=True, order=True)
class PolicyChange:
    """The change of a user's access-key policy; None for no policy."""

    user: str
    before: str | None
    after: str | None


@dataclass(frozen=True, order=True)
class RejectedChange:
    """The reason for which `up` rejects a resource; nothing is done to the resource."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True)
class Changes:
    """All changes that a preview shows.

    Attributes:
        stack: the stack's name, empty if it is unknown.
        credential_count: number of credentials in the state, None if the preview does not list every resource.
        credentials: the changes of credentials.
        user_count: number of IAM users in the state.
        users: the changes of IAM users and of policies attached to them.
        policies: the changes of access-key policies.
        others: the changes of all other resources, such as `create aws:s3/bucket:Bucket jane`.
        rejections: the rejected resources.
        findings: the findings about access keys.
        warnings: the other warnings.
        errors: the errors, rejections among them, each with its location if the program reported it.
        project: the project's name, empty if it is unknown.
        account: the account of the credentials, None if the preview names no account or several.
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
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    project: str = ""
    account: str | None = None

    @property
    def is_empty(self) -> bool:
        """Return True if nothing changes and nothing failed; findings and warnings are for drift runs."""
        return not (self.credentials or self.users or self.policies or self.others or self.errors)

    @property
    def removals(self) -> int:
        """Count the credentials that are deleted, replaced, reset or switched off, and removed IAM users."""
        credentials = sum(change.is_removal for change in self.credentials)
        return credentials + sum(change.is_removal for change in self.users)

    @property
    def unmanaged_removals(self) -> int:
        """Count the removals of credentials that the state does not have."""
        return sum(change.is_removal and change.is_unmanaged for change in self.credentials)
