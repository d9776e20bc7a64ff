"""Rules about credentials that violate their user's policy, and the check that drift and previews apply; pure."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from iamcreds.drift.rules.difference import CredentialDifference, Kind, Values, Words, format_delete
from iamcreds.drift.rules.next_rotation import is_deferred
from iamcreds.model import Status
from iamcreds.services import Family, service_alias, service_family
from iamcreds.slots import describe_previous
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.desired import CredentialPolicy, RotationPolicy
    from iamcreds.drift.rules.checked_credential import CheckedCredential
    from iamcreds.model import Credential

_SUGGESTED_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class CredentialFinding(CredentialDifference):
    """A credential violates its user's policy. `existing` is empty for one that a run creates.

    Attributes:
        field: the limit's name in the specs.
        is_removal: True if only the removal of the credential resolves the finding.
        effect: the effect of an update if the specs need no edit.
        limit: the limit: a number of days, or full names of services.
        checked: the credential.
    """

    kind = Kind.FINDING
    field: ClassVar[str]
    is_removal: ClassVar[bool] = False
    effect: ClassVar[str] = "replaces"
    limit: int | tuple[str, ...]
    checked: CheckedCredential

    @property
    def label(self) -> str:
        """The service with the id, or with the name of a credential that does not exist yet."""
        name = "" if self.checked.name == self.alias else self.checked.name
        is_previous = self.existing and self.checked.is_previous
        previous = f" ({describe_previous(self.existing[0], self.checked.retirement)})" if is_previous else ""
        return f"{self.alias} credential {self.id or name}".rstrip() + previous

    @property
    @abstractmethod
    def edit(self) -> str:
        """The edit of the specs that resolves the finding, empty if they have it already."""

    @property
    def next(self) -> str:
        """The next step: an edit and an update of a managed credential, the deletion of an unmanaged one."""
        update = self.describe_update()
        if self.checked.is_previous:
            return update if self.is_removal else self.checked.describe_end(self.existing[0])
        if self.checked.is_managed and not self.checked.is_declared:
            return self.checked.describe_update("deletes")
        if self.checked.is_managed or (self.checked.is_managed is None and self.desired):
            return update
        return f"if the credential is no longer needed: {format_delete(self.existing[0])}"

    def describe_update(self) -> str:
        """Return the update of a managed credential, after an edit of the specs if that is necessary."""
        return f"{self.edit}, then pulumi up" if self.edit else self.checked.describe_update(self.effect)

    def values(self) -> Values:
        """Return the limit and the credential."""
        return Values(1, {self.field: self.limit}, self.existing)


@dataclass(frozen=True, kw_only=True)
class CredentialTooOld(CredentialFinding):
    """The password or API key of the credential is older than `limit` days.

    `is_deferred` is True if `notBefore` defers its rotation.
    """

    rule = "credential-too-old"
    meaning = "the password or API key of an active credential is older than maxAgeDays (only with `--state`)"
    seriousness = 33
    field = "maxAgeDays"
    effect = "rotates"
    limit: int
    is_deferred: bool = False

    @property
    def edit(self) -> str:
        """The edit that issues a new secret; for a rotating credential one that keeps the overlap."""
        if self.checked.rotate is None:
            return "change `reset` in the specs"
        interval = self._declare_interval(self.checked.rotate)
        if self.is_deferred:
            return (
                f"{interval} and remove `notBefore` in the specs" if interval else "remove `notBefore` from the specs"
            )
        return f"{interval} in the specs" if interval else ""

    def describe_update(self) -> str:
        """Return the update that issues a new secret, after an edit of the specs if that is necessary."""
        rotation = self.checked.rotation
        return super().describe_update() if rotation is None else rotation.describe_update(self.edit)

    def _declare_interval(self, policy: RotationPolicy) -> str:
        """Return the declaration with which every password is retired in time, empty if the specs have it."""
        hours = self.limit * 24 - policy.overlap_hours  # the previous password works until the overlap ends
        if policy.every_hours is not None and policy.every_hours <= hours:
            return ""
        is_valid = policy.overlap_hours * 5 <= hours // 24 * 24 * 4
        return f"declare `every: {hours // 24}d`" if is_valid else "declare a shorter `every` and `overlap`"

    def describe(self) -> Words:
        """Report the limit and the date of the last create or reset, or the creation date if it is unknown."""
        issued, created = self.checked.issued, self.existing[0].created
        unknown = f"created on {created:%Y-%m-%d} (the date of a later reset is unknown)"
        since = f"issued on {issued:%Y-%m-%d}" if issued else unknown
        secret = "API key" if service_family(self.service) is Family.API_KEY else "password"
        days = format_count(self.limit, "day")
        message = f"{secret} of {self.label} is older than {days}: {since}"
        return Words(message, self.next, f"at most {days} old", since)


@dataclass(frozen=True, kw_only=True)
class NoExpiry(CredentialFinding):
    """The credential, or its declared successor, never expires."""

    rule = "no-expiry"
    meaning = "an active credential of a service in requireExpiry, or its declaration, has no expiry"
    seriousness = 34
    field = "requireExpiry"
    days: int

    @property
    def edit(self) -> str:
        """The edit that declares an expiry."""
        is_declared = self.existing and self.checked.age_days is not None
        return "" if is_declared else self.checked.describe_expiry(self.days)

    def describe(self) -> Words:
        """Report the missing expiry."""
        expires = self.existing[0].expires if self.existing else None
        if expires is not None:
            message = f"{self.label} expires on {expires:%Y-%m-%d}, but it is declared without `expire`"
            return Words(f"{message}, so its replacement never expires", self.next, "an expiry", "no `expire`")
        verb = "never expires" if self.existing else "is declared without `expire`"
        return Words(f"{self.label} {verb}, but the policy requires an expiry", self.next, "an expiry", "no expiry")


@dataclass(frozen=True, kw_only=True)
class LifetimeTooLong(CredentialFinding):
    """The lifetime of the credential, or the declared one, is longer than `limit` days."""

    rule = "lifetime-too-long"
    meaning = "the actual or declared lifetime of an active credential is longer than maxLifetimeDays"
    seriousness = 35
    field = "maxLifetimeDays"
    limit: int
    is_declared_too_long: bool

    @property
    def edit(self) -> str:
        """The edit that declares the maximum."""
        is_fixed = self.checked.age_days is not None and not self.is_declared_too_long
        return "" if is_fixed else self.checked.describe_expiry(self.limit)

    def describe(self) -> Words:
        """Report the lifetime and the limit."""
        lifetime = self.existing[0].lifetime if self.existing else None
        is_too_long = lifetime is not None and lifetime > timedelta(days=self.limit)
        days = lifetime.days if lifetime is not None and is_too_long else self.checked.age_days or 0
        verb = "has" if is_too_long else "is declared with"
        most, actual = f"at most {format_count(self.limit, 'day')}", format_count(days, "day")
        message = f"{self.label} {verb} a lifetime of {actual}, but the policy allows {most}"
        return Words(message, self.next, most, actual)


@dataclass(frozen=True, kw_only=True)
class ServiceNotAllowed(CredentialFinding):
    """The policy does not allow credentials of this service."""

    rule = "service-not-allowed"
    meaning = "the service of an active or inactive credential is not in `services`"
    seriousness = 36
    field = "services"
    is_removal = True
    limit: tuple[str, ...]

    @property
    def edit(self) -> str:
        """The edit that removes the credential."""
        return self.checked.describe_removal()

    def describe(self) -> Words:
        """Report the allowed services."""
        allowed = ", ".join(map(service_alias, self.limit))
        message = f"{self.label} is not allowed: the policy allows only {allowed}"
        return Words(message, self.next, allowed, self.alias)


def check_credential(
    policy: CredentialPolicy, checked: CheckedCredential, now: datetime
) -> Iterator[CredentialFinding]:
    """Yield the violations of a user's credential policy.

    `services` applies to all credentials. The limits of age and lifetime apply to active ones only, because an inactive
    or expired credential gives no access. A limit is violated by more than its number of days.
    """
    facts: dict[str, Any] = {
        **{name: getattr(checked, name) for name in ("user", "service", "location", "desired")},
        "existing": () if checked.existing is None else (checked.existing,),
        "checked": checked,
    }
    if policy.services and checked.service not in policy.services:
        yield ServiceNotAllowed(limit=policy.services, **facts)
    if checked.status is not Status.ACTIVE:
        return
    if policy.max_age_days is not None and _is_too_old(checked, policy.max_age_days, now):
        is_late = checked.rotate is not None and is_deferred(checked.rotate, now)
        yield CredentialTooOld(limit=policy.max_age_days, is_deferred=is_late, **facts)
    if checked.service in policy.require_expiry and _lacks_expiry(checked):
        yield NoExpiry(limit=policy.require_expiry, days=_suggest_days(policy, checked.existing), **facts)
    if policy.max_lifetime_days is not None:
        yield from _check_lifetime(checked, policy.max_lifetime_days, facts)


def _is_too_old(checked: CheckedCredential, limit: int, now: datetime) -> bool:
    if checked.existing is None or not checked.is_age_known:
        return False
    return now - (checked.issued or checked.existing.created) > timedelta(days=limit)


def _lacks_expiry(checked: CheckedCredential) -> bool:
    is_endless = checked.existing is not None and checked.existing.expires is None
    return is_endless or (checked.is_declared and checked.age_days is None)


def _suggest_days(policy: CredentialPolicy, existing: Credential | None) -> int:
    """Return a lifetime within the policy: the existing one, with which `expire` replaces nothing, if possible."""
    lifetime, most = None if existing is None else existing.lifetime, policy.max_lifetime_days
    days = _SUGGESTED_DAYS if lifetime is None else max(1, lifetime.days)
    return days if most is None else min(days, most)


def _check_lifetime(checked: CheckedCredential, limit: int, facts: dict[str, Any]) -> Iterator[LifetimeTooLong]:
    lifetime = None if checked.existing is None else checked.existing.lifetime
    is_declared_too_long = checked.is_declared and (checked.age_days or 0) > limit
    if is_declared_too_long or (lifetime is not None and lifetime > timedelta(days=limit)):
        yield LifetimeTooLong(limit=limit, is_declared_too_long=is_declared_too_long, **facts)
