"""One AWS account during one run: its parts, and the guard that it is the expected account."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from iamcreds.aws import client
from iamcreds.aws.access_keys import AccessKeys
from iamcreds.aws.clock import Clock
from iamcreds.aws.create_journal import CreateJournal
from iamcreds.aws.credential_lists import CredentialLists
from iamcreds.aws.credential_report import ReportReader
from iamcreds.aws.credentials import Credentials
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.aws.inventory import CredentialInventory
from iamcreds.aws.notes import Notes, find_folders
from iamcreds.aws.open_creates import OpenCreates
from iamcreds.aws.settings import reading_settings
from iamcreds.aws.tracing import trace_calls
from iamcreds.aws.users import Users
from iamcreds.errors import AccountError, WrongAccountError, is_debugging

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from iamcreds.pull_request.approval import Approval

_LOG = logging.getLogger("iamcreds")


class Account:
    """The account that the AWS credentials in use belong to. Safe to use from several threads.

    Attributes:
        clock: AWS's clock.
        users: the IAM users.
        inventory: the existing credentials, read once and kept current.
        credentials: creates, changes and deletes credentials.
        create_journal: locks and notes of creates on this machine.
        open_creates: waits for the credentials of creates of earlier runs.
        credential_lists: lists of credentials, read anew each time.
        access_keys: lists of access keys, read anew each time.
        credential_report: IAM's credential report.

    Args:
        session: where region, profile and credentials come from; by default what every AWS tool uses.
        now: the present, in UTC.
        sleep: waits so many seconds.
        approval: the approved steps, which limit every change of an existing credential; None allows all.
        warn: receives warnings: a lost response that was resolved, and notes that cannot be kept.

    Raises:
        UnauthenticatedError: the profile does not exist, or its credentials cannot be read.
        ConfigError: a setting, such as the endpoint or the region, is not valid.
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
        client.silence_libraries()
        self.clock = Clock(now)
        with translate_errors(client.SIGNING_IN), reading_settings():
            session = session or client.open_session()
            if is_debugging():
                trace_calls(session)
            self._sts = client.sts_client(session, self.clock)
            self._iam = client.iam_client(session, self.clock)
            iam_once = client.iam_client_once(session, self.clock)
        self._lock = threading.Lock()
        self._id: str | None = None
        self._failure: AccountError | None = None
        self.users = Users(self._iam)
        self.credential_lists = CredentialLists(self._iam)
        self.access_keys = AccessKeys(self._iam)
        self.credential_report = ReportReader(self._iam, sleep)
        self.inventory = CredentialInventory(self.credential_lists, self.users, self.clock)
        self.create_journal = CreateJournal(Notes(find_folders(), warn), self._where, self.clock)
        self.open_creates = OpenCreates(self.create_journal, self.inventory, self.users, self.clock, sleep)
        self.credentials = Credentials(
            iam=self._iam,
            iam_once=iam_once,
            inventory=self.inventory,
            clock=self.clock,
            journal=self.create_journal,
            approval=approval,
            sleep=sleep,
            warn=warn,
        )

    def id(self) -> str:
        """Return the account's number, 12 digits, asked once.

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

    def require_account(self, expected: str | None, who: str) -> str:
        """Return the account's number, which must be the expected one (None expects nothing); `who` expects it.

        Raises:
            WrongAccountError: it is a different one.
        """
        if expected is not None and self.id() != expected:
            raise WrongAccountError(
                f"the AWS credentials in use belong to account {self.id()}, but {who} account {expected}: nothing was"
                " changed; use credentials of that account (AWS_PROFILE), or select the stack of this one",
            )
        return self.id()

    def _where(self) -> str:
        """Tell this account from others on this machine, and an IAM emulator from AWS; no call is made for it."""
        return f"{self._iam.meta.endpoint_url} {self._id}"
