"""Rules about rotations that are overdue or pending, and the check that applies them; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iamcreds.drift.rules.difference import CredentialDifference, Kind, Words, quote_trigger, resolve_first
from iamcreds.due_dates import find_issue, find_overdue_date, is_triggered
from iamcreds.model import Status
from iamcreds.services import Family
from iamcreds.text.commands import switch_credential
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential, RecordedCredential
    from iamcreds.slots import PreviousCredential


@dataclass(frozen=True, kw_only=True)
class RotationDifference(CredentialDifference):
    """The only credential in `existing`, the current one of `desired`, should have been rotated by now.

    Attributes:
        recorded: the credential in the stack's state.
        previous: the previous credential, None without one. While it is Active, no update rotates.
        blocked_by: unmanaged credentials that use the quota of the successor.
    """

    recorded: RecordedCredential
    previous: PreviousCredential | None = None
    blocked_by: tuple[Credential, ...] = ()

    def describe_reason(self) -> str:
        """Return the reason why no update rotates it, empty without one."""
        if self.existing[0].status is Status.INACTIVE and not self._is_reset_pending:
            return ". It is not rotated, because it was deactivated outside Pulumi"
        return ""

    def describe_step(self) -> str:
        """Return the next step."""
        (existing,), previous = self.existing, self.previous
        if self._is_reset_pending:
            return "pulumi up, which resets it"
        if existing.status is Status.INACTIVE:
            activate = switch_credential(existing.user, existing.id, Status.ACTIVE)
            return f"{activate}, or remove it from the specs"
        if previous is not None and previous.credential.status is Status.ACTIVE and previous.retirement is not None:
            date = f"{previous.retirement:%Y-%m-%d}"
            return f"pulumi up from {date} on, which retires {previous.credential.id}; the next one rotates"
        return resolve_first(self.blocked_by, "pulumi up, which rotates it")

    @property
    def _is_reset_pending(self) -> bool:
        return _is_reset_pending(self.desired[0], self.recorded)


@dataclass(frozen=True, kw_only=True)
class RotationOverdue(RotationDifference):
    """The password or API key is older than `every` and the tolerance.

    Attributes:
        due: the time from which the rotation is overdue.
    """

    rule = "rotation-overdue"
    meaning = "a rotating password or API key is more than 5% older than `every` (only with `--state`)"
    kind = Kind.FINDING
    seriousness = 37
    due: datetime

    def describe(self) -> Words:
        """Report the date of the last create or reset, the date of the rotation, and the expiry if there is one."""
        (existing,) = self.existing
        secret = "API key" if existing.family is Family.API_KEY else "password"
        issued = f"issued on {find_issue(self.recorded):%Y-%m-%d}"
        end = "" if existing.expires is None else f". It expires on {existing.expires:%Y-%m-%d}"
        message = (
            f"{secret} of {self.alias} credential {self.id} was {issued}, and its rotation has been overdue since"
            f" {self.due:%Y-%m-%d}{self.describe_reason()}{end}"
        )
        return Words(message, self.describe_step(), _format_interval(self.desired[0]), issued)


@dataclass(frozen=True, kw_only=True)
class RotationPending(RotationDifference):
    """The declared trigger differs from the recorded one."""

    rule = "rotation-pending"
    meaning = "the declared `trigger` text differs from the applied one (only with `--state`)"
    kind = Kind.DRIFT
    seriousness = 16

    def describe(self) -> Words:
        """Report both triggers."""
        desired, recorded = quote_trigger(self.desired[0].trigger), quote_trigger(self.recorded.trigger)
        message = f"{self.alias} credential {self.id} has a pending rotation (declared: {desired}, applied: {recorded})"
        return Words(f"{message}{self.describe_reason()}", self.describe_step(), desired, recorded)


def check_rotation(  # noqa: PLR0913 - independent facts
    existing: Credential,
    desired: DesiredCredential,
    recorded: RecordedCredential,
    at: datetime,
    *,
    previous: PreviousCredential | None = None,
    blocked_by: tuple[Credential, ...] = (),
) -> Iterator[RotationDifference]:
    """Yield the overdue and the pending rotation of a current credential; an expired one is created again instead.

    A pending reset includes a changed trigger.
    """
    if existing.status is Status.EXPIRED or (existing.expires is not None and existing.expires <= at):
        return
    facts: dict[str, Any] = {
        **{name: getattr(desired, name) for name in ("user", "service", "location")},
        "desired": (desired,),
        "existing": (existing,),
        "recorded": recorded,
        "previous": previous,
        "blocked_by": blocked_by,
    }
    overdue = find_overdue_date(desired, recorded)
    if overdue is not None and overdue <= at:
        yield RotationOverdue(due=overdue, **facts)
    if _is_pending(desired, recorded, at) and not _is_reset_pending(desired, recorded):
        yield RotationPending(**facts)


def _is_reset_pending(desired: DesiredCredential, recorded: RecordedCredential) -> bool:
    """Return True if the next update resets the credential, because its declared `reset` text is a new one."""
    return desired.reset not in (None, recorded.reset)


def _is_pending(desired: DesiredCredential, recorded: RecordedCredential, at: datetime) -> bool:
    """Return True if a changed trigger rotates now; `notBefore` defers it."""
    policy = desired.rotate
    is_deferred = policy is not None and policy.not_before is not None and policy.not_before > at
    return policy is not None and not is_deferred and is_triggered(desired, recorded)


def _format_interval(desired: DesiredCredential) -> str:
    hours = 0 if desired.rotate is None else desired.rotate.every_hours or 0
    return f"every {format_count(hours, 'hour') if hours % 24 else format_count(hours // 24, 'day')}"
