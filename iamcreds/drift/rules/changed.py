"""Rules about managed credentials that are not as declared: the status, and a reset that is pending."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import CredentialDifference, Kind, Words, format_state, list_desired, list_live
from iamcreds.model import Status
from iamcreds.text.commands import switch_credential
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from iamcreds.model import Inventory

_MAX_TRIGGER = 60
"""The maximum number of characters of a reset trigger in a sentence."""


@dataclass(frozen=True, kw_only=True)
class ResetPending(CredentialDifference):
    """The reset trigger of the only credential in `desired` differs from the one that the state has: `recorded`."""

    rule = "reset-pending"
    meaning = "a reset trigger is another than the one that was carried out (with `--state` alone)"
    kind = Kind.DRIFT
    seriousness = 10
    recorded: str | None

    def describe(self) -> Words:
        """Name both triggers."""
        recorded = "no reset" if self.recorded is None else _quote(self.recorded)
        desired = _quote(self.desired[0].reset or "")
        message = f"{self.alias} credential {self.id} is to be reset ({desired}), and was not ({recorded})"
        return Words(message, "pulumi up", desired, recorded)


@dataclass(frozen=True, kw_only=True)
class StatusDiffers(CredentialDifference):
    """An existing credential does not have the declared status; `desired` are the ones declared to have it."""

    rule = "status-differs"
    meaning = "a live status is not the declared one"
    kind = Kind.DRIFT
    seriousness = 13
    status: Status

    def describe(self) -> Words:
        """Name both statuses."""
        names = " or ".join(wanted.name for wanted in self.desired)
        names = "it" if names == self.alias else names
        if self.id:
            status = self.live[0].status
            message = f"{self.alias} credential {self.id} is {status}, and {names} is declared {self.status}"
            return Words(message, "pulumi up", self.status, status)
        message = f"{self.describe_some()} should be {self.status}, as {names} is declared"
        return Words(message, "pulumi up", self.status, list_live(self.live))

    def may_be_lag(self, inventory: Inventory) -> bool:
        """Return True if lists may show recent credentials as Active, as IAM creates them, although they are not."""
        recent = sum(live.id in inventory.young_credentials for live in self.live)
        return self.status is Status.INACTIVE and recent >= self.number


@dataclass(frozen=True, kw_only=True)
class SwitchedOff(CredentialDifference):
    """A credential without a declared status is Inactive; `desired` are all of its user and service."""

    rule = "switched-off"
    meaning = "a credential without a declared status is Inactive: somebody switched it off, and it stays so"
    kind = Kind.FINDING
    seriousness = 40

    def describe(self) -> Words:
        """Name the credential, or all that it may be."""
        desired = list_desired(self.desired)
        rest = "somebody switched it off, and it stays so; declare `status: Inactive` if it is meant"
        if self.id:
            message = f"{self.alias} credential {self.id} is Inactive: {rest}"
            activate = switch_credential(self.live[0].user, self.id, Status.ACTIVE)
            step = f"{activate}, or declare `status: Inactive`"
            return Words(message, step, desired, format_state(self.live[0]))
        message = f"{self.describe_some()} is Inactive without being declared so: {rest}"
        return Words(message, "declare `status: Inactive` where it is meant", desired, list_live(self.live))


def _quote(text: str) -> str:
    return escape_invisible(json.dumps(shorten(text, _MAX_TRIGGER), ensure_ascii=False))
