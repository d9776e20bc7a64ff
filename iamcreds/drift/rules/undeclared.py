"""Rules about credentials that are undeclared or unmanaged, and about pending creates."""

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
    list_existing,
)
from iamcreds.model import Status
from iamcreds.resource_names import split_slot
from iamcreds.services import MAX_PER_SERVICE
from iamcreds.text.commands import compare_with_state, dump_user
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Inventory, RecordedCredential


_IN_CREATION = "repeat in a minute with a new export of the state, because a running update may be creating it"
_AFTER_UPDATE = (
    "repeat after the update has ended, with a new export of the state; if it was interrupted, first run pulumi refresh"
    " --clear-pending-creates"
)


@dataclass(frozen=True, kw_only=True)
class UndeclaredUser(CredentialDifference):
    """An undeclared user has a credential, the only one in `existing`.

    Attributes:
        is_recent: True if an update may be creating the credential.
        declared_as: the declared user whose name differs only by case; both cannot exist in IAM.
        folder: the folder of the specs, or None if they are one file.
        renamed_from: the declared user that was probably renamed to this one in IAM, or None.
    """

    rule = "undeclared-user"
    meaning = "a user that no spec declares has a credential"
    kind = Kind.UNDECLARED
    seriousness = 11
    is_recent: bool = False
    declared_as: str | None = None
    folder: str | None = None
    renamed_from: str | None = None

    def describe(self) -> Words:
        """Report the credential, and the declared case variant."""
        state = format_state(self.existing[0])
        message = f"has {self.alias} credential {self.id} ({state}), but no spec declares this user"
        if self.declared_as is not None:
            message += f"; the specs declare {self.declared_as}"
            return Words(message, f"declare the user as {self.user}", existing=state)
        if self.renamed_from is not None:
            return Words(message, call_by_new_name(self.renamed_from, self.user), existing=state)
        if self.is_recent:
            return Words(message, _IN_CREATION, existing=state)
        delete = format_delete(self.existing[0])
        if self.existing[0].status is Status.EXPIRED:
            return Words(message, delete, existing=state)
        return Words(message, f"{dump_user(self.user, self.folder)}, or {delete}", existing=state)


@dataclass(frozen=True, kw_only=True)
class UnmanagedCredential(CredentialDifference):
    """More credentials exist than declared. `existing` is the unmanaged one, or all of them if some are declared.

    Attributes:
        is_recent: True if an update may be creating the unmanaged one.
        missing: the credentials in `desired` that do not exist; one of them can import the unmanaged one.
        is_state_known: True if the stack's state is known and does not have the unmanaged one.
        specs: the file or folder of the specs.
        blocks_renewal: True if it prevents an update from creating the successor of a declared one.
        renewal_due: the date of this renewal or rotation, None if it is unknown.
    """

    rule = "unmanaged-credential"
    meaning = "a declared user has more credentials than declared"
    kind = Kind.UNMANAGED
    seriousness = 12
    is_recent: bool = False
    missing: tuple[DesiredCredential, ...] = ()
    is_state_known: bool = False
    specs: str = "specs"
    blocks_renewal: bool = False
    renewal_due: datetime | None = None

    def describe(self) -> Words:
        """Report the unmanaged credential, or all candidates if the state is unknown."""
        desired, existing = list_desired(self.desired) or "none", list_existing(self.existing)
        if self.id:
            state = format_state(self.existing[0])
            reason = f"{self._describe_reason()}{self._describe_block()}"
            return Words(
                f"{self.alias} credential {self.id} ({state}) exists, but {reason}",
                _IN_CREATION if self.is_recent else self._describe_options(),
                desired,
                state,
            )
        message = (
            f"{len(self.existing)} {self.alias} credentials exist ({existing}), but only {len(self.desired)}"
            f" is declared ({desired}); only the state shows which {'is' if self.number == 1 else 'are'} unmanaged"
            f"{self._describe_block()}"
        )
        return Words(message, f"{compare_with_state(self.specs)}, which compares them by id", desired, existing)

    def _describe_reason(self) -> str:
        if not self.desired:
            return "none is declared"
        return "the stack does not manage it" if self.is_state_known else "`adopt` declares a different id"

    def _describe_block(self) -> str:
        due = "" if self.renewal_due is None else f" due on {self.renewal_due:%Y-%m-%d}"
        noun = "rotation" if any(each.rotate for each in self.desired) else "renewal"
        return f", and it blocks the {noun}{due}" if self.blocks_renewal else ""

    def _describe_options(self) -> str:
        """Return the options that the specs, IAM and the next update accept."""
        delete = format_delete(self.existing[0])
        if self.existing[0].status is Status.EXPIRED:
            return delete
        if self.missing:
            missing = min(self.missing, key=lambda each: each.location)
            if missing.adopt == self.id:
                return f"pulumi up, which imports it, or {delete}"
            return f"set `adopt: {self.id}` for {missing.name} at {missing.location}, or {delete}"
        if sum(each.number for each in self.desired) >= MAX_PER_SERVICE:
            return delete
        name = "a new `name` and " if self.desired else ""
        return f"declare it with {name}`adopt: {self.id}`, or {delete}"

    def may_be_outdated(self, inventory: Inventory) -> bool:
        """Return True if one of the credentials is recent."""
        return any(existing.id in inventory.young_credentials for existing in self.existing)


@dataclass(frozen=True, kw_only=True)
class UnresolvedCreate(CredentialDifference):
    """The state has a pending create of `resource`, and `existing` are the credentials that it may have created.

    These are all existing credentials of its user and service that the state does not have.
    """

    rule = "pending-create"
    meaning = "the stack's state has a pending create: an update is running or was interrupted (only with `--state`)"
    kind = Kind.FINDING
    seriousness = 25
    resource: str

    @property
    def subject(self) -> tuple[str, ...]:
        """The resource name."""
        return (self.resource,)

    def describe(self) -> Words:
        """Report the resource, and the credentials that may be its result."""
        message = f"the state has a pending create of {escape_invisible(split_slot(self.resource)[0])}"
        ids = " or ".join(existing.id for existing in self.existing)
        result = f", and {self.alias} credential {ids} may be its result" if ids else ""
        existing = list_existing(self.existing) or "none"
        return Words(f"{message}{result}", _AFTER_UPDATE, list_desired(self.desired) or "none", existing)


@dataclass(frozen=True, kw_only=True)
class NoLongerDeclared(CredentialDifference):
    """The state has a credential that no spec declares: `recorded`. `existing` has the credential if it exists.

    If it is the previous one of a credential that no longer has `rotate` or `renewBefore`, `desired` has that one.
    """

    rule = "no-longer-declared"
    meaning = "the stack's state has a credential that no spec declares (only with `--state`)"
    kind = Kind.DRIFT
    seriousness = 14
    recorded: RecordedCredential

    @property
    def id(self) -> str:
        """The recorded id, even if the credential does not exist."""
        return self.recorded.id

    def describe(self) -> Words:
        """Report the credential and its resource."""
        state = format_state(self.existing[0]) if self.existing else "missing"
        name = escape_invisible(split_slot(self.recorded.resource)[0])
        credential = f"{self.alias} credential {self.id} ({state}) of {name}"
        if self.recorded.is_leaving:
            return Words(f"{credential} was replaced, but has not been deleted yet", "pulumi up", "none", state)
        step = "pulumi up, which deletes it; or declare it again" if self.existing else "pulumi up"
        if self.recorded.is_protected:
            step = "declare it again; or run pulumi state unprotect, then pulumi up"
        elif self.existing and self.existing[0].user != self.recorded.user:
            keep = f"add `was: {self.recorded.user}` to user {self.existing[0].user} in the specs, which keeps it"
            step = f"{keep}; or pulumi up, which deletes it"
        if self.desired:
            field = "`rotate`" if self.recorded.age_days is None else "`rotate` or `renewBefore`"
            step = f"pulumi up, which deletes it; or declare {field} again" if self.existing else "pulumi up"
            return Words(f"{credential} is the previous one, but {field} is no longer declared", step, "none", state)
        return Words(f"{credential} is in the state, but no spec declares it", step, "none", state)
