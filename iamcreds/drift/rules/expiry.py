"""Rules about expired credentials and changed lifetimes, and the check of all rules about the expiry; pure."""

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
from iamcreds.drift.rules.expiring import UNPROTECT, check_end, describe_successor, format_expiry, is_declared
from iamcreds.model import Status
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.rules.expiring import ExpiringSoon, ExpiryFacts, RenewalOverdue
    from iamcreds.drift.rules.next_rotation import RotationFacts
    from iamcreds.model import Credential, RecordedCredential


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
            f"has a lifetime of {lifetime} (it expires{format_expiry(existing)})"
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
            return f"{self._keep()}, which keeps it; or {UNPROTECT}"
        step = f"pulumi up, which replaces it{describe_successor(self.desired)}; or {self._keep()}, which keeps it"
        return resolve_first(self.blocked_by, step)

    def _keep(self) -> str:
        """Return the edit of the specs with which an update does not replace the credential."""
        days = self.recorded.age_days if self.existing[0].lifetime_days is None else self.existing[0].lifetime_days
        if days is None:
            return "remove `expire` from the specs"
        return f"declare `after: {days}d`" if is_declared(self.desired) else f"declare `expire: {{after: {days}d}}`"


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
        message, date = f"{self.alias} credential {self.id} expired", format_expiry(self.existing[0])
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
            return UNPROTECT
        return resolve_first(self.blocked_by, f"pulumi up, which replaces it{describe_successor(self.desired)}")


def check_expiry(facts: ExpiryFacts) -> Iterator[Expired | ExpiryDiffers | ExpiringSoon | RenewalOverdue]:
    """Yield the difference about the expiry of a credential, if any."""
    existing, recorded = facts.existing, facts.recorded
    if existing.status is Status.EXPIRED or (existing.expires is not None and existing.expires <= facts.at):
        yield Expired(is_managed=recorded is not None, is_kept=facts.is_kept, **facts.fields)
    elif recorded is not None and _is_replaced(facts.desired[0], recorded, existing):
        due = None if facts.rotation is None else facts.rotation.due
        yield ExpiryDiffers(recorded=recorded, rotation=facts.rotation, due=due, **facts.fields)
    else:
        yield from check_end(facts)


def _is_replaced(desired: DesiredCredential, recorded: RecordedCredential, existing: Credential) -> bool:
    """Return True if the next update replaces the credential because of its lifetime.

    An imported credential keeps the expiry that its specs do not declare, or declare as it is.
    """
    days = desired.expire_after_days
    return days != recorded.age_days and (days is None or days != existing.lifetime_days)
