"""One AWS account during one run: its components, and the check that it is the expected account."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

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
    """The account of the AWS credentials in use. Safe to use from several threads.

    Attributes:
        clock: server time.
        users: the IAM users.
        inventory: the existing credentials, read once and kept current.
        credentials: creates, changes and deletes credentials.
        create_journal: locks and journal of creates on this machine.
        open_creates: waits for credentials that earlier runs created.
        credential_lists: lists of credentials, read on each call.
        access_keys: lists of access keys, read on each call.
        credential_report: IAM's credential report.

    Args:
        session: source of region, profile and credentials; by default the environment and the AWS configuration files.
        now: returns this machine's time, in UTC.
        sleep: waits for a number of seconds.
        approval: the approved steps, which limit the changes of existing credentials; None permits every change.
        warn: receives warnings: a lost response that was resolved, and journal files that cannot be written.

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
            self._session = session = session or client.open_session()
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
        """Return the 12-digit account ID, requested once.

        Raises:
            UnreachableError, UnauthenticatedError: the endpoint does not respond, or rejects the credentials.
        """
        with self._lock:
            if self._failure is not None:  # otherwise every resource would wait for the same timeout
                raise self._failure
            if self._id is None:
                try:
                    with translate_errors("reading the AWS account ID"), reading_answers():
                        self._id = client.read(self._sts.get_caller_identity)["Account"]
                except AccountError as error:
                    self._failure = error
                    raise
            return self._id

    @property
    def region(self) -> str | None:
        """The region in use, None if the environment has none; IAM needs none."""
        return self._session.region_name

    def open_client(self, service: str, region: str) -> Any:  # noqa: ANN401 - the caller knows the service
        """Return a client of a regional service, with retries.

        Raises:
            ConfigError: a setting, such as the endpoint or the region, is not valid.
        """
        with self._lock, translate_errors(client.SIGNING_IN), reading_settings():
            return client.regional_client(self._session, service, region, self.clock)

    def require_account(self, expected: str | None, who: str) -> str:
        """Return the account ID, which must be the expected one.

        Args:
            expected: the expected account ID; None accepts every account.
            who: start of the clause that names the expected account: "the specs are for".

        Raises:
            WrongAccountError: the account is a different one.
        """
        if expected is not None and self.id() != expected:
            raise WrongAccountError(
                f"the AWS credentials in use belong to account {self.id()}, but {who} account {expected}: nothing was"
                f" changed. Options: use credentials of account {expected} (AWS_PROFILE), or select the stack of"
                f" account {self.id()}",
            )
        return self.id()

    def _where(self) -> str:
        """Return a text that identifies the account and its endpoint on this machine, without a call."""
        return f"{self._iam.meta.endpoint_url} {self._id}"
