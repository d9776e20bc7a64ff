"""The base of every rule, and the words that several rules share.

A rule is a frozen dataclass below `Difference`. Its fields are values, its methods put them into words. Every form of
output, the documents included, asks the rule and names none, so that a new rule needs no other change.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from iamcreds.model import Severity
from iamcreds.services import service_alias
from iamcreds.text.commands import delete_credential
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from iamcreds.model import AccessKey, Credential, DesiredCredential, Inventory, Place


class Kind(StrEnum):
    """The kinds of differences; the names are persisted."""

    DRIFT = "drift"
    """The desired and the actual state differ."""
    UNMANAGED = "unmanaged"
    """A declared user has a credential that no spec declares."""
    UNDECLARED = "undeclared"
    """A user whom no spec declares has a credential."""
    FINDING = "finding"
    """The account is as declared, but a policy is violated or an expiry is near."""

    @property
    def severity(self) -> Severity:
        """The severity of every difference of this kind."""
        return Severity.ERROR if self is Kind.DRIFT else Severity.WARNING


@dataclass(frozen=True)
class Words:
    """A difference in words.

    Attributes:
        message: a sentence about the user that does not name the user.
        next: the next step on one line: a command that can be pasted, except for names in capitals, or an edit of the
            specs.
        desired: the desired state, None for none.
        live: the actual state, None for none.
    """

    message: str
    next: str
    desired: str | None = None
    live: str | None = None


class Values(NamedTuple):
    """The number of credentials or keys that a difference is about, and its values for the JSON document."""

    number: int
    desired: Sequence[DesiredCredential] | Mapping[str, int] | None
    live: Sequence[Credential] | Sequence[AccessKey] | Mapping[str, str] | None


@dataclass(frozen=True, kw_only=True)
class Difference(ABC):
    """A difference between the specs and the account, or a violated policy, of one user.

    Attributes:
        rule: the name of the rule; it is persisted.
        meaning: the condition that violates the rule, for the documents, SARIF and the HTML report.
        kind: the kind of the difference.
        seriousness: the rank in lists that begin with the most serious rule: from 10 an access that is not desired,
            from 20 a desired access that is missing, from 30 a violated policy, from 40 a deliberate change.
        user: the IAM user's name.
        service: the service's full name, empty for none.
        place: the source location of the desired state, None if the specs have none.
    """

    rule: ClassVar[str]
    meaning: ClassVar[str]
    kind: ClassVar[Kind]
    seriousness: ClassVar[int]
    user: str
    service: str = ""
    place: Place | None = None

    @property
    def id(self) -> str:
        """The id of the credential or access key; empty for several, none or an unknown one."""
        return ""

    @property
    def subject(self) -> tuple[str, ...]:
        """The names that, with rule, kind, user and service, identify the difference in later runs."""
        return (self.id,)

    @abstractmethod
    def describe(self) -> Words:
        """Put the difference and the next step into words."""

    @abstractmethod
    def values(self) -> Values:
        """Return the desired and the actual state as values."""

    def may_be_lag(self, _inventory: Inventory) -> bool:
        """Return True if a list that does not show a recent change yet explains the difference."""
        return False

    def may_be_outdated(self, _inventory: Inventory) -> bool:
        """Return True if a recent change that no list shows yet may contradict the difference."""
        return False

    def format_sentence(self) -> str:
        """Return the difference with its user and rule: `jane: … [missing-credential]`."""
        return escape_invisible(f"{self.user}: {self.describe().message} [{self.rule}]")

    def format_line(self) -> str:
        """Return the sentence in the form of a compiler's: `specs/jane.yaml:4:9: jane: … [missing-credential]`."""
        return self.format_sentence() if self.place is None else f"{self.place}: {self.format_sentence()}"


@dataclass(frozen=True, kw_only=True)
class CredentialDifference(Difference):
    """A difference between the declared and the existing credentials of one user and service.

    Attributes:
        desired: the declared credentials that it concerns.
        live: the existing credentials that it may be about, by id.
        number: the number of credentials that it is about: of `live` or, if they are missing, of `desired`. If it is
            smaller than their number, only the state knows which.
    """

    desired: tuple[DesiredCredential, ...] = ()
    live: tuple[Credential, ...]
    number: int = 1

    @property
    def id(self) -> str:
        """The id of the existing credential, empty if it is unknown."""
        return self.live[0].id if len(self.live) == 1 else ""

    @property
    def alias(self) -> str:
        """The service's short name."""
        return service_alias(self.service)

    def values(self) -> Values:
        """Return the declared and the existing credentials."""
        return Values(self.number, self.desired, self.live)

    def describe_some(self) -> str:
        """Describe the existing credentials if only the state knows which of them are meant."""
        return f"{self.number} of the {self.alias} credentials {' and '.join(live.id for live in self.live)}"


def list_desired(desired: Iterable[DesiredCredential]) -> str:
    """List declared credentials by name, with their declared statuses."""
    return ", ".join(wanted.name if wanted.status is None else f"{wanted.name} {wanted.status}" for wanted in desired)


def list_live(live: Iterable[Credential | AccessKey]) -> str:
    """List existing credentials or access keys by id, with their statuses."""
    return ", ".join(f"{found.id} {found.status}" for found in live)


def call_by_new_name(former: str, user: str) -> str:
    """Return the edit of the specs that keeps the credentials of a renamed user."""
    return (
        f"call user {former} in the specs {user}, and add `was: {former}`, which keeps the credentials; then pulumi up"
    )


def format_state(live: Credential) -> str:
    """Return an existing credential's status and date of creation."""
    return f"{live.status}, created on {live.created:%Y-%m-%d}"


def resolve_first(unmanaged: Sequence[Credential], step: str) -> str:
    """Return the step of an update that unmanaged credentials block, with the step that has to precede it."""
    ids = " and ".join(live.id for live in unmanaged)
    return f"resolve unmanaged {ids} first (see unmanaged-credential), then {step}" if unmanaged else step


def format_delete(live: Credential) -> str:
    """Return the command that deletes an existing credential."""
    return delete_credential(live.user, live.id)
