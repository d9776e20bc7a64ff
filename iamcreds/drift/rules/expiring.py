"""Rules about credentials that expire soon, and about renewals that are overdue; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iamcreds.drift.rules.difference import CredentialDifference, Kind, Words, list_desired, resolve_first
from iamcreds.due_dates import find_overdue_renewal, find_successor_date, has_lifetime, is_overdue
from iamcreds.model import Status
from iamcreds.services import Family
from iamcreds.text.commands import switch_credential

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.rules.next_rotation import RotationFacts
    from iamcreds.model import Credential, RecordedCredential, SourceLocation

UNPROTECT = (
    "remove `protect` from the specs and run pulumi state unprotect, then pulumi up, which replaces the credential"
)
"""The steps with which an update replaces a protected credential."""


@dataclass(frozen=True, kw_only=True)
class RenewalOverdue(CredentialDifference):
    """The only credential in `existing`, the current one of `desired`, should have a successor by now.

    Attributes:
        due: the time from which an update creates its successor.
        overdue: the time from which the renewal is overdue.
        blocked_by: unmanaged credentials that use the quota of the successor.
    """

    rule = "renewal-overdue"
    meaning = (
        "more than half of `renewBefore` has passed since the renewal of a credential was due, and it has no successor"
    )
    kind = Kind.FINDING
    seriousness = 23
    due: datetime
    overdue: datetime
    blocked_by: tuple[Credential, ...] = ()

    def describe(self) -> Words:
        """Report both dates of the renewal, and the expiry date."""
        date = format_expiry(self.existing[0])
        message = (
            f"{self.alias} credential {self.id} has no successor, and its renewal has been overdue since"
            f" {self.overdue:%Y-%m-%d} (due since {self.due:%Y-%m-%d}). It expires{date}"
        )
        step = resolve_first(self.blocked_by, "pulumi up, which renews it")
        return Words(message, step, list_desired(self.desired), f"expires{date}")


@dataclass(frozen=True, kw_only=True)
class ExpiringSoon(CredentialDifference):
    """The only credential in `existing` expires soon. `desired` are all declared ones of its user and service.

    Attributes:
        recorded: the credential in the stack's state, None if the state is unknown.
        is_kept: True if an update does not replace it after its expiry, because it was deactivated manually before.
        is_quota_used: True if the quota of this user and service is used by existing or declared credentials.
        blocked_by: unmanaged credentials that prevent an update from creating another one.
        rotation: the facts of its rotation; None without one, or if the state is unknown.
    """

    rule = "expiring-soon"
    meaning = (
        "a credential of a declared user and service expires within 14 days, or within `--expiring-within`; with"
        " `renewBefore` or `rotate`, its renewal, or its rotation before the expiry, is due"
    )
    kind = Kind.FINDING
    seriousness = 24
    recorded: RecordedCredential | None = None
    is_kept: bool = False
    is_quota_used: bool = False
    blocked_by: tuple[Credential, ...] = ()
    rotation: RotationFacts | None = None

    def describe(self) -> Words:
        """Report the expiry date, and the date of the renewal, rotation or replacement."""
        date = format_expiry(self.existing[0])
        message = f"{self.alias} credential {self.id} expires{date}{self._describe_plan()}"
        return Words(message, self._describe_step(), list_desired(self.desired), f"expires{date}")

    def _describe_plan(self) -> str:
        """Return the effect of later updates."""
        policy = self.desired[0].rotate
        if self.due is not None:
            noun = "renewal" if policy is None else "rotation"
            return f", and its {noun} has been due since {self.due:%Y-%m-%d}"
        if policy is not None and policy.not_before is not None:
            return f", and `notBefore` defers its rotation to {policy.not_before:%Y-%m-%d}"
        return self._describe_replacement()

    def _describe_replacement(self) -> str:
        """Return the effect of later updates on a credential that is neither renewed nor rotated before its expiry."""
        if self.is_kept:
            return ", and pulumi up does not replace it, because it was deactivated manually"
        if self._has_other_lifetime:
            return ", and the next pulumi up replaces it, because its lifetime is not the declared one"
        if self.recorded is None:
            return ". If the stack manages it, pulumi up replaces it from then on"
        if self._is_protected:
            return ", and `protect` prevents its replacement"
        return ", and pulumi up replaces it from then on"

    def _describe_step(self) -> str:
        if self.due is not None and self.rotation is not None:
            return self.rotation.describe_step()
        if self.due is not None:
            verb = "renews" if self.desired[0].rotate is None else "rotates"
            return resolve_first(self.blocked_by, f"pulumi up, which {verb} it")
        if self.is_kept:
            activate = switch_credential(self.existing[0].user, self.id, Status.ACTIVE)
            return f"{activate}, or remove it from the specs"
        if self._has_other_lifetime and self.desired[0].rotate is None:
            return f"pulumi up, which replaces it{describe_successor(self.desired)}"
        step = f"after the expiry, run pulumi up, which replaces it{describe_successor(self.desired)}"
        if self._is_protected:
            step = f"after the expiry, {UNPROTECT}"
        if self.desired[0].rotate is not None:
            step = f"remove `notBefore` from the specs, then pulumi up, which rotates it; or {step}"
        elif self.is_quota_used:
            step += " (the quota is used, so a new one cannot be created before the expiry)"
        elif is_declared(self.desired) and self.desired[0].status is None:  # which is not valid next to `renewBefore`
            step = f"declare `renewBefore`, so that pulumi up creates its successor before the expiry; or {step}"
        else:
            step = "declare a second one with a new `name` before the expiry, because an expiry cannot be changed"
        return resolve_first(self.blocked_by, f"{step}{self._suggest_expiry()}")

    @property
    def _is_protected(self) -> bool:
        """True if the engine does not replace it."""
        return self.desired[0].protect or (self.recorded is not None and self.recorded.is_protected)

    @property
    def _has_other_lifetime(self) -> bool:
        """True if the next update replaces it already, because its lifetime is not the declared one."""
        return is_declared(self.desired) and not has_lifetime(self.desired[0], self.existing[0])

    def _suggest_expiry(self) -> str:
        """Return the line of the specs by which its successor expires as well, if they do not have it."""
        (existing,) = self.existing
        is_ending = any(each.expire_after_days is not None for each in self.desired)
        if is_ending or existing.lifetime_days is None or existing.family is not Family.API_KEY:
            return ""
        return f". Declare `expire: {{after: {existing.lifetime_days}d}}`, otherwise its successor does not expire"


@dataclass(frozen=True, kw_only=True)
class ExpiryFacts:
    """The facts from which the differences about the expiry of a credential follow.

    Attributes:
        existing: the credential.
        desired: all declared ones of its user and service, or the only one that it may be.
        location: the source location of a difference.
        at: the current time.
        soon: the time before an expiry in which it is a finding.
        is_quota_used: True if the quota of this user and service is used by existing or declared credentials.
        recorded: the credential in the stack's state, None if the state is unknown.
        is_kept: True if an update does not replace it after its expiry, because it was deactivated manually before.
        blocked_by: unmanaged credentials that prevent an update from creating another one.
        rotation: the facts of its rotation; None without one, or if the state is unknown.
        previous: its previous credential, None without one.
        is_ambiguous: True if a different existing credential may be the declared one.
    """

    existing: Credential
    desired: tuple[DesiredCredential, ...]
    location: SourceLocation
    at: datetime
    soon: timedelta
    is_quota_used: bool
    recorded: RecordedCredential | None = None
    is_kept: bool = False
    blocked_by: tuple[Credential, ...] = ()
    rotation: RotationFacts | None = None
    previous: Credential | None = None
    is_ambiguous: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that all differences about the expiry have."""
        names = {"user": self.existing.user, "service": self.existing.service, "location": self.location}
        return {**names, "desired": self.desired, "existing": (self.existing,), "blocked_by": self.blocked_by}

    @property
    def is_rotation_overdue(self) -> bool:
        """True if its rotation is overdue, which is a finding of its own."""
        return self.recorded is not None and is_overdue(self.desired[0], self.recorded, self.at)

    @property
    def successor_date(self) -> datetime | None:
        """The time from which an update renews it, or rotates it because of its expiry; None if none does."""
        return find_successor_date(self.desired[0], self.existing, self.previous) if len(self.desired) == 1 else None

    @property
    def overdue_renewal(self) -> datetime | None:
        """The time from which its renewal is overdue, None for never, or if its successor may exist."""
        is_known = len(self.desired) == 1 and self.desired[0].rotate is None and not self.is_ambiguous
        return find_overdue_renewal(self.desired[0], self.existing, self.previous) if is_known else None

    def make_soon(self, due: datetime | None = None) -> ExpiringSoon:
        """Return the finding; `due` is the time from which an update renews or rotates the credential."""
        names = ("recorded", "is_kept", "is_quota_used", "rotation")
        return ExpiringSoon(due=due, **{name: getattr(self, name) for name in names}, **self.fields)


def check_end(facts: ExpiryFacts) -> Iterator[ExpiringSoon | RenewalOverdue]:
    """Yield the finding about a coming expiry, if any.

    With `renewBefore` or `rotate`, it begins when the renewal, or the rotation before the expiry, is due. An Inactive
    credential, which gets no successor, and an overdue rotation are different findings.
    """
    existing, due, overdue = facts.existing, facts.successor_date, facts.overdue_renewal
    if due is None:
        if existing.expires is not None and existing.expires - facts.at <= facts.soon:
            yield facts.make_soon()
    elif existing.status is not Status.ACTIVE or due > facts.at or facts.is_rotation_overdue:
        return
    elif overdue is not None and overdue <= facts.at:
        yield RenewalOverdue(due=due, overdue=overdue, **facts.fields)
    else:
        yield facts.make_soon(due if facts.rotation is None else facts.rotation.due or due)


def is_declared(desired: tuple[DesiredCredential, ...]) -> bool:
    """Return True if only one credential is declared, with an expiry."""
    return len(desired) == 1 and desired[0].expire_after_days is not None


def describe_successor(desired: tuple[DesiredCredential, ...]) -> str:
    """Return the lifetime of the successor, if the specs declare it."""
    return f" with one that expires after {desired[0].expire_after_days} days" if is_declared(desired) else ""


def format_expiry(existing: Credential) -> str:
    """Return the date of the expiry after a preposition, empty if IAM returns none."""
    return "" if existing.expires is None else f" on {existing.expires:%Y-%m-%d}"
