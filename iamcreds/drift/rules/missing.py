"""Rules about declared users and credentials that do not exist in the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import (
    CredentialDifference,
    Difference,
    Kind,
    Values,
    Words,
    call_by_new_name,
    list_desired,
    list_existing,
    resolve_first,
)
from iamcreds.text.commands import compare_with_state, create_user, rename_user
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential, Inventory


@dataclass(frozen=True, kw_only=True)
class MissingUser(Difference):
    """A declared IAM user does not exist.

    Attributes:
        desired: the user's declared credentials.
        renamed_to: the probable new name: the only user whose credentials have a login of the missing user's name.
            IAM keeps logins after a rename. None for none or several.
        is_created_by_stack: True if the stack creates the user.
        case_variant: the existing user whose name differs only by case, so IAM rejects a user with the declared name.
        has_iam_user: True if the specs declare `iamUser`, which does not support `was`.
        was: the declared former name, if a user with that name still exists.
    """

    rule = "missing-user"
    meaning = "a declared IAM user does not exist"
    kind = Kind.DRIFT
    seriousness = 20
    desired: tuple[DesiredCredential, ...]
    renamed_to: str | None = None
    is_created_by_stack: bool = False
    case_variant: str | None = None
    has_iam_user: bool = False
    was: str | None = None

    def describe(self) -> Words:
        """Report the current name of a renamed user, and the number of credentials that cannot be created."""
        number = len(self.desired)
        desired = format_count(number, "credential")
        rest = f", so {format_count(number, 'declared credential')} cannot be created" if number else ""
        message = f"the IAM user does not exist{rest}"
        if self.was is not None:
            return Words(
                f"{message}: the specs declare `was: {self.was}`, but that user has not been renamed in IAM",
                rename_user(self.was, self.user),
                desired,
                f"still {self.was}",
            )
        if self.renamed_to is not None:
            return Words(
                f"{message}: it was probably renamed to {self.renamed_to} in IAM",
                rename_user(self.renamed_to, self.user)
                if self.has_iam_user
                else call_by_new_name(self.user, self.renamed_to),
                desired,
                f"probably renamed to {self.renamed_to}",
            )
        if self.case_variant is not None:
            return Words(
                f"{message}: IAM has user {self.case_variant}, and user names must differ by more than case",
                f"declare the user as {self.case_variant}",
                desired,
                f"is {self.case_variant} in IAM",
            )
        if self.is_created_by_stack:
            message = f"the IAM user does not exist yet{rest}"
            return Words(message, "pulumi up, which creates the user", desired, "not created yet")
        return Words(message, f"{create_user(self.user)}, or remove the user from the specs", desired, "no such user")

    def values(self) -> Values:
        """Return the declared credentials, the current name of a renamed user, and the existing case variant."""
        names = {"renamedTo": self.renamed_to, "existingName": self.case_variant}
        return Values(len(self.desired), self.desired, {key: name for key, name in names.items() if name} or None)


@dataclass(frozen=True, kw_only=True)
class MissingWatchedUser(Difference):
    """An IAM user with an access key policy does not exist.

    `case_variant` is the existing user whose name differs only by case.
    """

    rule = MissingUser.rule
    meaning = MissingUser.meaning
    kind = Kind.FINDING
    seriousness = MissingUser.seriousness
    case_variant: str | None = None

    def describe(self) -> Words:
        """Report that no access keys can be watched, and the existing case variant."""
        message = "the IAM user does not exist, so there are no access keys to watch"
        if self.case_variant is not None:
            return Words(f"{message}: IAM has user {self.case_variant}", f"declare the user as {self.case_variant}")
        return Words(message, "remove the user from the specs")

    def values(self) -> Values:
        """Return the number of users: one."""
        return Values(1, None, None)


@dataclass(frozen=True, kw_only=True)
class MissingCredential(CredentialDifference):
    """Fewer credentials exist than declared. `desired` is the missing one, or all declared ones if some exist.

    Attributes:
        recorded: its id in the state, or None if there is none or the state is unknown.
        current_user: the user that has the recorded credential, or None if it does not exist.
        retired: the recorded credential, if that is a previous one that an update retired, and the state has lost its
            successor; None otherwise.
        blocked_by: unmanaged credentials that prevent an update from creating it.
        specs: the file or folder of the specs.
    """

    rule = "missing-credential"
    meaning = "fewer credentials exist than declared"
    kind = Kind.DRIFT
    seriousness = 21
    recorded: str | None = None
    current_user: str | None = None
    retired: str | None = None
    blocked_by: tuple[Credential, ...] = ()
    specs: str = "specs"

    @property
    def id(self) -> str:
        """Empty, because a missing credential has no id."""
        return ""

    @property
    def subject(self) -> tuple[str, ...]:
        """The names of the declared credentials."""
        return tuple(each.name for each in self.desired)

    def describe(self) -> Words:
        """Report the missing declared credential, or all candidates if the state is unknown."""
        desired, actual = list_desired(self.desired), list_existing(self.existing)
        step = self._find_step()
        if not self.existing:
            name = "" if self.desired[0].name == self.alias else f" {self.desired[0].name}"
            message = f"{self.alias} credential{name} is declared, but {self._describe_recorded()}"
            return Words(message, resolve_first(self.blocked_by, step), desired, "none")
        message = (
            f"{len(self.desired)} {self.alias} credentials are declared ({desired}), but only {len(self.existing)}"
            f" exists ({actual}); only the state shows which one is missing"
        )
        return Words(message, f"{compare_with_state(self.specs)}, which compares them by id", desired, actual)

    def _describe_recorded(self) -> str:
        if self.retired is not None:
            return f"its current one does not exist: {self.retired} is the retired previous one"
        if self.recorded is None:
            return "does not exist"
        if self.current_user is None:
            return f"{self.recorded}, which the state has, does not exist"
        if self._is_not_renamed:
            return (
                f"{self.recorded}, which the state has, belongs to user {self.current_user}: the specs declare"
                f" `was: {self.current_user}`, but that user has not been renamed in IAM"
            )
        return f"{self.recorded}, which the state has, belongs to user {self.current_user}: the user was renamed in IAM"

    @property
    def _is_not_renamed(self) -> bool:
        return self.current_user is not None and self.current_user == self.desired[0].user_was

    def _find_step(self) -> str:
        if self.retired is not None:
            return "pulumi up, which issues a new password"
        if self.current_user is None:
            return "pulumi up"
        if self._is_not_renamed:
            return f"declare it for user {self.current_user}, or remove `was`"
        keep = call_by_new_name(self.user, self.current_user)
        return f"{keep}; or run only pulumi up, which creates a new credential and deletes the recorded one"

    def may_be_lag(self, inventory: Inventory) -> bool:
        """Return True if the user or the recorded credential is recent."""
        return self.user in inventory.young_users or self.recorded in inventory.young_credentials

    def may_be_outdated(self, _inventory: Inventory) -> bool:
        """Return True, because a recent credential may not appear in the list results yet."""
        return True
