"""What to do next about a difference: a command, or an edit of the specs; pure.

Every command can be pasted as it is, but for a folder or file that stands in capitals.
"""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from iamcreds.drift import differences
from iamcreds.model import Status
from iamcreds.text.commands import (
    create_user,
    delete_access_key,
    delete_credential,
    format_option,
    switch_credential,
)

if TYPE_CHECKING:
    from iamcreds.drift.differences import Difference
    from iamcreds.model import Credential


@singledispatch
def advise(difference: Difference) -> str:
    """The next step, on one line."""
    raise TypeError(f"there is no advice about {difference!r}")


@advise.register(differences.MissingUser)
def _advise_about_missing_user(difference: differences.MissingUser) -> str:
    if difference.renamed_to is not None:
        return f"call it {difference.renamed_to} in the specs, then pulumi up"
    if difference.is_made:
        return "pulumi up, which makes the user"
    return f"{create_user(difference.user)}, or take it out of the specs"


@advise.register(differences.MissingWatchedUser)
def _advise_about_missing_watched_user(_: differences.MissingWatchedUser) -> str:
    return "take it out of the specs"


@advise.register(differences.MissingCredential)
def _advise_about_missing_credential(difference: differences.MissingCredential) -> str:
    return "pulumi up" if difference.lives_under is None else "pulumi up, which makes another and deletes that one"


@advise.register(differences.StatusDiffers)
@advise.register(differences.ResetPending)
def _advise_up(_: Difference) -> str:
    return "pulumi up"


@advise.register(differences.NoLongerDeclared)
def _advise_about_no_longer_declared(difference: differences.NoLongerDeclared) -> str:
    if difference.recorded.is_leaving or not difference.live:
        return "pulumi up"
    return "pulumi up, which deletes it; or declare it again"


@advise.register(differences.UnmanagedCredential)
def _advise_about_unmanaged(difference: differences.UnmanagedCredential) -> str:
    if len(difference.live) > 1:
        return "pulumi stack export | iamcreds drift SPECS --state -, which tells them apart"
    (live,) = difference.live
    return f"declare it with `adopt: {live.id}`, or {_format_delete(live)}"


@advise.register(differences.UndeclaredUser)
def _advise_about_undeclared(difference: differences.UndeclaredUser) -> str:
    user = format_option("--user", difference.user)
    return f"iamcreds dump {user} --to SPECS, or {_format_delete(difference.live[0])}"


@advise.register(differences.SwitchedOff)
def _advise_about_switched_off(difference: differences.SwitchedOff) -> str:
    if len(difference.live) > 1:
        return "declare `status: Inactive` where it is meant"
    (live,) = difference.live
    return f"{switch_credential(live.user, live.id, Status.ACTIVE)}, or declare `status: Inactive`"


@advise.register(differences.Expired)
def _advise_about_expired(difference: differences.Expired) -> str:
    return f"pulumi up, which replaces it where the stack has it; otherwise {_format_delete(difference.live[0])}"


@advise.register(differences.ExpiringSoon)
def _advise_about_expiring(_: differences.ExpiringSoon) -> str:
    return "have another one made before (another `name`), for nothing moves the date"


@advise.register(differences.TooManyAccessKeys)
@advise.register(differences.AccessKeyTooOld)
@advise.register(differences.AccessKeyIdle)
def _advise_about_access_keys(
    difference: differences.TooManyAccessKeys | differences.AccessKeyTooOld | differences.AccessKeyIdle,
) -> str:
    """The oldest key first: whose it is decides what becomes of it."""
    return f"when nobody needs it: {delete_access_key(difference.user, difference.live[0].id)}"


def _format_delete(live: Credential) -> str:
    return delete_credential(live.user, live.id)
