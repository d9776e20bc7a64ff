"""The facts that decide how the next update rotates a credential, and the texts about them; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import resolve_first
from iamcreds.model import Status
from iamcreds.text.commands import switch_credential

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.desired import DesiredCredential, RotationPolicy
    from iamcreds.model import Credential, RecordedCredential
    from iamcreds.slots import PreviousCredential


@dataclass(frozen=True, kw_only=True)
class RotationFacts:
    """The facts that decide how the next update rotates a credential.

    Attributes:
        desired: the declared credential.
        recorded: the current credential in the stack's state.
        existing: the current credential.
        at: the current time.
        planned: the time from which an update rotates it, unless something prevents that; None for never.
        previous: the previous credential, None without one. While it is Active, no update rotates.
        blocked_by: unmanaged credentials that use the quota of the successor.
    """

    desired: DesiredCredential
    recorded: RecordedCredential
    existing: Credential
    at: datetime
    planned: datetime | None = None
    previous: PreviousCredential | None = None
    blocked_by: tuple[Credential, ...] = ()

    @property
    def is_reset_pending(self) -> bool:
        """True if the next update resets the credential, because its declared `reset` text is a new one."""
        return self.desired.reset not in (None, self.recorded.reset)

    @property
    def is_deactivated(self) -> bool:
        """True if no update rotates the credential, because it was deactivated manually."""
        return self.existing.status is Status.INACTIVE and not self.is_reset_pending

    @property
    def due(self) -> datetime | None:
        """The time since when the rotation is due; None if it is not, or if the next update resets or keeps it."""
        is_due = self.planned is not None and self.planned <= self.at
        return self.planned if is_due and not (self.is_reset_pending or self.is_deactivated) else None

    def describe_reason(self) -> str:
        """Return the reason why no update rotates it now, empty without one."""
        if self.is_deactivated:
            return ". It is not rotated, because it was deactivated outside Pulumi"
        policy = self.desired.rotate
        if policy is not None and policy.not_before is not None and is_deferred(policy, self.at):
            return f". `notBefore` defers its rotation to {policy.not_before:%Y-%m-%d}"
        return ""

    def describe_step(self) -> str:
        """Return the next step by which an update rotates it."""
        if self.is_deactivated:
            activate = switch_credential(self.existing.user, self.existing.id, Status.ACTIVE)
            return f"{activate}, or remove it from the specs"
        is_late = self.desired.rotate is not None and is_deferred(self.desired.rotate, self.at)
        edit = "remove `notBefore` from the specs" if is_late and not self.is_reset_pending else ""
        return self.describe_update(edit)

    def describe_update(self, edit: str = "") -> str:
        """Return the update that rotates it, after an edit of the specs and the resolution of unmanaged credentials."""
        prefix = f"{edit}, then " if edit else ""
        if self.is_reset_pending:
            return f"{prefix}pulumi up, which resets it"
        return resolve_first(self.blocked_by, f"{prefix}{self._describe_rotation()}")

    def _describe_rotation(self) -> str:
        previous = self.previous
        if previous is None or previous.valid_until is None:
            return "pulumi up, which rotates it"
        update = f"pulumi up from {previous.valid_until:%Y-%m-%d} on, which"
        if previous.valid_until == previous.credential.expires:
            return f"{update} rotates it"
        return f"{update} retires {previous.credential.id}; the next one rotates"


def is_deferred(policy: RotationPolicy, at: datetime) -> bool:
    """Return True if `notBefore` defers a rotation that is due."""
    return policy.not_before is not None and policy.not_before > at
