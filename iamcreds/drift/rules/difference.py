"""The base class of all rules, and the texts that several rules share.

A rule is a frozen dataclass derived from `Difference`. Its fields are values, and its methods return texts. Output
formats and documents use only the base class, so a new rule needs no other change.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from iamcreds.model import Severity
from iamcreds.services import service_alias
from iamcreds.text.commands import delete_credential
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import AccessKey, Credential, Inventory, SourceLocation

_MAX_TRIGGER = 60
"""The maximum length of a `reset` or `trigger` text in a message."""


class Kind(StrEnum):
    """The kinds of differences; the names are persisted."""

    DRIFT = "drift"
    """The desired and the actual state differ."""
    UNMANAGED = "unmanaged"
    """A declared user has an unmanaged credential."""
    UNDECLARED = "undeclared"
    """An undeclared user has a credential."""
    FINDING = "finding"
    """The account is as declared, but a policy is violated or an expiry is near."""

    @property
    def severity(self) -> Severity:
        """The severity of every difference of this kind."""
        return Severity.ERROR if self is Kind.DRIFT else Severity.WARNING


@dataclass(frozen=True)
class Words:
    """The texts of a difference.

    Attributes:
        message: a sentence that does not contain the user name.
        next: the next step on one line: a command to paste, in which names in capitals are placeholders, or an edit of
            the specs.
        desired: the desired state, or None.
        existing: the actual state, or None.
    """

    message: str
    next: str
    desired: str | None = None
    existing: str | None = None


class Values(NamedTuple):
    """The number of affected credentials or keys, and the values of a difference for the JSON document."""

    number: int
    desired: Sequence[DesiredCredential] | Mapping[str, int | tuple[str, ...]] | None
    existing: Sequence[Credential] | Sequence[AccessKey] | Mapping[str, str] | None


@dataclass(frozen=True, kw_only=True)
class Difference(ABC):
    """A difference between the specs and the account, or a violated policy, of one user.

    Attributes:
        rule: the name of the rule; it is persisted.
        meaning: the condition that violates the rule, for the documents, SARIF and the HTML report.
        kind: the kind of the difference.
        seriousness: the sort key of lists, most serious first. From 10: undesired access; from 20: missing desired
            access; from 30: a violated policy; from 40: a deliberate change.
        user: the IAM user's name.
        service: the service's full name, or empty.
        location: the source location of the desired state, or None if no spec declares it.
        due: the time since when a renewal or rotation is due that resolves the difference; None without one.
    """

    rule: ClassVar[str]
    meaning: ClassVar[str]
    kind: ClassVar[Kind]
    seriousness: ClassVar[int]
    user: str
    service: str = ""
    location: SourceLocation | None = None
    due: datetime | None = None

    @property
    def id(self) -> str:
        """The id of the credential or access key, or empty if it is unknown or not exactly one."""
        return ""

    @property
    def subject(self) -> tuple[str, ...]:
        """The names that, with rule, kind, user and service, identify the difference in later runs."""
        return (self.id,)

    @abstractmethod
    def describe(self) -> Words:
        """Return the texts of the difference and its next step."""

    @abstractmethod
    def values(self) -> Values:
        """Return the desired and the actual state as values."""

    def may_be_lag(self, _inventory: Inventory) -> bool:
        """Return True if eventual consistency may explain the difference: a list may lack a recent change."""
        return False

    def may_be_outdated(self, _inventory: Inventory) -> bool:
        """Return True if a recent change that list results lack may invalidate the difference."""
        return False

    def format_sentence(self) -> str:
        """Return the message with its user and rule: `jane: … [missing-credential]`."""
        return escape_invisible(f"{self.user}: {self.describe().message} [{self.rule}]")

    def format_line(self) -> str:
        """Return the sentence with its source location: `specs/jane.yaml:4:9: jane: … [missing-credential]`."""
        return self.format_sentence() if self.location is None else f"{self.location}: {self.format_sentence()}"


@dataclass(frozen=True, kw_only=True)
class CredentialDifference(Difference):
    """A difference between the declared and the existing credentials of one user and service.

    Attributes:
        desired: the declared credentials.
        existing: the existing credentials.
        number: the number of affected credentials in `existing` or, if credentials are missing, in `desired`. If it is
            smaller than the length of the tuple, only the state shows which ones are affected.
    """

    desired: tuple[DesiredCredential, ...] = ()
    existing: tuple[Credential, ...]
    number: int = 1

    @property
    def id(self) -> str:
        """The id of the existing credential, or empty if it is unknown."""
        return self.existing[0].id if len(self.existing) == 1 else ""

    @property
    def alias(self) -> str:
        """The service's short name."""
        return service_alias(self.service)

    def values(self) -> Values:
        """Return the declared and the existing credentials."""
        return Values(self.number, self.desired, self.existing)

    def describe_some(self) -> str:
        """Describe the existing credentials of which only the state shows the affected ones."""
        return (
            f"{self.number} of the {self.alias} credentials {' and '.join(existing.id for existing in self.existing)}"
        )


def list_desired(desired: Iterable[DesiredCredential]) -> str:
    """Return the names and declared statuses of credentials."""
    return ", ".join(each.name if each.status is None else f"{each.name} {each.status}" for each in desired)


def list_existing(existing: Iterable[Credential | AccessKey]) -> str:
    """Return the ids and statuses of existing credentials or access keys."""
    return ", ".join(f"{each.id} {each.status}" for each in existing)


def call_by_new_name(former: str, user: str) -> str:
    """Return the edit of the specs that keeps the credentials of a renamed user."""
    return (
        f"rename user {former} to {user} in the specs and add `was: {former}`, which keeps the credentials;"
        " then pulumi up"
    )


def format_state(existing: Credential) -> str:
    """Return the status and creation date of an existing credential."""
    return f"{existing.status}, created on {existing.created:%Y-%m-%d}"


def quote_trigger(text: str | None) -> str:
    """Return a `reset` or `trigger` text for a message."""
    return escape_invisible(json.dumps(shorten(text or "", _MAX_TRIGGER), ensure_ascii=False))


def resolve_first(unmanaged: Sequence[Credential], step: str) -> str:
    """Return a step, preceded by the resolution of the unmanaged credentials that block it."""
    ids = " and ".join(existing.id for existing in unmanaged)
    return f"resolve unmanaged {ids} first (see unmanaged-credential), then {step}" if unmanaged else step


def format_delete(existing: Credential) -> str:
    """Return the command that deletes an existing credential."""
    return delete_credential(existing.user, existing.id)
