"""The decisions of a plan about one credential, rejections among them; pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iamcreds.model import Credential


@dataclass(frozen=True)
class Create:
    """Create a credential; `missing` is the id to import that no longer exists."""

    missing: str | None = None


@dataclass(frozen=True)
class Adopt:
    """Reset an unmanaged credential and manage it."""

    credential: Credential


@dataclass(frozen=True)
class Import:
    """Manage an unmanaged credential as it is."""

    credential: Credential


@dataclass(frozen=True)
class MissingUser:
    """The IAM user does not exist.

    Attributes:
        renamed_to: its new name, if known.
        case_variant: the existing user whose name differs by case only.
    """

    renamed_to: str | None
    case_variant: str | None = None


@dataclass(frozen=True)
class UnknownService:
    """IAM does not support the service."""


@dataclass(frozen=True)
class DeclaredTwice:
    """More resources declare this user and service than their `declared` allows."""

    resources: frozenset[str]


@dataclass(frozen=True)
class InTheWay:
    """Unmanaged credentials block the create."""

    unmanaged: Sequence[Credential]


@dataclass(frozen=True)
class Unproven:
    """Existing credentials that may be managed: this run cannot decide."""

    existing: Sequence[Credential]


@dataclass(frozen=True)
class Ambiguous:
    """More unmanaged credentials than declared ones."""

    unmanaged: Sequence[Credential]


@dataclass(frozen=True)
class NotAdoptable:
    """A reset does not make the unmanaged credential the desired one."""

    credential: Credential


@dataclass(frozen=True)
class NotFound:
    """The credential to import does not exist, and `unmanaged` ones do."""

    credential_id: str
    unmanaged: Sequence[Credential]


@dataclass(frozen=True)
class OfAnother:
    """The credential to import is one of a different user or service."""

    credential: Credential


@dataclass(frozen=True)
class Owned:
    """The credential to import is managed or imported by `owner` (empty: a resource of unknown name)."""

    credential: Credential
    owner: str


@dataclass(frozen=True)
class HasExpired:
    """The credential to import has expired."""

    credential: Credential


@dataclass(frozen=True)
class QuotaExceeded:
    """Both of the two credentials that IAM allows exist or are planned; `owners` has resource names by id."""

    existing: Sequence[Credential]
    owners: Mapping[str, str]


@dataclass(frozen=True)
class Transformed:
    """A transformation changed the resource, so the program's run context is not about it."""

    unmanaged: Sequence[Credential]


Rejection: TypeAlias = (
    MissingUser
    | UnknownService
    | DeclaredTwice
    | InTheWay
    | Unproven
    | Ambiguous
    | NotAdoptable
    | NotFound
    | OfAnother
    | Owned
    | HasExpired
    | QuotaExceeded
    | Transformed
)
Decision: TypeAlias = Create | Adopt | Import | Rejection
