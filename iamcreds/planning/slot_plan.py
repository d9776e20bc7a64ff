"""The slots of a credential with successors, and the plan of a run for them; pure data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iamcreds.model import Credential, Existing, Status
from iamcreds.services import Family, service_family

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import RecordedCredential


@dataclass(frozen=True)
class Slot:
    """A slot that the state has.

    Attributes:
        recorded: the credential as the state has it.
        existing: the credential as IAM has it, None if it no longer exists.
    """

    recorded: RecordedCredential
    existing: Credential | None

    @property
    def is_deactivated(self) -> bool:
        """Return True if the credential is Inactive: by specs that declare it, or by a manual deactivation."""
        return self.existing is not None and self.existing.status is Status.INACTIVE

    def works_at(self, now: datetime) -> bool:
        """Return True if the credential exists and has not expired."""
        existing = self.existing
        if existing is None or existing.status is Status.EXPIRED:
            return False
        return existing.expires is None or existing.expires > now


@dataclass(frozen=True)
class StoreFacts:
    """The facts of a secret store about the current credential.

    Attributes:
        is_lost: True if only a new password can be delivered: the store lost it, or never had it, and so did the state.
        is_confirmed: True if the store has the recorded version, so that the provider need not read it.
        is_finished: True if the store has the password of the next rotation, whose run was killed before the state had
            it.
        last_read: the day of the last read (UTC), None if unknown.
    """

    is_lost: bool = False
    is_confirmed: bool = False
    is_finished: bool = False
    last_read: date | None = None


@dataclass(frozen=True)
class SlotPlan:
    """The slots to declare, and the credentials that the plan concerns.

    Attributes:
        slots: the declared slots, the current one first.
        renewed: the credential whose successor is created now, None for none.
        rotated: the credential whose successor is created or reset now, None for none.
        due: the time from which the rotation is due, None without a rotation.
        is_due: True if that time has passed.
        retired: the previous credential, if it is deactivated or deleted because the overlap has ended; None if it was
            activated after an earlier retirement.
        deleted: a credential that is deleted, because it expired or no slot 2 is declared; None for none.
        rotation: the rotation of the recorded current credential.
        waits_until: the end of the overlap that a due rotation waits for, None for none.
        deferral: the reason why a rotation that is due waits for a later run, None for none.
        is_blocked: True if an unmanaged credential leaves no quota for the successor.
        is_reset: True if the current credential is reset.
        is_lost: True if the store has lost the delivered password, so that a rotation is due.
        is_confirmed: True if the store has the recorded version of the current credential.
        is_finished: True if an earlier run has issued and delivered the password of the successor.
    """

    slots: tuple[DesiredCredential, ...]
    renewed: Credential | None = None
    rotated: Credential | None = None
    due: datetime | None = None
    retired: Credential | None = None
    deleted: Credential | None = None
    is_due: bool = False
    rotation: int = 0
    waits_until: datetime | None = None
    deferral: str | None = None
    is_blocked: bool = False
    is_reset: bool = False
    is_lost: bool = False
    is_confirmed: bool = False
    is_finished: bool = False


@dataclass(frozen=True)
class Moment:
    """The facts that all plans of a run share.

    Attributes:
        now: server time, or an earlier or later time for a preview.
        account: 12-digit account ID.
    """

    now: datetime
    account: str


def make_existing(recorded: RecordedCredential) -> Credential:
    """Return a credential as the state has it, for one so young that lists may lack it."""
    return Credential(
        id=recorded.id,
        user=recorded.user,
        service=recorded.service,
        status=recorded.status,
        created=recorded.created,
        family=service_family(recorded.service) or Family.API_KEY,
        login="",
        expires=recorded.expires,
    )


def avoid_adoption(plan: SlotPlan, unmanaged: Iterable[Credential]) -> SlotPlan:
    """Return the plan without `existing: adopt` of a successor that could adopt a credential that expires too early.

    Such a successor would need a successor itself while the renewed credential still uses the quota.
    """
    previous, successor = plan.renewed or plan.rotated, plan.slots[-1]
    if previous is None or successor.existing is not Existing.ADOPT:
        return plan
    if all(each.expires is None or not outlives(previous, each) for each in unmanaged):
        return plan
    return replace(plan, slots=(plan.slots[0], replace(successor, existing=None)))


def outlives(other: Credential, current: Credential) -> bool:
    """Return True if a credential expires at the same time as the current one or later, or never."""
    return other.expires is None or (current.expires is not None and other.expires >= current.expires)
