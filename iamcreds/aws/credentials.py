"""The write path: create, change and delete a credential, so that a lost response or a repetition loses nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.aws import client
from iamcreds.aws.creates import Creates
from iamcreds.aws.credential_lists import to_issued
from iamcreds.aws.failures import translate_errors
from iamcreds.errors import (
    AccountError,
    LostAnswerError,
    NoSuchCredentialError,
    NoSuchUserError,
    NotApprovedError,
    OtherUserError,
)
from iamcreds.model import Status
from iamcreds.pull_request.changes import Action

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from iamcreds.aws.clock import Clock
    from iamcreds.aws.create_journal import CreateJournal
    from iamcreds.aws.inventory import CredentialInventory
    from iamcreds.model import Credential, IssuedCredential
    from iamcreds.pull_request.approval import Approval

_ACTIONS = {Status.ACTIVE: Action.SWITCH_ON, Status.INACTIVE: Action.SWITCH_OFF}
_MAY_BE_RESET = (
    "it may already be reset, and then the password known here is dead: repeat, and do not take the `reset` back before"
)


class Credentials:
    """Creates, changes and deletes credentials. Safe to use from several threads.

    Args:
        iam: a client that repeats what may be repeated.
        iam_once: a client that repeats nothing.
        inventory: the credentials of the account, kept current.
        clock: AWS's clock.
        journal: lock and journal of creates.
        approval: the approved steps, which limit every change of an existing credential; None allows all.
        sleep: waits so many seconds.
        warn: receives a warning for each lost response that was resolved.
    """

    def __init__(  # noqa: PLR0913 - the parts that a write rests on
        self,
        *,
        iam: IAMClient,
        iam_once: IAMClient,
        inventory: CredentialInventory,
        clock: Clock,
        journal: CreateJournal,
        approval: Approval | None,
        sleep: Callable[[float], None],
        warn: Callable[[str], object],
    ) -> None:
        self._iam = iam
        self._inventory = inventory
        self._clock = clock
        self._journal = journal
        self._approval = approval
        self._creates = Creates(
            iam_once=iam_once,
            inventory=inventory,
            clock=clock,
            journal=journal,
            reset=self._reset,
            sleep=sleep,
            warn=warn,
        )

    def require_approved(self, user: str, credential_id: str, *actions: Action) -> None:
        """Reject a step unless one of the actions is approved for the credential.

        Raises:
            NotApprovedError: there is an approved plan, and it does not name the step.
        """
        if self._approval is not None:
            self._approval.require(user, credential_id, *actions)

    def create(
        self, user: str, service: str, age_days: int | None = None, status: Status | None = None
    ) -> IssuedCredential:
        """Create a credential that has the status, or none: if deactivating it fails, it is deleted.

        The create is called once, and never a second time blindly. If its response is lost (a time-out, a broken
        connection, a truncated response, a 5xx), the user is listed again. The one credential that was created within
        the call's time, by AWS's clock, is the call's: a warning names it, and Reset returns its password. If there is
        none or more than one, or a different create of this machine may have made it, nothing more is done.

        Args:
            user: name of the IAM user.
            service: full name of the service.
            age_days: days until it expires, None for never.
            status: None leaves it as IAM creates it, Active.

        Raises:
            NoSuchUserError, NoSuchServiceError, LimitExceededError, AccountError
            LostAnswerError: the credential may have been created; lists do not prove it.
        """
        with self._journal.hold(user, service):
            issued = self._creates.create(user, service, age_days)
            created = issued.credential
            if status in (None, created.status):
                return issued
            try:
                self._set_status(created.user, created.id, status)
            except AccountError as error:
                raise AccountError(f"{error}; {self.undo(created)}") from error
            return replace(issued, credential=replace(created, status=status))

    def undo(self, created: Credential) -> str:
        """Delete a credential that was created just now; return a clause about the result."""
        name = f"{created.id} of user {created.user}"
        try:
            self._delete(created.user, created.id, None)
        except AccountError as error:
            return f"and the new credential could not be deleted ({error}): delete {name} by hand"
        return f"the new credential {name} was deleted again"

    def change(
        self, user: str, credential_id: str, *, status: Status | None = None, reset: bool = False
    ) -> IssuedCredential | None:
        """Activate or deactivate the credential (None: neither) and reset it; return the result of a reset.

        A reset gives it a new password. The old one stops working at once; id, dates and status stay. Deactivation
        comes first and activation last, so that an old password never comes to life; repeating it converges.

        Raises:
            NotApprovedError: a step is not approved; nothing was changed.
            NoSuchCredentialError, NoSuchUserError, AccountError
            LostAnswerError: it may already be reset.
        """
        if status is not None:
            self.require_approved(user, credential_id, _ACTIONS[status])
        if reset:
            self.require_approved(user, credential_id, Action.RESET)
        if status is Status.INACTIVE:
            self._set_status(user, credential_id, status)
        issued = self._reset(user, credential_id) if reset else None
        if status is Status.ACTIVE:
            try:
                self._set_status(user, credential_id, status)
            except AccountError as error:
                if issued is None:
                    raise
                raise LostAnswerError(
                    f"{error}; its password is reset already, and the one known here is dead: repeat, and do not take"
                    " the `reset` back before"
                ) from error
        if issued is None or status is None:
            return issued
        return replace(issued, credential=replace(issued.credential, status=status))

    def delete(self, user: str, credential_id: str, created: datetime | None = None) -> None:
        """Delete the credential, also if IAM has renamed its user since; one that is gone counts as deleted.

        Args:
            user: name of the IAM user who had it.
            credential_id: its id.
            created: its creation time, if known: one so young that lists lack it is not called gone.

        Raises:
            NotApprovedError: neither its deletion nor its replacement is approved, and it still exists.
            AccountError
        """
        try:
            self.require_approved(user, credential_id, Action.DELETE, Action.REPLACE)
        except NotApprovedError:
            if self._inventory.find(user, credential_id) or self._is_young(created):
                raise
            return
        self._delete(user, credential_id, created)

    def _delete(self, user: str, credential_id: str, created: datetime | None) -> None:
        try:
            self._call_delete(user, credential_id)
        except (NoSuchUserError, OtherUserError) as error:
            # IAM may have renamed the user: then the credential lives on under the new name.
            exists = isinstance(error, OtherUserError)  # of an id that it does not know IAM says something else
            live = self._inventory.find_anew(credential_id, exists=exists)
            is_unseen = live is None and (exists or self._is_young(created))
            if is_unseen or (live is not None and live.user == user):
                raise AccountError(
                    f"{error}; the user may have been renamed, and lists do not show yet where the credential is:"
                    " repeat in a minute"
                ) from error
            if live is not None:
                self._call_delete(live.user, credential_id)
        except NoSuchCredentialError:
            pass  # IAM knows no credential of that id at all
        self._inventory.forget(credential_id)
        self._journal.delete(user, credential_id)

    def _is_young(self, created: datetime | None) -> bool:
        return created is not None and self._clock.is_young(created)

    def _reset(self, user: str, credential_id: str) -> IssuedCredential:
        doing = f"resetting the password of credential {credential_id} of user {user}"
        with translate_errors(doing, if_lost=_MAY_BE_RESET):
            reset = self._iam.reset_service_specific_credential
            issued = to_issued(client.read(reset, UserName=user, ServiceSpecificCredentialId=credential_id))
            self._inventory.remember(issued.credential)
            return issued

    def _set_status(self, user: str, credential_id: str, status: Status) -> None:
        update = self._iam.update_service_specific_credential
        with translate_errors(f"making credential {credential_id} of user {user} {status}"):
            client.read(update, UserName=user, ServiceSpecificCredentialId=credential_id, Status=status.value)
        known = self._inventory.get(credential_id)
        if known is not None:
            self._inventory.remember(replace(known, status=status))

    def _call_delete(self, user: str, credential_id: str) -> None:
        with translate_errors(f"deleting credential {credential_id} of user {user}"):
            delete = self._iam.delete_service_specific_credential
            client.read(delete, UserName=user, ServiceSpecificCredentialId=credential_id)
