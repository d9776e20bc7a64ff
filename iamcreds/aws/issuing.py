"""Several writes to one credential, in an order that brings no old password to life and leaves nothing half made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.errors import AccountError, LostAnswerError
from iamcreds.model import Credential, IssuedCredential, Status

if TYPE_CHECKING:
    from iamcreds.aws.writing import Writing


def issue(writing: Writing, user: str, service: str, age_days: int | None, status: Status | None) -> IssuedCredential:
    """A new credential that has the status (None: as IAM makes it, Active), or none at all; see `Account.issue`."""
    with writing.hold(user, service):
        issued = writing.create(user, service, age_days)
        made = issued.credential
        if status in (None, made.status):
            return issued
        try:
            writing.set_status(made.user, made.id, status)
        except AccountError as error:
            raise AccountError(f"{error}; {undo(writing, made)}") from error
        return replace(issued, credential=replace(made, status=status))


def change(
    writing: Writing, user: str, credential_id: str, status: Status | None, *, reset: bool
) -> IssuedCredential | None:
    """Switch (None: leave it) and reset; what Reset answered, if it was asked for; see `Account.change`."""
    if status is Status.INACTIVE:
        writing.set_status(user, credential_id, status)
    issued = writing.reset(user, credential_id) if reset else None
    if status is Status.ACTIVE:
        try:
            writing.set_status(user, credential_id, status)
        except AccountError as error:
            if issued is None:
                raise
            raise LostAnswerError(
                f"{error}; its password is reset already, and the one known here is dead: repeat, and do not take the"
                " `reset` back before"
            ) from error
    return issued if issued is None or status is None else replace(issued, credential=_with(issued.credential, status))


def _with(credential: Credential, status: Status) -> Credential:
    return replace(credential, status=status)


def undo(writing: Writing, made: Credential) -> str:
    """Delete what was created just now; see `Account.undo`."""
    try:
        writing.delete(made.user, made.id)
    except AccountError as error:
        return f"and the new credential could not be deleted ({error}): delete {made.id} of user {made.user} by hand"
    return f"the new credential {made.id} of user {made.user} was deleted again"
