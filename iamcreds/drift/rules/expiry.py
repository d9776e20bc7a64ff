"""Rules about expired and soon expiring credentials, and the check that applies them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import (
    CredentialDifference,
    Kind,
    Words,
    format_delete,
    list_desired,
    resolve_first,
)
from iamcreds.due_dates import find_successor_date, has_lifetime, is_overdue
from iamcreds.model import Status
from iamcreds.services import Family
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.rules.next_rotation import RotationFacts
    from iamcreds.model import Credential, RecordedCredential, SourceLocation

_UNPROTECT = (
    "remove `protect` from the specs and run pulumi state unprotect, then pulumi up, which replaces the credential"
)


@dataclass(frozen=True, kw_only=True)
class ExpiryDiffers(CredentialDifference):
    """The declared lifetime of the only credential in `desired` differs from the applied one.

    Attributes:
        recorded: the credential in the stack's state.
        blocked_by: unmanaged credentials that prevent an update from replacing it.
        rotation: the facts of the rotation of one that is rotated instead of replaced, None without a rotation.
    """

    rule = "expiry-differs"
    meaning = (
        "the declared `expire` differs from the applied one: `pulumi up` replaces the key, or rotates it with `rotate`"
        " (only with `--state`)"
    )
    kind = Kind.DRIFT
    seriousness = 15
    recorded: RecordedCredential
    blocked_by: tuple[Credential, ...] = ()
    rotation: RotationFacts | None = None

    def describe(self) -> Words:
        """Report both lifetimes, and the expiry date."""
        (existing,), days = self.existing, self.desired[0].expire_after_days
        lifetime = "no expiry" if existing.lifetime is None else format_count(existing.lifetime.days, "day")
        actual = (
            f"has a lifetime of {lifetime} (it expires{_format_date(existing)})"
            if existing.expires
            else "never expires"
        )
        declared = "without `expire`" if days is None else f"with `expire: {{after: {days}d}}`"
        desired = "no expiry" if days is None else format_count(days, "day")
        message = f"{self.alias} credential {self.id} {actual}, but it is declared {declared}"
        reason = "" if self.rotation is None else self.rotation.describe_reason()
        return Words(f"{message}{reason}", self._describe_step(), desired, lifetime)

    def _describe_step(self) -> str:
        if self.rotation is not None and not self.rotation.is_reset_pending:
            return f"{self.rotation.describe_step()}; or {self._keep()}, which keeps it"
        if self.recorded.is_protected or self.desired[0].protect:
            return f"{self._keep()}, which keeps it; or {_UNPROTECT}"
        step = f"pulumi up, which replaces it{_describe_successor(self.desired)}; or {self._keep()}, which keeps it"
        return resolve_first(self.blocked_by, step)

    def _keep(self) -> str:
        """Return the edit of the specs with which an update does not replace the credential."""
        days = self.recorded.age_days if self.existing[0].lifetime_days is None else self.existing[0].lifetime_days
        if days is None:
            return "remove `expire` from the specs"
        return f"declare `after: {days}d`" if _is_declared(self.desired) else f"declare `expire: {{after: {days}d}}`"


@dataclass(frozen=True, kw_only=True)
class Expired(CredentialDifference):
    """The only credential in `existing` has expired. `desired` are all declared ones of its user and service.

    Attributes:
        is_managed: True if the stack's state has it, and False if the state is unknown.
        is_kept: True if an update does not replace it, because it was deactivated manually before.
        blocked_by: unmanaged credentials that prevent an update from replacing it.
    """

    rule = "expired"
    meaning = "a credential of a declared user and service has expired"
    kind = Kind.FINDING
    seriousness = 22
    is_managed: bool = False
    is_kept: bool = False
    blocked_by: tuple[Credential, ...] = ()

    def describe(self) -> Words:
        """Report the expiry date, if IAM returns one."""
        message, date = f"{self.alias} credential {self.id} expired", _format_date(self.existing[0])
        kept = ", and is not replaced, because it was deactivated manually before its expiry" if self.is_kept else ""
        return Words(f"{message}{date}{kept}", self._describe_step(), list_desired(self.desired), f"Expired{date}")

    def _describe_step(self) -> str:
        if not self.is_managed:
            return f"pulumi up, which replaces it if the stack manages it; otherwise {format_delete(self.existing[0])}"
        if self.is_kept:
            return (
                "change its `reset` in the specs and run pulumi up, which replaces it; or remove the credential from"
                " the specs"
            )
        if self.desired[0].protect:
            return _UNPROTECT
        return resolve_first(self.blocked_by, f"pulumi up, which replaces it{_describe_successor(self.desired)}")


@dataclass(frozen=True, kw_only=True)
class ExpiringSoon(CredentialDifference):
    """The only credential in `existing` expires soon. `desired` are all declared ones of its user and service.

    Attributes:
        is_quota_used: True if the quota of this user and service is used by existing or declared credentials.
        blocked_by: unmanaged credentials that prevent an update from creating another one.
        renewal_due: the time from which an update creates its successor; None without a renewal or rotation before.
        rotation: the facts of its rotation; None without one, or if the state is unknown.
    """

    rule = "expiring-soon"
    meaning = (
        "a credential of a declared user and service expires within 14 days, or within `--expiring-within`; with"
        " `renewBefore` or `rotate`, its renewal or rotation is due"
    )
    kind = Kind.FINDING
    seriousness = 23
    is_quota_used: bool = False
    blocked_by: tuple[Credential, ...] = ()
    renewal_due: datetime | None = None
    rotation: RotationFacts | None = None

    def describe(self) -> Words:
        """Report the expiry date, and the date of the renewal."""
        message, date = f"{self.alias} credential {self.id} expires", _format_date(self.existing[0])
        noun = "renewal" if self.desired[0].rotate is None else "rotation"
        due = "" if self.renewal_due is None else f", and its {noun} was due on {self.renewal_due:%Y-%m-%d}"
        return Words(f"{message}{date}{due}", self._describe_step(), list_desired(self.desired), f"expires{date}")

    def _describe_step(self) -> str:
        if self.renewal_due is not None and self.rotation is not None:
            return self.rotation.describe_step()
        if self.renewal_due is not None:
            verb = "renews" if self.desired[0].rotate is None else "rotates"
            return resolve_first(self.blocked_by, f"pulumi up, which {verb} it")
        is_replaced = _is_declared(self.desired) and not has_lifetime(self.desired[0], self.existing[0])
        if is_replaced and self.desired[0].rotate is None:
            return f"pulumi up, which replaces it{_describe_successor(self.desired)}"
        step = f"after the expiry, run pulumi up, which replaces it{_describe_successor(self.desired)}"
        if self.desired[0].rotate is not None:
            step = f"remove `notBefore` from the specs, then pulumi up, which rotates it; or {step}"
        elif self.is_quota_used:
            step += " (the quota is used, so a new one cannot be created before the expiry)"
        elif _is_declared(self.desired) and self.desired[0].status is None:  # which is not valid next to `renewBefore`
            step = f"declare `renewBefore`, so that pulumi up creates its successor before the expiry; or {step}"
        else:
            step = "declare a second one with a new `name` before the expiry, because an expiry cannot be changed"
        return resolve_first(self.blocked_by, f"{step}{self._suggest_expiry()}")

    def _suggest_expiry(self) -> str:
        """Return the line of the specs by which its successor expires as well, if they do not have it."""
        (existing,) = self.existing
        is_declared = any(each.expire_after_days is not None for each in self.desired)
        if is_declared or existing.lifetime_days is None or existing.family is not Family.API_KEY:
            return ""
        return f". Declare `expire: {{after: {existing.lifetime_days}d}}`, otherwise its successor does not expire"


def check_expiry(  # noqa: PLR0913 - independent facts
    existing: Credential,
    desired: tuple[DesiredCredential, ...],
    location: SourceLocation,
    at: datetime,
    soon: timedelta,
    *,
    is_quota_used: bool,
    recorded: RecordedCredential | None = None,
    is_kept: bool = False,
    blocked_by: tuple[Credential, ...] = (),
    rotation: RotationFacts | None = None,
) -> Iterator[Expired | ExpiryDiffers | ExpiringSoon]:
    """Yield the difference about the expiry of a credential, if any; an expiry within `soon` after `at` is one.

    With `renewBefore` or `rotate`, the finding begins when the renewal, or the rotation before the expiry, is due. An
    Inactive credential, which gets no successor, and an overdue rotation are different findings.
    `recorded` is the credential in the state, if that is known, and `rotation` has the facts of its rotation.
    """
    due = find_successor_date(desired[0], existing) if len(desired) == 1 else None
    is_reported = recorded is not None and is_overdue(desired[0], recorded, at)
    is_due = existing.status is Status.ACTIVE and due is not None and due <= at and not is_reported
    user, service = existing.user, existing.service
    if existing.status is Status.EXPIRED or (existing.expires is not None and existing.expires <= at):
        yield Expired(
            user=user,
            service=service,
            location=location,
            desired=desired,
            existing=(existing,),
            is_managed=recorded is not None,
            is_kept=is_kept,
            blocked_by=blocked_by,
        )
    elif recorded is not None and _is_replaced(desired[0], recorded, existing):
        yield ExpiryDiffers(
            user=user,
            service=service,
            location=location,
            desired=desired,
            existing=(existing,),
            recorded=recorded,
            blocked_by=blocked_by,
            rotation=rotation,
        )
    elif is_due or (due is None and existing.expires is not None and existing.expires - at <= soon):
        yield ExpiringSoon(
            user=user,
            service=service,
            location=location,
            desired=desired,
            existing=(existing,),
            is_quota_used=is_quota_used,
            blocked_by=blocked_by,
            renewal_due=due,
            rotation=rotation,
        )


def _is_replaced(desired: DesiredCredential, recorded: RecordedCredential, existing: Credential) -> bool:
    """Return True if the next update replaces the credential because of its lifetime.

    An imported credential keeps the expiry that its specs do not declare, or declare as it is.
    """
    days = desired.expire_after_days
    return days != recorded.age_days and (days is None or days != existing.lifetime_days)


def _is_declared(desired: tuple[DesiredCredential, ...]) -> bool:
    return len(desired) == 1 and desired[0].expire_after_days is not None


def _describe_successor(desired: tuple[DesiredCredential, ...]) -> str:
    """Return the lifetime of the successor, if the specs declare it."""
    return f" with one that expires after {desired[0].expire_after_days} days" if _is_declared(desired) else ""


def _format_date(existing: Credential) -> str:
    return "" if existing.expires is None else f" on {existing.expires:%Y-%m-%d}"
