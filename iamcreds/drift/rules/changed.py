"""Rules about the status and the pending reset of declared credentials."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import CredentialDifference, Kind, Words, format_state, list_desired, list_existing
from iamcreds.model import Status
from iamcreds.text.commands import switch_credential
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from iamcreds.model import Inventory

_MAX_TRIGGER = 60
"""The maximum length of a reset trigger in a message."""


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
        recorded = "no reset" if self.recorded is None else _quote(self.recorded)
        desired = _quote(self.desired[0].reset or "")
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
class Deactivated(CredentialDifference):
    """A credential without a declared status is Inactive. `desired` are all declared ones of its user and service."""

    rule = "switched-off"
    meaning = "a credential without a declared status was deactivated outside Pulumi, and stays Inactive"
    kind = Kind.FINDING
    seriousness = 40

    def describe(self) -> Words:
        """Report the credential, or all candidates if the state is unknown."""
        desired = list_desired(self.desired)
        rest, option = self._describe_consequence()
        if self.id:
            message = f"{self.alias} credential {self.id} is Inactive: {rest}"
            activate = switch_credential(self.existing[0].user, self.id, Status.ACTIVE)
            return Words(message, f"{activate}, or {option}", desired, format_state(self.existing[0]))
        message = f"{self.describe_some()} is Inactive without a declared status: {rest}"
        return Words(message, f"{option} if this is intended", desired, list_existing(self.existing))

    def _describe_consequence(self) -> tuple[str, str]:
        """Return the consequence, and the edit of the specs for an intended deactivation."""
        if any(each.renew_before_hours is not None for each in self.desired):
            return "it was deactivated outside Pulumi, stays Inactive and is not renewed", "remove it from the specs"
        rest = "it was deactivated outside Pulumi and stays Inactive; declare `status: Inactive` if this is intended"
        return rest, "declare `status: Inactive`"


def _quote(text: str) -> str:
    return escape_invisible(json.dumps(shorten(text, _MAX_TRIGGER), ensure_ascii=False))
