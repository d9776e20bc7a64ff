"""All facts about the credentials of one user and service; pure data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iamcreds.model import Existing, Status
from iamcreds.planning.decisions import Adopt, Create, Import
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from iamcreds.model import Credential
    from iamcreds.planning.decisions import Decision


@dataclass(frozen=True)
class Member:
    """A declared credential.

    Attributes:
        declared: number of credentials that the program declares for this user and service.
        existing: whether an unmanaged credential is adopted, or blocks the creation.
        status: the status after create or adopt.
        lifetime: time from creation to expiry, None for no expiry.
        adopt: id of the credential to import, None for a new one.
        is_lifetime_known: False if a preview does not know the lifetime yet.
        is_renewed: True if it uses the whole quota for its successors, so `declared` is not the number of resources.
        is_certain: False if a transformation may have changed these values or the resource's options.
    """

    declared: int = 1
    existing: Existing = Existing.FAIL
    status: Status = Status.ACTIVE
    lifetime: timedelta | None = None
    adopt: str | None = None
    is_lifetime_known: bool = True
    is_renewed: bool = False
    is_certain: bool = True

    def fits(self, credential: Credential) -> bool:
        """Return True if a reset makes the credential the desired one: it cannot change the expiry."""
        has_lifetime = not self.is_lifetime_known or credential.lifetime == self.lifetime
        return has_lifetime and credential.status is not Status.EXPIRED

    @property
    def adopts(self) -> bool:
        """Return True if it adopts an unmanaged credential."""
        return self.adopt is None and self.existing is Existing.ADOPT


@dataclass(frozen=True)
class Group:
    """All facts about the credentials of one user and service.

    Attributes:
        user: the IAM user's name.
        service: the service's full name.
        members: declared credentials by resource name.
        existing: existing credentials, oldest first.
        owners: resource names by id of managed credentials (empty: a resource of unknown name).
        uncertain: ids without an owner that may be managed all the same.
        is_whole: whether `owners` has every credential that the state has for this user and service.
        replaced: names of resources whose credential is replaced; True if its deletion frees the quota first.
        decided: decisions already returned, by resource name; not of resources that have their credential by now.
        adopted: ids that resources of this run have adopted or imported by now.
        requested: names of resources that take free quota in a narrowed run; None in a run of all resources.
        imports: existing credentials that the program imports, by id, of any user or service.
        has_user: whether the IAM user exists, or is created before its credentials.
        renamed_to: the new name of a missing user, if known.
        case_variant: the existing user whose name differs from a missing user's by case only.
        has_iam_user: whether the program declares the IAM user itself, so that `was` is not supported.
        has_service: whether IAM supports the service.
    """

    user: str
    service: str
    members: Mapping[str, Member]
    existing: Sequence[Credential] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    uncertain: frozenset[str] = frozenset()
    is_whole: bool = True
    replaced: Mapping[str, bool] = field(default_factory=dict)
    decided: Mapping[str, Decision] = field(default_factory=dict)
    adopted: frozenset[str] = frozenset()
    requested: frozenset[str] | None = None
    imports: Mapping[str, Credential] = field(default_factory=dict)
    has_user: bool = True
    renamed_to: str | None = None
    case_variant: str | None = None
    has_iam_user: bool = False
    has_service: bool = True

    @property
    def needing(self) -> dict[str, Member]:
        """Return the declared credentials that do not exist, or are replaced, by resource name in order."""
        having = set(self.owners_of_existing.values()) - self.replaced.keys()
        return {name: self.members[name] for name in sorted(self.members.keys() - having)}

    def count_adopters(self, name: str) -> int:
        """Return how many unmanaged credentials the declared ones of this member's group can adopt at most."""
        member = self.members[name]
        return len(self.needing) if member.is_renewed else member.declared

    @property
    def open(self) -> dict[str, Member]:
        """Return those of them that have no decision yet."""
        return {name: member for name, member in self.needing.items() if name not in self.decided}

    @property
    def owners_of_existing(self) -> dict[str, str]:
        """Return the resource names of managed credentials that exist, by id."""
        return {each.id: self.owners[each.id] for each in self.existing if each.id in self.owners}

    def replaces(self, name: str) -> bool:
        """Return True if a decision about the resource replaces its existing credential."""
        return name in self.owners_of_existing.values()

    @property
    def reserved(self) -> set[str]:
        """Return the resources whose replacement gets the slot of the credential that is deleted first."""
        return {owner for owner in self.owners_of_existing.values() if self.replaced.get(owner)}

    @property
    def importers(self) -> dict[str, str]:
        """Return the ids that resources import, by resource name; a replacement is created, and not imported."""
        new = ((name, member) for name, member in self.needing.items() if name not in self.replaced)
        return {name: member.adopt for name, member in new if member.adopt is not None}

    @property
    def decided_ids(self) -> dict[str, str]:
        """Return the ids that decided resources adopt or import, by resource name."""
        decided = self.decided.items()
        return {name: decision.credential.id for name, decision in decided if isinstance(decision, Adopt | Import)}

    @property
    def unmanaged(self) -> list[Credential]:
        """Return the credentials that no resource has, adopts or imports, oldest first."""
        managed = {*self.owners, *self.decided_ids.values(), *self.importers.values()}
        return [credential for credential in self.existing if credential.id not in managed]

    @property
    def free(self) -> int:
        """Return how many more credentials IAM's quota allows; negative if fewer than none."""
        creates = {name for name, decision in self.decided.items() if isinstance(decision, Create)}
        return MAX_PER_SERVICE - len(self.existing) - len(creates - self.reserved)
