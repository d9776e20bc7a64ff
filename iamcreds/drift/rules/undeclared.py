"""Rules about credentials that exist, or that the state has, and that no spec declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import (
    CredentialDifference,
    Kind,
    Words,
    call_by_new_name,
    format_delete,
    format_state,
    list_desired,
    list_live,
)
from iamcreds.text.commands import format_option
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from iamcreds.model import Inventory, RecordedCredential


@dataclass(frozen=True, kw_only=True)
class UndeclaredUser(CredentialDifference):
    """A user whom no spec declares has a credential, the only one in `live`.

    Attributes:
        renamed_from: the declared user whom IAM seems to have renamed to this one, None for none.
    """

    rule = "undeclared-user"
    meaning = "a user whom no spec declares has a credential"
    kind = Kind.UNDECLARED
    seriousness = 11
    renamed_from: str | None = None

    def describe(self) -> Words:
        """Name the credential."""
        state, user = format_state(self.live[0]), format_option("--user", self.user)
        message = f"has {self.alias} credential {self.id} ({state}), and no spec declares this user"
        if self.renamed_from is not None:
            return Words(message, call_by_new_name(self.renamed_from, self.user), live=state)
        return Words(message, f"iamcreds dump {user} --to SPECS, or {format_delete(self.live[0])}", live=state)


@dataclass(frozen=True, kw_only=True)
class UnmanagedCredential(CredentialDifference):
    """More credentials exist than declared; `live` is the unmanaged one, or all of them if some are declared."""

    rule = "unmanaged-credential"
    meaning = "more credentials of a declared user are live than declared"
    kind = Kind.UNMANAGED
    seriousness = 12

    def describe(self) -> Words:
        """Name the unmanaged credential, or all existing ones if only the state knows which."""
        desired, live = list_desired(self.desired) or "none", list_live(self.live)
        if self.id:
            state = format_state(self.live[0])
            why = "the stack has it not" if self.desired else "none is declared"
            step = f"declare it with `adopt: {self.id}`, or {format_delete(self.live[0])}"
            return Words(f"{self.alias} credential {self.id} ({state}) is live, and {why}", step, desired, state)
        message = (
            f"{len(self.live)} {self.alias} credentials are live ({live}), and only {len(self.desired)} is declared"
            f" ({desired}): only the state knows which {'is' if self.number == 1 else 'are'} unmanaged"
        )
        step = "pulumi stack export | iamcreds drift SPECS --state -, which tells them apart"
        return Words(message, step, desired, live)

    def may_be_outdated(self, inventory: Inventory) -> bool:
        """Return True if one of the credentials is recent."""
        return any(live.id in inventory.young_credentials for live in self.live)


@dataclass(frozen=True, kw_only=True)
class NoLongerDeclared(CredentialDifference):
    """The state has a credential that no spec declares, `recorded`; `live` has it if it exists."""

    rule = "no-longer-declared"
    meaning = "the stack's state has a credential that no spec declares (with `--state` alone)"
    kind = Kind.DRIFT
    seriousness = 14
    recorded: RecordedCredential

    @property
    def id(self) -> str:
        """The recorded id, even if the credential does not exist."""
        return self.recorded.id

    def describe(self) -> Words:
        """Name the credential and its resource."""
        state = format_state(self.live[0]) if self.live else "not live"
        what = f"{self.alias} credential {self.id} ({state}) of {escape_invisible(self.recorded.resource)}"
        if self.recorded.is_leaving:
            return Words(f"{what} was replaced, and waits to be deleted", "pulumi up", "none", state)
        step = "pulumi up, which deletes it; or declare it again" if self.live else "pulumi up"
        if self.live and self.live[0].user != self.recorded.user:
            keep = f"add `was: {self.recorded.user}` to user {self.live[0].user} in the specs, which keeps it"
            step = f"{keep}; or pulumi up, which deletes it"
        return Words(f"{what} is in the state, and no spec declares it", step, "none", state)
