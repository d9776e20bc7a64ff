"""What is to be done about a credential that a stack does not have yet: create it, adopt a live one, or refuse; pure.

The preview asks, and the run that follows asks again, so what the one refuses the other would not have done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from iamcreds.model import Credential, Existing, Status
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Wanted:
    """The credential that is to be.

    Attributes:
        user: the IAM user's name.
        service: the service's full name.
        declared: how many of this user and service the program declares.
        existing: what to do about one that is live and foreign.
        age_days: days until it expires, None for never.
        adopt: the id of the live credential that it is to be, None for a new one.
        is_lifetime_known: whether `age_days` is known already; until then any lifetime may be wanted.
    """

    user: str
    service: str
    declared: int = 1
    existing: Existing = Existing.FAIL
    age_days: int | None = None
    adopt: str | None = None
    is_lifetime_known: bool = True


@dataclass(frozen=True)
class Situation:
    """What there is for that user and service.

    Attributes:
        live: the live credentials, oldest first.
        owners: the stack's own, by id: the name of the resource that has it, empty where it is not known.
        unread: those of them that this run was not asked about. An older one of the same resource, which a
            replacement could not delete, is then not known either.
        is_whole: whether `owners` has what every resource of the state has; where not, nobody can tell what is foreign.
        leaving: ids that are deleted before the create.
        adopted: ids that siblings are about to adopt.
        claimed: ids that the specs of siblings name to be adopted.
        named: the live credential that the spec of this one names to be adopted, whosever it is.
        coming: how many credentials siblings are about to create.
        has_user: whether the IAM user exists, or is made before the credential.
        renamed_to: what IAM calls the user of the stack's own credential now, where that is another name.
        has_service: whether AWS knows the service.
        declaring: the names of the resources that declare the same user and service.
        adopters: the lifetimes, in days or None, of the siblings that will adopt what they find, when their turn comes.
    """

    live: Sequence[Credential] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    is_whole: bool = True
    leaving: frozenset[str] = frozenset()
    adopted: frozenset[str] = frozenset()
    claimed: frozenset[str] = frozenset()
    named: Credential | None = None
    coming: int = 0
    has_user: bool = True
    renamed_to: str | None = None
    has_service: bool = True
    declaring: frozenset[str] = frozenset()
    adopters: Sequence[int | None] = ()

    @property
    def staying(self) -> tuple[Credential, ...]:
        """The live credentials that are there when the create comes."""
        return tuple(live for live in self.live if live.id not in self.leaving)

    @property
    def foreign(self) -> tuple[Credential, ...]:
        """Those of them that no resource of the stack has or is about to adopt."""
        known = {*self.owners, *self.adopted, *self.claimed}
        return tuple(live for live in self.staying if live.id not in known)

    @property
    def unproven(self) -> tuple[Credential, ...]:
        """Those of the foreign that may be the stack's own all the same."""
        if not self.is_whole:
            return self.foreign
        successors = [live.created for live in self.live if live.id in self.unread]
        return tuple(live for live in self.foreign if any(live.created <= created for created in successors))


@dataclass(frozen=True)
class Create:
    """Nothing is in the way: make a new one."""


@dataclass(frozen=True)
class Adopt:
    """Take this one over, by Reset."""

    credential: Credential


@dataclass(frozen=True)
class AdoptNamed:
    """Take this one over as it is, because the spec names it."""

    credential: Credential


@dataclass(frozen=True)
class MissingUser:
    """The IAM user does not exist; `renamed_to` is what IAM calls it now, if the stack's own credential tells."""

    renamed_to: str | None


@dataclass(frozen=True)
class UnknownService:
    """AWS knows no such credentials of the service."""


@dataclass(frozen=True)
class DeclaredTwice:
    """More resources declare this user and service than they say."""

    resources: frozenset[str]


@dataclass(frozen=True)
class InTheWay:
    """Live and foreign: no resource of the stack has it, and its password is unknown."""

    foreign: Sequence[Credential]


@dataclass(frozen=True)
class Unproven:
    """Live, and this run cannot tell whether it is the stack's own."""

    live: Sequence[Credential]


@dataclass(frozen=True)
class Ambiguous:
    """More is live and foreign than could be adopted: nobody said which."""

    foreign: Sequence[Credential]


@dataclass(frozen=True)
class NotAdoptable:
    """Live and foreign, and no Reset makes it what is wanted: it has expired, or its expiry is another."""

    credential: Credential


@dataclass(frozen=True)
class NotLive:
    """Named to be adopted, and not live."""

    credential_id: str


@dataclass(frozen=True)
class OfAnother:
    """Named to be adopted, and another user's or service's."""

    credential: Credential


@dataclass(frozen=True)
class Owned:
    """Named to be adopted, and a resource of the stack has it (empty: its name is not known), or adopts it as well."""

    credential: Credential
    owner: str


@dataclass(frozen=True)
class HasExpired:
    """Named to be adopted, and at its end."""

    credential: Credential


@dataclass(frozen=True)
class NoPlace:
    """Both of IAM's places are taken by the stack's own; `owners` tells by which resources."""

    taken: Sequence[Credential]
    owners: Mapping[str, str]


Refusal: TypeAlias = (
    MissingUser
    | UnknownService
    | DeclaredTwice
    | InTheWay
    | Unproven
    | Ambiguous
    | NotAdoptable
    | NotLive
    | OfAnother
    | Owned
    | HasExpired
    | NoPlace
)
Decision: TypeAlias = Create | Adopt | AdoptNamed | Refusal


def decide(wanted: Wanted, situation: Situation) -> Decision:  # noqa: PLR0911 - one for each kind
    """What is to be done so that the stack has one credential more of this user and service."""
    if not situation.has_user:
        return MissingUser(situation.renamed_to)
    if not situation.has_service:
        return UnknownService()
    if len(situation.declaring) > wanted.declared:
        return DeclaredTwice(situation.declaring)
    if wanted.adopt is not None:
        return _decide_about_named(wanted, wanted.adopt, situation)
    if situation.foreign and not _is_for_siblings(wanted, situation):
        return _decide_about_foreign(wanted, situation)
    if len(situation.staying) + situation.coming >= MAX_PER_SERVICE:
        return NoPlace(situation.staying, situation.owners)
    return Create()


def _decide_about_named(wanted: Wanted, credential_id: str, situation: Situation) -> Decision:
    named = situation.named
    if named is None:
        return NotLive(credential_id)
    if (named.user, named.service) != (wanted.user, wanted.service):
        return OfAnother(named)
    if named.id in situation.owners or named.id in situation.adopted:
        return Owned(named, situation.owners.get(named.id, ""))
    if not situation.is_whole or named in situation.unproven:
        return Unproven((named,))
    if named.status is Status.EXPIRED:
        return HasExpired(named)
    is_as_declared = wanted.age_days is None or fits(named, wanted)
    return AdoptNamed(named) if is_as_declared else NotAdoptable(named)


def _is_for_siblings(wanted: Wanted, situation: Situation) -> bool:
    """Whether siblings will adopt all that is foreign: whoever is asked first, the decision is the same.

    One that adopts as well leaves it to them where it cannot itself.
    """
    adopts = wanted.existing is Existing.ADOPT and fits(situation.foreign[0], wanted)
    return not adopts and not situation.unproven and not _left_by_siblings(situation)


def _left_by_siblings(situation: Situation) -> Sequence[Credential]:
    """What is foreign when siblings have adopted theirs, the oldest first; all of it where they cannot."""
    foreign, adopters = situation.foreign, situation.adopters
    theirs = foreign[: len(adopters)]
    can = all(any(_is_adoptable(live, days) for days in adopters) for live in theirs)
    return foreign[len(theirs) :] if can else foreign


def _decide_about_foreign(wanted: Wanted, situation: Situation) -> Decision:
    foreign, unproven = situation.foreign, situation.unproven
    if unproven:
        is_free = not situation.is_whole and len(situation.staying) + situation.coming < wanted.declared
        return Create() if is_free else Unproven(unproven)
    if wanted.existing is Existing.FAIL:
        return InTheWay(_left_by_siblings(situation))
    if len(foreign) > wanted.declared:
        return Ambiguous(foreign)
    return Adopt(foreign[0]) if fits(foreign[0], wanted) else NotAdoptable(foreign[0])


def fits(live: Credential, wanted: Wanted) -> bool:
    """Whether a Reset makes a live credential what is wanted."""
    if not wanted.is_lifetime_known:
        return live.status is not Status.EXPIRED
    return _is_adoptable(live, wanted.age_days)


def _is_adoptable(live: Credential, age_days: int | None) -> bool:
    """Whether a Reset makes it what is wanted; an expiry is whole days after creation, and Reset does not move it."""
    lifetime = None if age_days is None else timedelta(days=age_days)
    return live.status is not Status.EXPIRED and live.lifetime == lifetime
