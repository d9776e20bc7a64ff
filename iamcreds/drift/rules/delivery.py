"""Rules about delivered secrets: lost, not read by consumers, or left in a store; and the check that applies them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from iamcreds.delivery import CREDENTIAL_TAG
from iamcreds.drift.rules.difference import CredentialDifference, Difference, Kind, Values, Words
from iamcreds.due_dates import add_time, find_issue, find_retirement, is_picked_up
from iamcreds.model import Status
from iamcreds.services import service_alias
from iamcreds.text.commands import cancel_rotation, delete_secret, restore_secret, untag_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.rules.next_rotation import RotationFacts
    from iamcreds.drift.stored_secrets import FoundSecret
    from iamcreds.model import Credential, RecordedCredential
    from iamcreds.stores.store import StoredSecret


@dataclass(frozen=True, kw_only=True)
class DeliveryDifference(CredentialDifference):
    """A difference of the secret of the only credential in `existing`, the current one of `desired`.

    Attributes:
        recorded: the credential in the stack's state.
        secret: the name of the secret, with its store and region.
    """

    recorded: RecordedCredential
    secret: str


@dataclass(frozen=True, kw_only=True)
class DeliveryLost(DeliveryDifference):
    """The store does not have the delivered version of a secret.

    Attributes:
        stored: the secret in the store, None if it does not exist.
        facts: the facts of the rotation that delivers a new password, None without a rotation.
    """

    rule = "delivery-lost"
    meaning = "the secret store does not have the delivered version of a secret (only with `--state`)"
    kind = Kind.DRIFT
    seriousness = 26
    stored: StoredSecret | None
    facts: RotationFacts | None = None

    def describe(self) -> Words:
        """Report the secret and its loss."""
        message = f"{self.secret} {self._describe_loss()}, so it lacks the password of {self.alias} credential"
        is_rotated = self.facts is not None and not self.recorded.has_secret
        reason = self.facts.describe_reason() if self.facts is not None and is_rotated and self._is_kept else ""
        delivered = "" if self.recorded.delivered is None else self.recorded.delivered.version
        current = "none" if self.stored is None else self.stored.version or "none"
        return Words(f"{message} {self.id}{reason}", self._describe_step(), f"version {delivered}", current)

    @property
    def _is_kept(self) -> bool:
        """True if no update rotates the credential, because it was deactivated manually."""
        return self.facts is not None and self.facts.is_deactivated

    def _describe_loss(self) -> str:
        if self.stored is None:
            return "does not exist"
        if self.stored.deleted is not None:
            return f"is scheduled for deletion on {self.stored.deleted:%Y-%m-%d}"
        return "was overwritten"

    def _describe_step(self) -> str:
        """Return the step that delivers a password; before it, the store must accept one."""
        stored, step = self.stored, self._describe_delivery()
        if stored is None:
            return step
        if stored.deleted is not None:
            restore = restore_secret(stored.arn, stored.name)
            return restore if stored.has(self.recorded.delivered) else f"{restore}, then {step}"
        return f"{cancel_rotation(stored.arn, stored.name)}, then {step}" if stored.is_rotated else step

    def _describe_delivery(self) -> str:
        if self.desired[0].reset not in (None, self.recorded.reset):
            return "pulumi up, which resets it"
        if self.recorded.has_secret:
            return "pulumi up, which delivers the password again that the state has"
        if self.facts is None:
            return "change `reset` in the specs, then pulumi up, which delivers a new password"
        return self.facts.describe_step() if self._is_kept else self.facts.describe_update()


@dataclass(frozen=True, kw_only=True)
class NotPickedUp(DeliveryDifference):
    """The overlap has ended, and no consumer has read the current secret since its delivery.

    Attributes:
        previous: the previous credential, which waits for its retirement.
        delivered: the day of the delivery.
        last_read: the day of the last read, None without one.
        retirement: the time of the retirement without a read.
        at: the current time.
    """

    rule = "not-picked-up"
    meaning = (
        "the overlap of a credential with `retireWhen` has ended, and no consumer has read the delivered secret (only"
        " with `--state`)"
    )
    kind = Kind.FINDING
    seriousness = 27
    previous: Credential
    delivered: date
    last_read: date | None
    retirement: datetime
    at: datetime

    def describe(self) -> Words:
        """Report the secret, its delivery and the previous credential."""
        read = "never read" if self.last_read is None else f"last read on {self.last_read}"
        message = (
            f"{self.secret}, delivered on {self.delivered}, was not read after that day ({read}), so its consumers may"
            f" still use {self.alias} credential {self.previous.id}"
        )
        date = f"from {self.retirement:%Y-%m-%d} on" if self.retirement > self.at else "in the next run"
        step = f"let its consumers read the secret: without a read, pulumi up retires {self.previous.id} {date}"
        return Words(message, step, f"read after {self.delivered}", read)


@dataclass(frozen=True, kw_only=True)
class LeftoverSecret(Difference):
    """A secret in a store has the tag of a credential of the user and service, but the stack does not deliver it.

    Attributes:
        stored: the secret.
        secret: its name, with its store and region.
    """

    rule = "leftover-secret"
    meaning = (
        "a secret store has a secret of a declared user that the stack no longer delivers, for example after a changed"
        " name (only with `--state`)"
    )
    kind = Kind.FINDING
    seriousness = 17
    stored: StoredSecret
    secret: str

    @property
    def subject(self) -> tuple[str, ...]:
        """The ARN of the secret."""
        return (self.stored.arn,)

    def describe(self) -> Words:
        """Report the secret, and the commands that delete or keep it."""
        alias, name = service_alias(self.service), self.stored.name
        message = f"{self.secret} has the tag of a {alias} credential, but the stack does not deliver it"
        delete, keep = delete_secret(self.stored.arn, name), untag_secret(self.stored.arn, name, CREDENTIAL_TAG)
        return Words(message, f"if no consumer reads it: {delete}; or, to keep it: {keep}", "none", "exists")

    def values(self) -> Values:
        """Return the name and ARN of the secret."""
        return Values(1, None, {"name": self.stored.name, "arn": self.stored.arn})


@dataclass(frozen=True, kw_only=True)
class DeliveryFacts:
    """The facts about the secret of a current credential.

    Attributes:
        desired: the declared credential.
        recorded: the current credential in the stack's state.
        existing: the current credential.
        found: the secret in the store of its recorded delivery.
        account: 12-digit account ID.
        at: the current time.
        rotation: the facts of its rotation, None without a rotation.
    """

    desired: DesiredCredential
    recorded: RecordedCredential
    existing: Credential
    found: FoundSecret
    account: str
    at: datetime
    rotation: RotationFacts | None = None

    @property
    def is_lost(self) -> bool:
        """True if the store does not have the delivered version."""
        stored = self.found.stored
        return stored is None or stored.deleted is not None or not stored.has(self.recorded.delivered)

    @property
    def awaited(self) -> Credential | None:
        """The previous credential, if its retirement waits only for a read of the current secret."""
        policy, previous = self.desired.rotate, None if self.rotation is None else self.rotation.previous
        if policy is None or policy.retire_by_hours is None or previous is None:
            return None
        if {self.existing.status, previous.credential.status} != {Status.ACTIVE}:
            return None
        is_over = add_time(find_issue(self.recorded), timedelta(hours=policy.overlap_hours)) <= self.at
        return previous.credential if is_over and not is_picked_up(self.recorded, self.last_read) else None

    @property
    def last_read(self) -> date | None:
        """The day of the last read of the secret, None without one."""
        return None if self.found.stored is None else self.found.stored.last_read

    def describe_secret(self) -> str:
        """Return the name of the secret, with its store and region."""
        region = "" if self.recorded.delivered is None else self.recorded.delivered.region
        desired, deliver = self.desired, self.desired.deliver
        name = "" if deliver is None else deliver.resolve_name(desired.user, desired.service, self.account)
        return describe_secret(name, self.found.title, region)


def check_delivery(facts: DeliveryFacts) -> Iterator[DeliveryDifference]:
    """Yield the difference of a current credential's secret; an expired credential is replaced anyway."""
    if facts.existing.status is Status.EXPIRED:
        return
    fields: dict[str, Any] = {
        **{name: getattr(facts.desired, name) for name in ("user", "service", "location")},
        "desired": (facts.desired,),
        "existing": (facts.existing,),
        "recorded": facts.recorded,
        "secret": facts.describe_secret(),
    }
    retirement = find_retirement(facts.desired, facts.recorded)
    if facts.is_lost:
        yield DeliveryLost(stored=facts.found.stored, facts=facts.rotation, **fields)
    elif facts.awaited is not None and retirement is not None:
        yield NotPickedUp(
            previous=facts.awaited,
            delivered=find_issue(facts.recorded).astimezone(UTC).date(),
            last_read=facts.last_read,
            retirement=retirement,
            at=facts.at,
            **fields,
        )


def describe_secret(name: str, title: str, region: str) -> str:
    """Return the name of a secret with its store and region."""
    return f"secret {name} of {title} in {region}"
