"""Rules about rotations that are due, overdue or pending, and the checks that apply them; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iamcreds.drift.rules.difference import CredentialDifference, Kind, Words, quote_trigger
from iamcreds.drift.rules.next_rotation import is_deferred
from iamcreds.due_dates import find_issue, find_overdue_date, is_triggered
from iamcreds.model import Status
from iamcreds.services import Family
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.rules.next_rotation import RotationFacts
    from iamcreds.model import RecordedCredential


@dataclass(frozen=True, kw_only=True)
class RotationDifference(CredentialDifference):
    """The only credential in `existing`, the current one of `desired`, should have been rotated by now.

    `facts` are those that decide whether the next update rotates it.
    """

    facts: RotationFacts

    def describe_end(self) -> str:
        """Return a sentence with the expiry date, empty without one."""
        (existing,) = self.existing
        return "" if existing.expires is None else f". It expires on {existing.expires:%Y-%m-%d}"

    def describe_issue(self) -> str:
        """Return the date of the last create or reset."""
        return f"issued on {find_issue(self.facts.recorded):%Y-%m-%d}"


@dataclass(frozen=True, kw_only=True)
class RotationDue(RotationDifference):
    """No update has rotated the credential since its rotation is due."""

    rule = "rotation-due"
    meaning = "the rotation of a password or API key is due (only with `--state`)"
    kind = Kind.FINDING
    seriousness = 38
    due: datetime

    def describe(self) -> Words:
        """Report the date of the rotation, and the expiry if there is one."""
        message = f"rotation of {self.alias} credential {self.id} has been due since {self.due:%Y-%m-%d}"
        interval = _format_interval(self.desired[0])
        return Words(f"{message}{self.describe_end()}", self.facts.describe_step(), interval, self.describe_issue())


@dataclass(frozen=True, kw_only=True)
class RotationOverdue(RotationDifference):
    """The password or API key is older than `every` and the tolerance.

    Attributes:
        overdue: the time from which the rotation is overdue.
    """

    rule = "rotation-overdue"
    meaning = "a rotating password or API key is more than 5% older than `every` (only with `--state`)"
    kind = Kind.FINDING
    seriousness = 37
    overdue: datetime

    def describe(self) -> Words:
        """Report the date of the last create or reset, the date of the rotation, and the expiry if there is one."""
        (existing,) = self.existing
        secret = "API key" if existing.family is Family.API_KEY else "password"
        issued = self.describe_issue()
        message = (
            f"{secret} of {self.alias} credential {self.id} was {issued}, and its rotation has been overdue since"
            f" {self.overdue:%Y-%m-%d}{self.facts.describe_reason()}{self.describe_end()}"
        )
        return Words(message, self.facts.describe_step(), _format_interval(self.desired[0]), issued)


@dataclass(frozen=True, kw_only=True)
class RotationPending(RotationDifference):
    """The declared trigger differs from the recorded one."""

    rule = "rotation-pending"
    meaning = "the declared `trigger` text differs from the applied one (only with `--state`)"
    kind = Kind.DRIFT
    seriousness = 16

    def describe(self) -> Words:
        """Report both triggers."""
        desired, recorded = quote_trigger(self.desired[0].trigger), quote_trigger(self.facts.recorded.trigger)
        message = f"{self.alias} credential {self.id} has a pending rotation (declared: {desired}, applied: {recorded})"
        return Words(f"{message}{self.facts.describe_reason()}", self.facts.describe_step(), desired, recorded)


def check_rotation(facts: RotationFacts) -> Iterator[RotationOverdue | RotationPending]:
    """Yield the overdue and the pending rotation of a current credential; an expired one is created again instead.

    A pending reset includes a changed trigger.
    """
    if _is_expired(facts):
        return
    overdue = find_overdue_date(facts.desired, facts.recorded)
    if overdue is not None and overdue <= facts.at:
        yield RotationOverdue(overdue=overdue, **_list_fields(facts))
    if _is_pending(facts.desired, facts.recorded, facts.at) and not facts.is_reset_pending:
        yield RotationPending(**_list_fields(facts))


def check_due_rotation(facts: RotationFacts) -> Iterator[RotationDue]:
    """Yield the due rotation of a current credential that no other difference of it reports."""
    if facts.due is not None and not _is_expired(facts):
        yield RotationDue(**_list_fields(facts))


def _is_expired(facts: RotationFacts) -> bool:
    existing = facts.existing
    return existing.status is Status.EXPIRED or (existing.expires is not None and existing.expires <= facts.at)


def _list_fields(facts: RotationFacts) -> dict[str, Any]:
    desired = facts.desired
    names = {name: getattr(desired, name) for name in ("user", "service", "location")}
    return {**names, "desired": (desired,), "existing": (facts.existing,), "due": facts.due, "facts": facts}


def _is_pending(desired: DesiredCredential, recorded: RecordedCredential, at: datetime) -> bool:
    """Return True if a changed trigger rotates now; `notBefore` defers it."""
    policy = desired.rotate
    return policy is not None and not is_deferred(policy, at) and is_triggered(desired, recorded)


def _format_interval(desired: DesiredCredential) -> str:
    hours = 0 if desired.rotate is None else desired.rotate.every_hours or 0
    return f"every {format_count(hours, 'hour') if hours % 24 else format_count(hours // 24, 'day')}"
