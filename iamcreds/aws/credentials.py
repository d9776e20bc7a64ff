"""The write path: create, change and delete credentials, safely after a lost response or in a second run."""

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

_ACTIONS = {Status.ACTIVE: Action.ACTIVATE, Status.INACTIVE: Action.DEACTIVATE}
_MAY_BE_RESET = (
    "the password may already be reset, and then the recorded one no longer works. Run again with the same specs"
)


class Credentials:
    """The write operations on credentials. Safe to use from several threads.

    Args:
        iam: a client with retries.
        iam_once: a client without retries.
        inventory: the credentials of the account, kept current.
        clock: server time.
        journal: lock and journal of creates.
        approval: the approved steps, which limit the changes of existing credentials; None permits every change.
        sleep: waits for a number of seconds.
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
        """Create a credential with the status; delete it if it cannot be deactivated.

        A create is never retried blindly. If its response is lost (a timeout, a broken connection, a truncated
        response, a 5xx), the user's credentials are listed again. If exactly one was created within the time of the
        call (server time), it is the created credential: a warning names it, and Reset returns its password. If there
        is none or more than one, or a different create on this machine may have created it, LostAnswerError is raised.

        Args:
            user: name of the IAM user.
            service: full name of the service.
            age_days: days until it expires; None for never.
            status: status after the create; None for IAM's default, Active.

        Raises:
            NoSuchUserError, NoSuchServiceError, LimitExceededError, AccountError
            LostAnswerError: the credential may have been created, but lists do not prove it.
        """
        with self._journal.hold(user, service):
            issued = replace(self._creates.create(user, service, age_days), is_new=True)
            created = issued.credential
            if status in (None, created.status):
                return issued
            try:
                self._set_status(created.user, created.id, status)
            except AccountError as error:
                raise AccountError(f"{error}; {self.undo(created)}") from error
            return replace(issued, credential=replace(created, status=status))

    def undo(self, created: Credential) -> str:
        """Delete a credential right after its create; return a clause about the result."""
        name = f"{created.id} of user {created.user}"
        try:
            self._delete(created.user, created.id, None)
        except AccountError as error:
            return f"and the new credential could not be deleted ({error}). Delete {name} manually"
        return f"the new credential {name} was deleted again"

    def change(
        self, user: str, credential_id: str, *, status: Status | None = None, reset: bool = False
    ) -> IssuedCredential | None:
        """Activate, deactivate or reset the credential (status None: only reset); return the result of a reset.

        A reset replaces the password: the old one stops working at once, and id, dates and status stay. Deactivation
        comes first and activation last, so that an old password never becomes valid. Repeating the change converges.

        Raises:
            NotApprovedError: a step is not approved; nothing was changed.
            NoSuchCredentialError, NoSuchUserError, AccountError
            LostAnswerError: the password may already be reset.
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
                    f"{error}; the password is already reset, and the recorded one no longer works. Run again with the"
                    " same specs"
                ) from error
        if issued is None or status is None:
            return issued
        return replace(issued, credential=replace(issued.credential, status=status))

    def delete(
        self, user: str, credential_id: str, created: datetime | None = None, before: Callable[[], object] | None = None
    ) -> None:
        """Delete the credential, even if its user was renamed in IAM; succeed if it no longer exists.

        Args:
            user: recorded name of the IAM user.
            credential_id: id of the credential.
            created: creation time of the credential, if known; lists may still lack a recent one.
            before: called right before the deletion, once it is approved; None for nothing.

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
        if before is not None:
            before()
        self._delete(user, credential_id, created)

    def _delete(self, user: str, credential_id: str, created: datetime | None) -> None:
        try:
            self._call_delete(user, credential_id)
        except (NoSuchUserError, OtherUserError) as error:
            # The user may have been renamed: then the credential belongs to the new name.
            exists = isinstance(error, OtherUserError)  # for an unknown id, IAM returns a different error
            existing = self._inventory.find_anew(credential_id, exists=exists)
            is_unseen = existing is None and (exists or self._is_young(created))
            if is_unseen or (existing is not None and existing.user == user):
                raise AccountError(
                    f"{error}; the user may have been renamed, and list results do not show the new name yet. Run again"
                    " in a minute"
                ) from error
            if existing is not None:
                self._call_delete(existing.user, credential_id)
        except NoSuchCredentialError:
            pass  # the id does not exist in IAM
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
            return replace(issued, issued=self._clock.now().replace(microsecond=0))

    def _set_status(self, user: str, credential_id: str, status: Status) -> None:
        update = self._iam.update_service_specific_credential
        with translate_errors(f"setting credential {credential_id} of user {user} to {status}"):
            client.read(update, UserName=user, ServiceSpecificCredentialId=credential_id, Status=status.value)
        credential = self._inventory.get(credential_id)
        if credential is not None:
            self._inventory.remember(replace(credential, status=status))

    def _call_delete(self, user: str, credential_id: str) -> None:
        with translate_errors(f"deleting credential {credential_id} of user {user}"):
            delete = self._iam.delete_service_specific_credential
            client.read(delete, UserName=user, ServiceSpecificCredentialId=credential_id)
