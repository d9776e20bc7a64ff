"""One AWS account during one run: who we are there, and the five things that can be done to a credential."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from iamcreds.account import client
from iamcreds.account.access_keys import read_access_keys
from iamcreds.account.cache import LAG_PAUSES, Cache
from iamcreds.account.client import to_credential
from iamcreds.account.credential_report import read_credential_report
from iamcreds.account.listing import Listing
from iamcreds.account.tracing import trace_calls
from iamcreds.debugging import is_debugging
from iamcreds.errors import LostAnswerError, NoSuchCredentialError, NoSuchUserError, WrongAccountError
from iamcreds.model import Credential, IssuedCredential, Status
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from iamcreds.account.listing import Page, Window
    from iamcreds.model import AccessKey, CredentialReport, User
    from iamcreds.progress import Progress

CLOCK_SKEW = timedelta(minutes=5)
"""AWS refuses requests signed by a clock further off than this, so its dates are not further from ours."""

THROTTLE_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0)
"""Seconds before each repetition of a throttled Create."""

_BOTO = (ClientError, BotoCoreError, ResponseParserError)


class Account:
    """The account that the credentials in use belong to. Safe to use from several threads.

    Args:
        session: where region, profile and credentials come from; by default what every AWS tool uses.
        now: the present, in UTC.
        sleep: waits so many seconds.

    Raises:
        UnauthenticatedError: there is no such profile.
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        with client.translate_errors("signing in to AWS"):
            session = session or boto3.Session()
            if is_debugging():
                trace_calls(session)
            self._sts = client.sts_client(session)
            self._iam = client.iam_client(session, retries="adaptive")
            self._iam_once = client.iam_client(session, retries="none")
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._id: str | None = None
        self._cache = Cache(self._iam, now, sleep)
        self._listing = Listing(self._iam)

    def id(self) -> str:
        """The account's number, 12 digits, asked once.

        Raises:
            UnreachableError, UnauthenticatedError: there is no endpoint, or it does not know us.
        """
        with self._lock:
            if self._id is None:
                with client.translate_errors("asking AWS which account this is"):
                    self._id = self._sts.get_caller_identity()["Account"]
            return self._id

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

    def find_credential(self, user: str, credential_id: str, created: datetime) -> Credential | None:
        """The live credential of that id, or None once a list of its user has confirmed that it is gone.

        Raises:
            AccountError
        """
        return self._cache.find(user, credential_id, created)

    def reread_users(self, users: Iterable[str], progress: Progress = no_progress) -> None:
        """Read the credentials of these users one by one, and of all where the bulk read proves to be incomplete.

        Raises:
            AccountError
        """
        self._cache.reread(users, progress)

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

    def create(self, user: str, service: str, age_days: int | None = None) -> IssuedCredential:
        """Create a credential: one call, and never a second one blindly.

        When the answer is lost (a time-out, a broken connection, a 5xx) the user is listed again: what is new is
        ours, and Reset tells its password. Only when nothing is new, the call is made again.

        Args:
            user: the IAM user's name.
            service: the service's full name.
            age_days: days until it expires, None for never.

        Raises:
            NoSuchUserError, LimitExceededError, LostAnswerError, AccountError
        """
        doing = f"creating a {service} credential for user {user}"
        before = {one.id for one in self._cache.of(user, service)}
        arguments = {"UserName": user, "ServiceName": service} | ({"CredentialAgeDays": age_days} if age_days else {})
        for _ in range(3):
            started = self._now()
            with client.translate_errors(doing):
                try:
                    return self._issued(self._create_unless_throttled(arguments))
                except _BOTO as error:
                    if not client.may_have_happened(error):
                        raise
            made = self._made_after_all(user, service, before, started - CLOCK_SKEW)
            if made is not None:
                return self.reset(user, made.id)
        raise LostAnswerError(f"{doing}: AWS failed to answer three times, and no credential appeared: repeat later")

    def reset(self, user: str, credential_id: str) -> IssuedCredential:
        """Give the credential a new password; the old one stops working at once, id, dates and status stay.

        Raises:
            NoSuchCredentialError, NoSuchUserError, AccountError
        """
        with client.translate_errors(f"resetting the password of credential {credential_id} of user {user}"):
            return self._issued(
                self._iam.reset_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential_id),
            )

    def set_status(self, user: str, credential_id: str, status: Status) -> None:
        """Switch the credential on (Active) or off (Inactive).

        Raises:
            NoSuchCredentialError, NoSuchUserError, AccountError
        """
        with client.translate_errors(f"making credential {credential_id} of user {user} {status}"):
            self._iam.update_service_specific_credential(
                UserName=user,
                ServiceSpecificCredentialId=credential_id,
                Status="Active" if status is Status.ACTIVE else "Inactive",
            )
        known = self._cache.get(credential_id)
        if known is not None:
            self._cache.remember(replace(known, status=status))

    def delete(self, user: str, credential_id: str) -> None:
        """Delete the credential; one that is gone, or whose user is, counts as deleted.

        Raises:
            AccountError
        """
        try:
            with client.translate_errors(f"deleting credential {credential_id} of user {user}"):
                self._iam.delete_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential_id)
        except (NoSuchCredentialError, NoSuchUserError):
            pass
        self._cache.forget(credential_id)

    def _create_unless_throttled(self, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3's answer
        for pause in THROTTLE_PAUSES:
            try:
                return self._iam_once.create_service_specific_credential(**arguments)
            except ClientError as error:
                if client.error_code(error) not in client.THROTTLED:
                    raise
            self._sleep(pause)
        return self._iam_once.create_service_specific_credential(**arguments)

    def _made_after_all(self, user: str, service: str, before: set[str], since: datetime) -> Credential | None:
        """What a Create without an answer made; lists may lag, so it is looked for more than once."""
        for pause in (0.0, *LAG_PAUSES):
            self._sleep(pause)
            self._cache.refresh(user)
            new = [one for one in self._cache.of(user, service) if one.id not in before and one.created >= since]
            if len(new) > 1:
                raise LostAnswerError(
                    f"creating a {service} credential for user {user}: AWS's answer was lost and"
                    f" {' and '.join(one.id for one in new)} are new: delete the one nobody else made, then repeat",
                )
            if new:
                return new[0]
        return None

    def _issued(self, answer: Any) -> IssuedCredential:  # noqa: ANN401 - boto3's answer
        item = answer["ServiceSpecificCredential"]
        secret = item.get("ServicePassword") or item.get("ServiceCredentialSecret")
        return IssuedCredential(self._cache.remember(to_credential(item)), secret)
