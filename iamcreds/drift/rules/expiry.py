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
from iamcreds.model import Status
from iamcreds.services import Family
from iamcreds.slots import find_renewal_date

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from iamcreds.model import Credential, DesiredCredential, SourceLocation


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
        kept = ", and is not replaced, because it was deactivated manually before" if self.is_kept else ""
        return Words(f"{message}{date}{kept}", self._describe_step(), list_desired(self.desired), f"Expired{date}")

    def _describe_step(self) -> str:
        if not self.is_managed:
            return f"pulumi up, which replaces it if the stack manages it; otherwise {format_delete(self.existing[0])}"
        if self.is_kept:
            return "change its `reset` in the specs and run pulumi up, which replaces it; or remove it from the specs"
        if self.desired[0].protect:
            return (
                "remove `protect` from the specs and run pulumi state unprotect, "
                "then pulumi up, which replaces the credential"
            )
        return resolve_first(self.blocked_by, f"pulumi up, which replaces it{_describe_successor(self.desired)}")


@dataclass(frozen=True, kw_only=True)
class ExpiringSoon(CredentialDifference):
    """The only credential in `existing` expires soon. `desired` are all declared ones of its user and service.

    Attributes:
        is_quota_used: True if the quota of this user and service is used by existing or declared credentials.
        blocked_by: unmanaged credentials that prevent an update from creating another one.
        renewal_due: the time from which an update creates its successor, None without `renewBefore`.
    """

    rule = "expiring-soon"
    meaning = (
        "a credential of a declared user and service expires within 14 days, or within `--expiring-within`; one with"
        " `renewBefore`: its renewal is due"
    )
    kind = Kind.FINDING
    seriousness = 23
    is_quota_used: bool = False
    blocked_by: tuple[Credential, ...] = ()
    renewal_due: datetime | None = None

    def describe(self) -> Words:
        """Report the expiry date, and the date of the renewal."""
        message, date = f"{self.alias} credential {self.id} expires", _format_date(self.existing[0])
        due = "" if self.renewal_due is None else f", and its renewal was due on {self.renewal_due:%Y-%m-%d}"
        return Words(f"{message}{date}{due}", self._describe_step(), list_desired(self.desired), f"expires{date}")

    def _describe_step(self) -> str:
        if self.renewal_due is not None:
            return resolve_first(self.blocked_by, "pulumi up, which renews it")
        step = f"run pulumi up after the expiry, which replaces it{_describe_successor(self.desired)}"
        if self.is_quota_used:
            step += " (the quota is used, so no new one can be created before)"
        elif _is_declared(self.desired):
            step = f"declare `renewBefore`, so that pulumi up creates its successor before; or {step}"
        else:
            step = "declare a second one with a new `name` before, because an expiry cannot be changed"
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
    is_managed: bool = False,
    is_kept: bool = False,
    blocked_by: tuple[Credential, ...] = (),
) -> Iterator[Expired | ExpiringSoon]:
    """Yield the finding about the expiry of a credential, if any; an expiry within `soon` after `at` is one.

    For a credential with `renewBefore`, it is one from the date of its renewal, unless the credential is Inactive,
    which is a finding of its own: it is not renewed.
    """
    due = find_renewal_date(desired[0], existing.expires) if len(desired) == 1 else None
    is_due = existing.status is Status.ACTIVE and due is not None and due <= at
    user, service = existing.user, existing.service
    if existing.status is Status.EXPIRED or (existing.expires is not None and existing.expires <= at):
        yield Expired(
            user=user,
            service=service,
            location=location,
            desired=desired,
            existing=(existing,),
            is_managed=is_managed,
            is_kept=is_kept,
            blocked_by=blocked_by,
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
        )


def _is_declared(desired: tuple[DesiredCredential, ...]) -> bool:
    return len(desired) == 1 and desired[0].expire_after_days is not None


def _describe_successor(desired: tuple[DesiredCredential, ...]) -> str:
    """Return the lifetime of the successor, if the specs declare it."""
    return f" with one that expires after {desired[0].expire_after_days} days" if _is_declared(desired) else ""


def _format_date(existing: Credential) -> str:
    return "" if existing.expires is None else f" on {existing.expires:%Y-%m-%d}"
