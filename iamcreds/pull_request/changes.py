"""What a preview would do to credentials, in the domain's words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iamcreds.pull_request.properties import Property


class Action(StrEnum):
    """What is done to a credential; RECORD changes what the state says of it, and nothing in AWS."""

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
"""After these, a password that worked works no more."""


@dataclass(frozen=True, order=True)
class Note:
    """Why, in our words, and the value that it is about, in anybody's."""

    text: str
    value: str = ""


@dataclass(frozen=True, order=True)
class Change:
    """What happens to one credential.

    Attributes:
        user: the IAM user's name.
        name: the name of the resource, or the id of an unmanaged credential.
        service: the service's full name.
        actions: the actions.
        notes: reasons and consequences.
        properties: the changed properties that may be shown.
        place: where it is declared, empty if that is unknown.
        credential_id: the id of the existing credential, empty if there is none or if it is unknown.
        enforces: the declared status that `up` sends, `Active` or `Inactive`, or empty.
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


class UserAction(StrEnum):
    """What is done to an IAM user, or to a policy that is attached to one; LET_GO leaves it in IAM."""

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
    """What happens to an IAM user or, where `policy` is an ARN, to its attachment to the user."""

    user: str
    policy: str
    actions: tuple[UserAction, ...]
    notes: tuple[Note, ...] = ()
    place: str = ""

    @property
    def is_removal(self) -> bool:
        """Whether the user goes, and all that the user may do."""
        return not self.policy and not {UserAction.DELETE, UserAction.REPLACE}.isdisjoint(self.actions)


@dataclass(frozen=True, order=True)
class PolicyChange:
    """An access-key policy of a user that is declared, changed or taken away (None)."""

    user: str
    before: str | None
    after: str | None


@dataclass(frozen=True, order=True)
class Refusal:
    """The reason for which `up` rejects a resource; nothing is done to the resource."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True)
class Plan:
    """All that a preview would do; `credentials` is how many the stack has before, None where the preview hides it.

    `iam_users` is how many users it has before that it has made itself.
    `account` is the account of its credentials, None if the preview names no account or several.
    `errors` are the errors of the preview, rejections among them, each with its location if the program reported it.
    """

    stack: str
    credentials: int | None
    changes: tuple[Change, ...] = ()
    iam_users: int = 0
    users: tuple[UserChange, ...] = ()
    policies: tuple[PolicyChange, ...] = ()
    others: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    project: str = ""
    account: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing went wrong; findings and warnings alone are for drift runs."""
        return not (self.changes or self.users or self.policies or self.others or self.errors)

    @property
    def removals(self) -> int:
        """How many credentials are deleted, replaced, reset or switched off, and IAM users deleted or replaced."""
        credentials = sum(not REMOVALS.isdisjoint(change.actions) for change in self.changes)
        return credentials + sum(change.is_removal for change in self.users)
