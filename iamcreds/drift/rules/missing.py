"""Rules about users and credentials that the specs declare and the account does not have."""

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
    list_live,
    resolve_first,
)
from iamcreds.text.commands import compare_with_state, create_user, rename_user
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from iamcreds.model import Credential, DesiredCredential, Inventory


@dataclass(frozen=True, kw_only=True)
class MissingUser(Difference):
    """The account does not have the IAM user.

    Attributes:
        desired: the user's declared credentials.
        renamed_to: the only user who has credentials with a login of the missing user's name, which IAM keeps when it
            renames a user; None for none or several.
        is_made: True if the stack creates the user.
        case_variant: the existing user whose name differs by case only, so that IAM rejects a user of this name.
        has_iam_user: True if the specs declare the IAM user itself, also one to import; then `was` is not supported.
        was: the declared former name, if the account has that user: IAM has not renamed it yet.
    """

    rule = "missing-user"
    meaning = "the account has no such IAM user"
    kind = Kind.DRIFT
    seriousness = 20
    desired: tuple[DesiredCredential, ...]
    renamed_to: str | None = None
    is_made: bool = False
    case_variant: str | None = None
    has_iam_user: bool = False
    was: str | None = None

    def describe(self) -> Words:
        """Name the present name of a renamed user, and count the credentials that cannot exist."""
        number = len(self.desired)
        desired = format_count(number, "credential")
        rest = f", so {format_count(number, 'declared credential')} cannot be" if number else ""
        message = f"the account has no such IAM user{rest}"
        if self.was is not None:
            return Words(
                f"{message}: the specs have `was: {self.was}`, and IAM has not renamed that user",
                rename_user(self.was, self.user),
                desired,
                f"still {self.was}",
            )
        if self.renamed_to is not None:
            return Words(
                f"{message}: IAM seems to have renamed it to {self.renamed_to}",
                rename_user(self.renamed_to, self.user)
                if self.has_iam_user
                else call_by_new_name(self.user, self.renamed_to),
                desired,
                f"seems to be {self.renamed_to} now",
            )
        if self.case_variant is not None:
            return Words(
                f"{message}: IAM has {self.case_variant}, and user names must differ by more than case",
                f"declare the user as {self.case_variant}",
                desired,
                f"is {self.case_variant} in IAM",
            )
        if self.is_made:
            message = f"the account does not have the IAM user yet{rest}"
            return Words(message, "pulumi up, which makes the user", desired, "not yet")
        return Words(message, f"{create_user(self.user)}, or take it out of the specs", desired, "no such user")

    def values(self) -> Values:
        """Return the declared credentials, the present name of a renamed user, and the name that IAM has."""
        names = {"renamedTo": self.renamed_to, "existingName": self.case_variant}
        return Values(len(self.desired), self.desired, {key: name for key, name in names.items() if name} or None)


@dataclass(frozen=True, kw_only=True)
class MissingWatchedUser(Difference):
    """The account does not have the IAM user whose access keys a policy watches.

    `case_variant` is the existing user whose name differs by case only.
    """

    rule = MissingUser.rule
    meaning = MissingUser.meaning
    kind = Kind.FINDING
    seriousness = MissingUser.seriousness
    case_variant: str | None = None

    def describe(self) -> Words:
        """Name the consequence for the policy, and the existing user."""
        message = "the account has no such IAM user, so there are no access keys to watch"
        if self.case_variant is not None:
            return Words(f"{message}: IAM has {self.case_variant}", f"declare the user as {self.case_variant}")
        return Words(message, "take it out of the specs")

    def values(self) -> Values:
        """Return no values: the user has no keys."""
        return Values(1, None, None)


@dataclass(frozen=True, kw_only=True)
class MissingCredential(CredentialDifference):
    """Fewer credentials exist than declared; `desired` is the missing one, or all declared ones if some exist.

    Attributes:
        recorded: the id that the state has for it; None for none, or if the state is unknown.
        lives_under: the present user of the recorded credential, None if it does not exist.
        blocked_by: unmanaged credentials because of which an update cannot create it.
        specs: the file or folder of the specs.
    """

    rule = "missing-credential"
    meaning = "fewer credentials are live than declared"
    kind = Kind.DRIFT
    seriousness = 21
    recorded: str | None = None
    lives_under: str | None = None
    blocked_by: tuple[Credential, ...] = ()
    specs: str = "specs"

    @property
    def id(self) -> str:
        """Empty, because a missing credential has no id."""
        return ""

    @property
    def subject(self) -> tuple[str, ...]:
        """The names of the declared credentials."""
        return tuple(wanted.name for wanted in self.desired)

    def describe(self) -> Words:
        """Name the declared credential that is missing, or all of them if only the state knows which."""
        desired, live = list_desired(self.desired), list_live(self.live)
        step = self._find_step()
        if not self.live:
            name = "" if self.desired[0].name == self.alias else f" {self.desired[0].name}"
            message = f"{self.alias} credential{name} is declared, and {self._describe_recorded()}"
            return Words(message, resolve_first(self.blocked_by, step), desired, "none")
        message = (
            f"{len(self.desired)} {self.alias} credentials are declared ({desired}), and only {len(self.live)} is live"
            f" ({live}): only the state knows which is missing"
        )
        return Words(message, f"{compare_with_state(self.specs)}, which tells them apart", desired, live)

    def _describe_recorded(self) -> str:
        if self.recorded is None:
            return "none is live"
        if self.lives_under is None:
            return f"{self.recorded}, which the state has, is not live"
        if self._is_not_renamed:
            return (
                f"{self.recorded}, which the state has, belongs to user {self.lives_under}: the specs have"
                f" `was: {self.lives_under}`, and IAM has not renamed that user"
            )
        return f"{self.recorded}, which the state has, is user {self.lives_under}'s now: IAM has renamed the user"

    @property
    def _is_not_renamed(self) -> bool:
        return self.lives_under is not None and self.lives_under == self.desired[0].user_was

    def _find_step(self) -> str:
        if self.lives_under is None:
            return "pulumi up"
        if self._is_not_renamed:
            return f"declare it for user {self.lives_under}, or remove `was`"
        keep = call_by_new_name(self.user, self.lives_under)
        return f"{keep}; or only pulumi up, which makes another and deletes that one"

    def may_be_lag(self, inventory: Inventory) -> bool:
        """Return True if the user or the recorded credential is recent."""
        return self.user in inventory.young_users or self.recorded in inventory.young_credentials

    def may_be_outdated(self, _inventory: Inventory) -> bool:
        """Return True: without the state, nothing shows that a credential is recent."""
        return True
