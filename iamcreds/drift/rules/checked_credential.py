"""A credential to compare with its user's policy, and the steps that resolve a violation; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import format_delete
from iamcreds.model import Status
from iamcreds.text.commands import switch_credential

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.desired import DesiredCredential, RotationPolicy
    from iamcreds.drift.rules.next_rotation import RotationFacts
    from iamcreds.model import Credential, SourceLocation


@dataclass(frozen=True, kw_only=True)
class CheckedCredential:
    """A credential to compare with its user's policy.

    Attributes:
        user: the IAM user's name.
        service: the service's full name.
        status: the status, in a run the one after it.
        existing: the existing credential, None for one that a run creates.
        issued: the time of the last create or reset, None if unknown; then the creation time counts.
        is_age_known: False if the age of the secret is unknown, or the run issues a new secret.
        is_declared: True if `age_days` is from the declaration of this credential.
        age_days: the declared lifetime in days, None for no expiry.
        is_managed: True if the stack has the credential, or the run creates it; None if that is unknown.
        is_imported: True if specs import the credential by its id in this run.
        is_previous: True for the previous credential of a renewed or rotated one; only its actual values count.
        retirement: the time from which an update retires this previous credential; None if that is unknown, or if it
            does not.
        rotate: the rotation of the credential, None for none, or if its declaration is unknown.
        rotation: the facts of its next rotation; None without one, or if the state is unknown.
        has_protect: True if the specs protect the credential.
        is_protected: True if the state protects it.
        name: the declared name, or empty.
        desired: the declared credential; all of its user and service if that is unknown.
        location: the source location for a finding.
    """

    user: str
    service: str
    status: Status = Status.ACTIVE
    existing: Credential | None = None
    issued: datetime | None = None
    is_age_known: bool = True
    is_declared: bool = True
    age_days: int | None = None
    is_managed: bool | None = True
    is_imported: bool = False
    is_previous: bool = False
    retirement: datetime | None = None
    rotate: RotationPolicy | None = None
    rotation: RotationFacts | None = None
    has_protect: bool = False
    is_protected: bool = False
    name: str = ""
    desired: tuple[DesiredCredential, ...] = ()
    location: SourceLocation | None = None

    @property
    def unprotect(self) -> tuple[str, ...]:
        """The step without which an update cannot delete or replace the credential."""
        return ("run pulumi state unprotect",) if self.has_protect or self.is_protected else ()

    def describe_removal(self) -> str:
        """Return the edit that removes the credential."""
        return " and ".join(("remove the credential from the specs", *self.unprotect))

    def describe_expiry(self, days: int) -> str:
        """Return the edit that declares a lifetime, with the steps without which the next update rejects it."""
        expire = self._declare_expiry(days)
        existing = self.existing
        if existing is not None and self.is_managed is False and existing.lifetime_days != days:
            origin = " without `adopt`" if self.is_imported else ""
            return f"delete the existing one ({format_delete(existing)}) and {expire}{origin}"
        protect = ("remove `protect`",) if self.has_protect else ()
        steps = (*protect, *self.unprotect)
        return f"{', '.join(steps)} and {expire}" if steps else expire

    def _declare_expiry(self, days: int) -> str:
        hours = self.desired[0].renew_before_hours if len(self.desired) == 1 else None
        if hours is None:
            return f"declare `expire: {{after: {days}d}}` in the specs"
        return f"declare `after: {days}d`{'' if hours < days * 24 else ' and a shorter `renewBefore`'} in the specs"

    def describe_update(self, effect: str) -> str:
        """Return the update that deletes or replaces the credential without an edit of the specs."""
        update = f"pulumi up, which {effect} it"
        return ", then ".join((*self.unprotect, update))

    def describe_end(self, existing: Credential) -> str:
        """Return the next step of a previous credential, which works until its expiry or retirement."""
        deactivate = switch_credential(existing.user, existing.id, Status.INACTIVE)
        is_retired = self.retirement is not None and (existing.expires is None or self.retirement < existing.expires)
        if self.retirement is not None and is_retired:
            return (
                f"if its successor is in use: {deactivate}; or run pulumi up from {self.retirement:%Y-%m-%d} on, which"
                " retires it"
            )
        end = "" if existing.expires is None else "; or run pulumi up after the expiry, which deletes it"
        return f"if its successor is in use: {deactivate}{end}"
