"""One AWS account during one run: who we are there, and the five things that can be done to a credential."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from iamcreds.aws import client, issuing
from iamcreds.aws.access_keys import read_access_keys
from iamcreds.aws.clock import LAG, Clock
from iamcreds.aws.create_journal import CreateJournal
from iamcreds.aws.credential_report import read_credential_report
from iamcreds.aws.failures import reading_answers, reading_endpoint, translate_errors
from iamcreds.aws.inventory import Cache
from iamcreds.aws.listing import Listing
from iamcreds.aws.notes import Notes, find_folders
from iamcreds.aws.open_creates import OpenCreates
from iamcreds.aws.tracing import trace_calls
from iamcreds.aws.writing import Writing
from iamcreds.errors import AccountError, NotApprovedError, WrongAccountError, is_debugging
from iamcreds.model import Status
from iamcreds.progress import no_progress
from iamcreds.pull_request.changes import Action

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    import boto3

    from iamcreds.aws.listing import Page, Window
    from iamcreds.model import AccessKey, Credential, CredentialReport, IssuedCredential, User
    from iamcreds.progress import Progress
    from iamcreds.pull_request.approval import Approval

_SWITCHES = {Status.ACTIVE: Action.SWITCH_ON, Status.INACTIVE: Action.SWITCH_OFF}
_LOG = logging.getLogger("iamcreds")


class Account:
    """The account that the credentials in use belong to. Safe to use from several threads.

    Args:
        session: where region, profile and credentials come from; by default what every AWS tool uses.
        now: the present, in UTC.
        sleep: waits so many seconds.
        approval: the approved steps, which limit every change of an existing credential; None allows all.
        warn: receives warnings: a lost response that was resolved, and notes that cannot be kept.

    Raises:
        UnauthenticatedError: there is no such profile.
        ConfigError: the endpoint in use cannot be one.
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        approval: Approval | None = None,
        warn: Callable[[str], object] = _LOG.warning,
    ) -> None:
        self._approval = approval
        client.silence_libraries()
        self._clock = Clock(now)
        with translate_errors("signing in to AWS"), reading_endpoint():
            session = session or client.open_session()
            if is_debugging():
                trace_calls(session)
            self._sts = client.sts_client(session, self._clock)
            self._iam = client.iam_client(session, self._clock)
            iam_once = client.iam_client_once(session, self._clock)
        self._sleep = sleep
        self._lock = threading.Lock()
        self._id: str | None = None
        self._failure: AccountError | None = None
        self._cache = Cache(self._iam, self._clock)
        self._listing = Listing(self._iam)
        notes = Notes(find_folders(), warn)
        self._journal = CreateJournal(notes, self._where, self._clock)
        self._open_creates = OpenCreates(self._journal, self._cache, self._clock, sleep)
        self._writing = Writing(
            iam=self._iam,
            iam_once=iam_once,
            cache=self._cache,
            clock=self._clock,
            journal=self._journal,
            sleep=sleep,
            warn=warn,
        )

    def id(self) -> str:
        """The account's number, 12 digits, asked once.

        Raises:
            UnreachableError, UnauthenticatedError: there is no endpoint, or it does not know us.
        """
        with self._lock:
            if self._failure is not None:  # of many resources, each would wait for the same time-out
                raise self._failure
            if self._id is None:
                try:
                    with translate_errors("asking AWS which account this is"), reading_answers():
                        self._id = client.read(self._sts.get_caller_identity)["Account"]
                except AccountError as error:
                    self._failure = error
                    raise
            return self._id

    def _where(self) -> str:
        """What tells this account from others on this machine, and an embedded IAM from AWS; no call is made for it."""
        return f"{self._iam.meta.endpoint_url} {self._id}"

    def require_account(self, expected: str | None, who: str) -> str:
        """The account's number, which must be the expected one (None expects nothing); `who` expects it.

        Raises:
            WrongAccountError: it is another.
        """
        if expected is not None and self.id() != expected:
            raise WrongAccountError(
                f"the AWS credentials in use belong to account {self.id()}, but {who} account {expected}: nothing was"
                " changed; use credentials of that account (AWS_PROFILE), or select the stack of this one",
            )
        return self.id()

    def is_approved(self, credential_id: str, action: Action) -> bool:
        """Return True if there is no approved plan, or if it names the action for the credential."""
        return self._approval is None or self._approval.permits(credential_id, action)

    def require_approved(self, user: str, credential_id: str, *actions: Action) -> None:
        """Reject a step unless one of the actions is approved for the credential.

        Raises:
            NotApprovedError: there is an approved plan, and it does not name the step.
        """
        if self._approval is not None:
            self._approval.require(user, credential_id, *actions)

    def now(self) -> datetime:
        """What AWS's clock says, in UTC, to a second."""
        return self._clock.now()

    def credentials(self) -> list[Credential]:
        """All live credentials, sorted by user, service and id; one call a page, once a run.

        Raises:
            AccountError
        """
        return self._cache.credentials()

    def credentials_of(self, user: str, service: str) -> list[Credential]:
        """The user's live credentials for the service (full name), oldest first.

        Raises:
            AccountError
        """
        return self._cache.of(user, service)

    def find_credential(self, user: str, credential_id: str) -> Credential | None:
        """The live credential of that id, whosever it is; None where neither all users' list nor this user's has it.

        Lists may lag: of a credential that `is_young`, None does not mean that it is gone.

        Raises:
            AccountError
        """
        return self._cache.find(user, credential_id)

    def is_young(self, created: datetime) -> bool:
        """Whether a credential made at that time may still be missing from lists, by AWS's clock."""
        return self._clock.is_young(created)

    def listed_from(self, created: datetime) -> datetime:
        """Return the server time from which lists show a credential created at that time, or lack a deleted one."""
        return created + LAG

    def has_written(self, credential_id: str) -> bool:
        """Whether this process has made, reset or switched the credential."""
        return self._cache.has_written(credential_id)

    def reread_users(self, users: Iterable[str], progress: Progress = no_progress) -> None:
        """Read the credentials of these users one by one, and of all where the bulk read proves to be incomplete.

        Raises:
            AccountError
        """
        self._cache.reread(users, progress)

    def has_listed(self, user: str) -> bool:
        """Whether this run has read the credentials of that user alone, after which nothing of them is left out."""
        return self._cache.has_listed(user)

    def look_closer(self, user: str) -> None:
        """Read the credentials of one user; where the bulk read lacks any, others are read as they are asked for.

        Raises:
            AccountError
        """
        self._cache.look_closer([user])

    def users(self) -> list[User]:
        """The account's IAM users, by name; one call a page, once a run.

        Raises:
            AccountError
        """
        return self._cache.users()

    def missing_users(self, users: Iterable[str]) -> set[str]:
        """Which of the users do not exist.

        Raises:
            AccountError
        """
        return self._cache.missing_users(users)

    def has_user(self, user: str) -> bool:
        """Whether the IAM user exists.

        Raises:
            AccountError
        """
        return self._cache.has_user(user)

    def has_service(self, user: str | None, service: str) -> bool:
        """Whether AWS knows such credentials of the service (full name): one call, about a user who exists (None: any).

        True where the account has no user to ask about.

        Raises:
            AccountError
        """
        return self._cache.has_service(user, service)

    def settle_creates(
        self, user: str, service: str, is_known: Callable[[str], bool], tell: Callable[[timedelta], None]
    ) -> None:
        """Wait until lists must show the credentials that earlier runs on this machine created.

        A create is open until the state has its id, or lists have shown, or lacked, its credential for longer than they
        lag. A run that counts credentials before that creates one too many.

        Args:
            user: name of the IAM user.
            service: full name of the service.
            is_known: returns True for the id of a credential that the state has.
            tell: receives the longest possible wait, if there is one.

        Raises:
            AccountError
        """
        self._open_creates.settle(user, service, is_known, tell)

    def list_credentials(
        self, window: Window, *, user: str | None = None, service: str | None = None, all_users: bool = False
    ) -> Page[Credential]:
        """The credentials of a user (None: the caller) or of all, asked for anew, as IAM's own operation lists them.

        Raises:
            NoSuchUserError, AccountError
        """
        return self._listing.credentials(window, user=user, service=service, all_users=all_users)

    def list_access_keys(self, window: Window, *, user: str | None = None) -> Page[AccessKey]:
        """The access keys of a user (None: the caller), asked for anew, oldest first.

        Raises:
            NoSuchUserError, AccountError
        """
        return self._listing.access_keys(window, user=user)

    def list_all_access_keys(self, window: Window, progress: Progress) -> Page[AccessKey]:
        """The access keys of all users, asked for anew, by user, oldest first; the window is one of the list of users.

        Raises:
            AccountError
        """
        return self._listing.access_keys_of_all(window, progress)

    def access_keys(self, users: Iterable[str], progress: Progress = no_progress) -> dict[str, list[AccessKey] | None]:
        """The access keys of each of the users, oldest first; None of a user who does not exist.

        Raises:
            AccountError
        """
        return read_access_keys(self._iam, users, progress)

    def credential_report(self, progress: Progress = no_progress) -> CredentialReport:
        """What IAM's credential report says, which may be up to four hours old; a new one takes AWS some seconds.

        Raises:
            AccountError
        """
        return read_credential_report(self._iam, self._sleep, progress)

    def hold_creates(self, user: str, service: str) -> contextlib.AbstractContextManager[None]:
        """Keep every other Create for that user and service (full name) waiting, in all processes of this machine.

        Until what comes of a Create is known, a list may show what it made, and nobody can tell whose that is. So who
        decides whether to create holds this from the first look to the end.
        """
        return self._journal.hold(user, service)

    def create(self, user: str, service: str, age_days: int | None = None) -> IssuedCredential:
        """Create a credential: one call, and never a second one blindly.

        If the response is lost (a time-out, a broken connection, a truncated one, a 5xx), the user is listed again. The
        one credential that was created within the call's time, by AWS's clock, is ours: a warning names it, and
        Reset returns its password. If there is none or more than one, or a different create of this machine may have
        made it, nothing more is done.

        Args:
            user: the IAM user's name.
            service: the service's full name.
            age_days: days until it expires, None for never.

        Raises:
            NoSuchUserError, NoSuchServiceError, LimitExceededError, AccountError
            LostAnswerError: it may have been created, and nobody can tell.
        """
        return issuing.issue(self._writing, user, service, age_days, None)

    def issue(
        self, user: str, service: str, age_days: int | None = None, status: Status | None = None
    ) -> IssuedCredential:
        """Create a credential that has the status (None: Active), or none: when switching it off fails, it is deleted.

        Raises:
            NoSuchUserError, NoSuchServiceError, LimitExceededError, LostAnswerError, AccountError
        """
        return issuing.issue(self._writing, user, service, age_days, status)

    def undo(self, made: Credential) -> str:
        """Delete what was created just now; a clause about what came of that."""
        return issuing.undo(self._writing, made)

    def change(
        self, user: str, credential_id: str, *, status: Status | None = None, reset: bool = False
    ) -> IssuedCredential | None:
        """Switch the credential (None: leave it) and give it a new password; what Reset answered, where asked for.

        Off comes first and on comes last, so that an old password never comes to life; repeating it converges.

        Raises:
            NotApprovedError: a step is not approved; nothing was changed.
            NoSuchCredentialError, NoSuchUserError, AccountError
            LostAnswerError: it may already be reset.
        """
        if status is not None:
            self.require_approved(user, credential_id, _SWITCHES[status])
        if reset:
            self.require_approved(user, credential_id, Action.RESET)
        return issuing.change(self._writing, user, credential_id, status, reset=reset)

    def reset(self, user: str, credential_id: str) -> IssuedCredential:
        """Give the credential a new password; the old one stops working at once, id, dates and status stay.

        Raises:
            NotApprovedError: the reset is not approved.
            NoSuchCredentialError, NoSuchUserError, AccountError
            LostAnswerError: it may already be reset.
        """
        self.require_approved(user, credential_id, Action.RESET)
        return self._writing.reset(user, credential_id)

    def set_status(self, user: str, credential_id: str, status: Status) -> None:
        """Switch the credential on (Active) or off (Inactive).

        Raises:
            NotApprovedError: the change is not approved.
            NoSuchCredentialError, NoSuchUserError, AccountError
        """
        self.require_approved(user, credential_id, _SWITCHES[status])
        self._writing.set_status(user, credential_id, status)

    def delete(self, user: str, credential_id: str, created: datetime | None = None) -> None:
        """Delete the credential, also where IAM has renamed its user since; one that is gone counts as deleted.

        Args:
            user: whose it was.
            credential_id: its id.
            created: when it was made, where that is known: one so young that lists lack it is not called gone.

        Raises:
            NotApprovedError: neither its deletion nor its replacement is approved, and it still exists.
            AccountError
        """
        try:
            self.require_approved(user, credential_id, Action.DELETE, Action.REPLACE)
        except NotApprovedError:
            if self.find_credential(user, credential_id) or (created and self.is_young(created)):
                raise
            return
        self._writing.delete(user, credential_id, created)
