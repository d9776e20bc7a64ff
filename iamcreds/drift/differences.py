"""What differs between desired and live, as data: ids, desired and live as values; `iamcreds.report.wording` has words.

Every finding is a difference, too: between what a policy asks and what is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    from iamcreds.model import AccessKey, Credential, DesiredCredential, Inventory, Place, RecordedCredential, Status


class Kind(StrEnum):
    """What a difference is about; the names are for good."""

    DRIFT = "drift"
    """What is desired and what is live differ."""
    UNMANAGED = "unmanaged"
    """A declared user has a credential that is live and not desired."""
    UNDECLARED = "undeclared"
    """A user whom nobody declared has a credential."""
    FINDING = "finding"
    """As declared, and yet somebody should look: a policy is broken, an end is near."""


@dataclass(frozen=True, kw_only=True)
class _Difference:
    """Something about a user that somebody should know.

    Attributes:
        rule: the name of the rule that is broken; it is for good.
        kind: what it is about.
        user: the IAM user's name.
        service: the service's full name, or empty of what has none.
        place: where the specs say what is desired, or None where they do not.
    """

    rule: ClassVar[str]
    kind: ClassVar[Kind]
    user: str
    service: str = ""
    place: Place | None = None

    @property
    def id(self) -> str:
        """The credential or access key that it is about, or empty where that is several, none or unknown."""
        return ""


@dataclass(frozen=True, kw_only=True)
class MissingUser(_Difference):
    """The account has no such IAM user, who should have the desired credentials.

    Attributes:
        desired: those credentials.
        renamed_to: the user who has credentials whose login is the missing one's, for IAM keeps it when it renames a
            user; None where that is nobody, or not one alone.
        is_made: whether the specs have the user made.
    """

    rule = "missing-user"
    kind = Kind.DRIFT
    desired: tuple[DesiredCredential, ...]
    renamed_to: str | None = None
    is_made: bool = False


@dataclass(frozen=True, kw_only=True)
class _CredentialDifference(_Difference):
    """A difference between declared credentials of one user and service and live ones.

    Attributes:
        desired: the declared ones that it concerns, as the specs have them.
        live: the live ones that it may be about, by id.
        number: how many it is about: of `live` or, of missing ones, of `desired`. Where that are fewer than there
            stand, only the state knows which.
    """

    desired: tuple[DesiredCredential, ...]
    live: tuple[Credential, ...]
    number: int = 1

    @property
    def id(self) -> str:
        """The live credential that it is about, or empty where that is unknown."""
        return self.live[0].id if len(self.live) == 1 else ""


@dataclass(frozen=True, kw_only=True)
class MissingCredential(_CredentialDifference):
    """Fewer are live than declared; `desired` is the one missing, or all of which some are live.

    Attributes:
        recorded: the id that the state has of it; None where the state has none, or was not looked at.
        lives_under: the user who has the recorded one now, for IAM renames users; None where nobody has it.
    """

    rule = "missing-credential"
    kind = Kind.DRIFT
    recorded: str | None = None
    lives_under: str | None = None

    @property
    def id(self) -> str:
        """What is missing has none."""
        return ""


@dataclass(frozen=True, kw_only=True)
class StatusDiffers(_CredentialDifference):
    """A live status is not the declared one; `desired` are those declared to have the status."""

    rule = "status-differs"
    kind = Kind.DRIFT
    status: Status


@dataclass(frozen=True, kw_only=True)
class UnmanagedCredential(_CredentialDifference):
    """More are live than declared; `live` is the one that is unmanaged, or all of which some are declared."""

    rule = "unmanaged-credential"
    kind = Kind.UNMANAGED


@dataclass(frozen=True, kw_only=True)
class ResetPending(_CredentialDifference):
    """The reset trigger of the only one in `desired` is another than the one that the state has: `recorded`."""

    rule = "reset-pending"
    kind = Kind.DRIFT
    recorded: str | None


@dataclass(frozen=True, kw_only=True)
class NoLongerDeclared(_CredentialDifference):
    """The state has a credential that no spec declares, `recorded`; `live` is what there is of it, if anything."""

    rule = "no-longer-declared"
    kind = Kind.DRIFT
    recorded: RecordedCredential
    desired: tuple[DesiredCredential, ...] = ()

    @property
    def id(self) -> str:
        """Its id, live or not."""
        return self.recorded.id


@dataclass(frozen=True, kw_only=True)
class UndeclaredUser(_CredentialDifference):
    """A user whom no spec declares has a credential, the only one in `live`."""

    rule = "undeclared-user"
    kind = Kind.UNDECLARED
    desired: tuple[DesiredCredential, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Expired(_CredentialDifference):
    """The only credential in `live` has expired; `desired` are all declared ones of its user and service."""

    rule = "expired"
    kind = Kind.FINDING


@dataclass(frozen=True, kw_only=True)
class ExpiringSoon(_CredentialDifference):
    """The only credential in `live` expires within the time asked for; `desired` as in `Expired`."""

    rule = "expiring-soon"
    kind = Kind.FINDING


@dataclass(frozen=True, kw_only=True)
class SwitchedOff(_CredentialDifference):
    """One without a declared status is Inactive; `desired` are all declared ones of its user and service."""

    rule = "switched-off"
    kind = Kind.FINDING


@dataclass(frozen=True, kw_only=True)
class MissingWatchedUser(_Difference):
    """A user whose access keys are to be watched does not exist."""

    rule = "missing-user"
    kind = Kind.FINDING


@dataclass(frozen=True, kw_only=True)
class _AccessKeyFinding(_Difference):
    """Access keys break their user's policy: `limit` is what it allows, `live` the keys that it does not."""

    kind = Kind.FINDING
    limit: int
    live: tuple[AccessKey, ...]


@dataclass(frozen=True, kw_only=True)
class TooManyAccessKeys(_AccessKeyFinding):
    """The user has more than `limit` access keys: those in `live`, oldest first."""

    rule = "too-many-access-keys"


@dataclass(frozen=True, kw_only=True)
class _AccessKeyAge(_AccessKeyFinding):
    """The only key in `live` is older than `limit` days, in one way or the other."""

    @property
    def id(self) -> str:
        """The access key's id."""
        return self.live[0].id


@dataclass(frozen=True, kw_only=True)
class AccessKeyTooOld(_AccessKeyAge):
    """The only key in `live` is older than `limit` days."""

    rule = "access-key-too-old"


@dataclass(frozen=True, kw_only=True)
class AccessKeyIdle(_AccessKeyAge):
    """The only key in `live` has not been used for more than `limit` days."""

    rule = "access-key-idle"


CredentialDifference: TypeAlias = (
    MissingCredential
    | StatusDiffers
    | ResetPending
    | NoLongerDeclared
    | UnmanagedCredential
    | UndeclaredUser
    | Expired
    | ExpiringSoon
    | SwitchedOff
)
"""A difference about service-specific credentials."""

AccessKeyFinding: TypeAlias = TooManyAccessKeys | AccessKeyTooOld | AccessKeyIdle
"""A broken policy for access keys."""

Difference: TypeAlias = MissingUser | CredentialDifference | MissingWatchedUser | AccessKeyFinding
"""Everything that a comparison can find."""


@dataclass(frozen=True)
class Drift:
    """What comparing specs with an account found.

    Attributes:
        inventory: what was compared, in full, whatever the filters.
        differences: sorted by kind, user, service, id and rule.
        unsettled: differences, sorted alike, that may be nothing but a list that lags behind what was made just now.
        users: how many users the specs declare, those that the filters leave.
        credentials: how many credentials they declare.
        watched: how many users have a policy for their access keys.
        resets: how many of the credentials have a reset trigger, which only the state can check.
        are_ids_unknown: whether there are live credentials of which only the state knows which declared one each is.
        are_keys_skipped: whether access keys were not looked at because services were asked for.
        ignored: how many credentials of undeclared users are left out, as was asked for.
    """

    inventory: Inventory
    differences: tuple[Difference, ...]
    unsettled: tuple[Difference, ...]
    users: int
    credentials: int
    watched: int
    resets: int
    are_ids_unknown: bool
    are_keys_skipped: bool
    ignored: int

    def by_kind(self, kind: Kind) -> tuple[Difference, ...]:
        """The differences of one kind."""
        return tuple(difference for difference in self.differences if difference.kind is kind)
