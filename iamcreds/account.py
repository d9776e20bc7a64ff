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

from iamcreds import aws
from iamcreds.access_keys import read_access_keys
from iamcreds.credential_report import read_credential_report
from iamcreds.errors import LostAnswerError, NoSuchCredentialError, NoSuchUserError, WrongAccountError
from iamcreds.lists import Lists
from iamcreds.model import Credential, IssuedCredential, Status
from iamcreds.pool import tell_nobody
from iamcreds.snapshot import LAG_PAUSES, Snapshot, credential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from iamcreds.model import AccessKey, CredentialReport
    from iamcreds.pool import Tell

READS = {
    "iam:ListServiceSpecificCredentials": "what is live, all users' a page at a time",
    "iam:ListUsers": "whether the users of new credentials exist",
    "iam:GetUser": "to be sure that a user is missing before saying so",
    "iam:ListAccessKeys": "the access keys of users with an access-key policy",
    "iam:GetAccessKeyLastUsed": "when those keys were last used",
}
"""Every operation that any run calls and that changes nothing, and why; STS GetCallerIdentity needs no permission."""

DRIFT_READS = {
    "iam:GenerateCredentialReport": "to have the report made that says whose access keys need a closer look",
    "iam:GetCredentialReport": "to read it",
}
"""Operations that `iamcreds drift` calls beside READS; without them it reads the access keys of every watched user."""

WRITES = {
    "iam:CreateServiceSpecificCredential": "a credential newly declared",
    "iam:UpdateServiceSpecificCredential": "one switched on or off",
    "iam:ResetServiceSpecificCredential": "a declared reset, or the password of a Create whose answer was lost",
    "iam:DeleteServiceSpecificCredential": "one no longer declared",
}
"""Every operation that is called and changes something, and why."""

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
        with aws.speaking("signing in to AWS"):
            session = session or boto3.Session()
            self._sts = aws.sts_client(session)
            self._iam = aws.iam_client(session, retries="adaptive")
            self._iam_once = aws.iam_client(session, retries="none")
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._id: str | None = None
        self.snapshot = Snapshot(self._iam, now, sleep)
        self.lists = Lists(self._iam)

    def id(self) -> str:
        """The account's number, 12 digits, asked once.

        Raises:
            UnreachableError, UnauthenticatedError: there is no endpoint, or it does not know us.
        """
        with self._lock:
            if self._id is None:
                with aws.speaking("asking AWS which account this is"):
                    self._id = self._sts.get_caller_identity()["Account"]
            return self._id

    def guard(self, expected: str | None, who: str) -> str:
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

    def access_keys(self, users: Iterable[str], tell: Tell = tell_nobody) -> dict[str, list[AccessKey] | None]:
        """The access keys of each of the users, oldest first; None of a user who does not exist.

        Raises:
            AccountError
        """
        return read_access_keys(self._iam, users, tell)

    def credential_report(self, tell: Tell = tell_nobody) -> CredentialReport:
        """What IAM's credential report says, which may be up to four hours old; a new one takes AWS some seconds.

        Raises:
            AccountError
        """
        return read_credential_report(self._iam, self._sleep, tell)

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
        before = {one.id for one in self.snapshot.of(user, service)}
        arguments = {"UserName": user, "ServiceName": service} | ({"CredentialAgeDays": age_days} if age_days else {})
        for _ in range(3):
            started = self._now()
            with aws.speaking(doing):
                try:
                    return self._issued(self._create_unless_throttled(arguments))
                except _BOTO as error:
                    if not aws.may_have_happened(error):
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
        with aws.speaking(f"resetting the password of credential {credential_id} of user {user}"):
            return self._issued(
                self._iam.reset_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential_id),
            )

    def set_status(self, user: str, credential_id: str, status: Status) -> None:
        """Switch the credential on (Active) or off (Inactive).

        Raises:
            NoSuchCredentialError, NoSuchUserError, AccountError
        """
        with aws.speaking(f"making credential {credential_id} of user {user} {status}"):
            self._iam.update_service_specific_credential(
                UserName=user,
                ServiceSpecificCredentialId=credential_id,
                Status="Active" if status is Status.ACTIVE else "Inactive",
            )
        known = self.snapshot.get(credential_id)
        if known is not None:
            self.snapshot.remember(replace(known, status=status))

    def delete(self, user: str, credential_id: str) -> None:
        """Delete the credential; one that is gone, or whose user is, counts as deleted.

        Raises:
            AccountError
        """
        try:
            with aws.speaking(f"deleting credential {credential_id} of user {user}"):
                self._iam.delete_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential_id)
        except (NoSuchCredentialError, NoSuchUserError):
            pass
        self.snapshot.forget(credential_id)

    def _create_unless_throttled(self, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3's answer
        for pause in THROTTLE_PAUSES:
            try:
                return self._iam_once.create_service_specific_credential(**arguments)
            except ClientError as error:
                if aws.error_code(error) not in aws.THROTTLED:
                    raise
            self._sleep(pause)
        return self._iam_once.create_service_specific_credential(**arguments)

    def _made_after_all(self, user: str, service: str, before: set[str], since: datetime) -> Credential | None:
        """What a Create without an answer made; lists may lag, so it is looked for more than once."""
        for pause in (0.0, *LAG_PAUSES):
            self._sleep(pause)
            self.snapshot.refresh(user)
            new = [one for one in self.snapshot.of(user, service) if one.id not in before and one.created >= since]
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
        return IssuedCredential(self.snapshot.remember(credential(item)), secret)
