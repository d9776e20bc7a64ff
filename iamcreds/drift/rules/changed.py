"""Rules about the status and the pending reset of declared credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.desired import Retire
from iamcreds.drift.rules.difference import (
    CredentialDifference,
    Kind,
    Words,
    format_state,
    list_desired,
    list_existing,
    quote_trigger,
)
from iamcreds.model import Status
from iamcreds.text.commands import compare_with_state, switch_credential

if TYPE_CHECKING:
    from iamcreds.model import Inventory


@dataclass(frozen=True, kw_only=True)
class ResetPending(CredentialDifference):
    """The reset trigger of the only credential in `desired` differs from the recorded one."""

    rule = "reset-pending"
    meaning = "the declared `reset` text differs from the applied one (only with `--state`)"
    kind = Kind.DRIFT
    seriousness = 10
    recorded: str | None

    def describe(self) -> Words:
        """Report both triggers."""
        recorded = "no reset" if self.recorded is None else quote_trigger(self.recorded)
        desired = quote_trigger(self.desired[0].reset)
        message = f"{self.alias} credential {self.id} has a pending reset (declared: {desired}, applied: {recorded})"
        return Words(message, "pulumi up", desired, recorded)


@dataclass(frozen=True, kw_only=True)
class StatusDiffers(CredentialDifference):
    """The actual status of a credential differs from `status`, which the credentials in `desired` declare."""

    rule = "status-differs"
    meaning = "the actual status differs from the declared one"
    kind = Kind.DRIFT
    seriousness = 13
    status: Status

    def describe(self) -> Words:
        """Report both statuses."""
        names = " or ".join(each.name for each in self.desired)
        names = "it" if names == self.alias else names
        if self.id:
            status = self.existing[0].status
            message = f"{self.alias} credential {self.id} is {status}, but {names} is declared {self.status}"
            return Words(message, "pulumi up", self.status, status)
        message = f"{self.describe_some()} must be {self.status}, because {names} is declared {self.status}"
        return Words(message, "pulumi up", self.status, list_existing(self.existing))

    def may_be_lag(self, inventory: Inventory) -> bool:
        """Return True if lists may still show recent, deactivated credentials as Active, their status at creation."""
        recent = sum(existing.id in inventory.young_credentials for existing in self.existing)
        return self.status is Status.INACTIVE and recent >= self.number


@dataclass(frozen=True, kw_only=True)
class RetiredIsActive(StatusDiffers):
    """The previous credential of a rotation is Active, although an earlier update retired it.

    Attributes:
        inactive: the id of the current credential if it was deactivated manually. Then no update retires a previous
            one, which may be in use again; None otherwise.
        is_only_one: True if the current credential does not work. Then an update creates that again, and keeps this
            one, which may be the only one in use.
    """

    rule = StatusDiffers.rule
    meaning = StatusDiffers.meaning
    status: Status = Status.INACTIVE
    inactive: str | None = None
    is_only_one: bool = False

    def describe(self) -> Words:
        """Report the credential, and the update that retires it again."""
        (desired,) = self.desired
        message = f"{self.alias} credential {self.id} is Active, but it is the retired previous credential"
        action = "deletes" if desired.rotate is not None and desired.rotate.retire is Retire.DELETE else "deactivates"
        step = f"if its password is not in use: pulumi up, which {action} it"
        if self.is_only_one:
            deactivate = switch_credential(self.existing[0].user, self.id, Status.INACTIVE)
            step = (
                "pulumi up, which creates the current one again and keeps this one until the overlap ends; or, if its"
                f" password is not in use: {deactivate}"
            )
        elif self.inactive is not None:
            activate = switch_credential(self.existing[0].user, self.inactive, Status.ACTIVE)
            step = f"{activate}, and then pulumi up, which {action} {self.id}"
        return Words(f"{message} of {desired.declared_name}", step, Status.INACTIVE, Status.ACTIVE)


@dataclass(frozen=True, kw_only=True)
class Deactivated(CredentialDifference):
    """A credential without a declared status is Inactive. `desired` are all declared ones of its user and service.

    Attributes:
        may_be_previous: True if it may be the retired previous one of a rotation, whose current one is missing.
        specs: the file or folder of the specs.
    """

    rule = "switched-off"
    meaning = "a credential without a declared status was deactivated outside Pulumi, and stays Inactive"
    kind = Kind.FINDING
    seriousness = 40
    may_be_previous: bool = False
    specs: str = "specs"

    def describe(self) -> Words:
        """Report the credential, or all candidates if the state is unknown."""
        desired = list_desired(self.desired)
        if self.may_be_previous:
            message = (
                f"{self.alias} credential {self.id} is Inactive. Either it was deactivated outside Pulumi, or it is the"
                " previous one and the current one is missing"
            )
            step = f"{compare_with_state(self.specs)}, which compares them by id"
            return Words(message, step, desired, format_state(self.existing[0]))
        rest, option = self._describe_consequence()
        if self.id:
            message = f"{self.alias} credential {self.id} is Inactive: {rest}"
            activate = switch_credential(self.existing[0].user, self.id, Status.ACTIVE)
            return Words(message, f"{activate}, or {option}", desired, format_state(self.existing[0]))
        message = f"{self.describe_some()} is Inactive without a declared status: {rest}"
        return Words(message, f"{option} if this is intended", desired, list_existing(self.existing))

    def _describe_consequence(self) -> tuple[str, str]:
        """Return the consequence, and the edit of the specs for an intended deactivation."""
        if any(each.has_successors for each in self.desired):
            verb = "rotated" if any(each.rotate for each in self.desired) else "renewed"
            return f"it was deactivated outside Pulumi, stays Inactive and is not {verb}", "remove it from the specs"
        rest = "it was deactivated outside Pulumi and stays Inactive; declare `status: Inactive` if this is intended"
        return rest, "declare `status: Inactive`"
