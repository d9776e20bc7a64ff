"""One create: recorded in the journal, called once, and never retried blindly if its response is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from iamcreds.aws import client
from iamcreds.aws.create_journal import LONGEST_CREATE
from iamcreds.aws.credential_lists import to_issued
from iamcreds.aws.failures import HOW_TO_GET_ACCESS, is_throttled, may_have_happened, translate_errors
from iamcreds.errors import AccountError, LostAnswerError, UnreadableAnswerError
from iamcreds.services import Family, service_family

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from iamcreds.aws.clock import Clock
    from iamcreds.aws.create_journal import CreateJournal
    from iamcreds.aws.inventory import CredentialInventory
    from iamcreds.model import Credential, IssuedCredential

THROTTLE_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0)
"""Seconds before each retry of a throttled Create."""

LOOK_PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each list after a lost response, because lists are eventually consistent."""

_KEY_DENIED = (
    "Options: print the required IAM policy (`iamcreds permissions`); or check the organization's policies (SCPs)."
    " AWS's sample for Bedrock denies an expiry of 30 days or more, exactly 30 as well, but not keys without an expiry"
)
"""The next step if AWS denies an API key (sample SCP: https://github.com/aws-samples/service-control-policy-examples)."""


@dataclass(frozen=True)
class _Call:
    """A call of Create, its id in the journal, and the ids of the credentials that existed before it."""

    id: str
    user: str
    service: str
    lifetime: timedelta | None
    started: datetime
    existing_ids: frozenset[str]

    @property
    def loss(self) -> str:
        return f"creating a {self.service} credential for user {self.user}: the response was lost"


class Creates:
    """The creation of credentials. Safe to use from several threads.

    Args:
        iam_once: a client without retries.
        inventory: the credentials of the account, kept current.
        clock: server time.
        journal: lock and journal of creates.
        reset: resets the credential of this user and id.
        sleep: waits for a number of seconds.
        warn: receives a warning for each lost response that was resolved.
    """

    def __init__(  # noqa: PLR0913 - the parts that a create rests on
        self,
        *,
        iam_once: IAMClient,
        inventory: CredentialInventory,
        clock: Clock,
        journal: CreateJournal,
        reset: Callable[[str, str], IssuedCredential],
        sleep: Callable[[float], None],
        warn: Callable[[str], object],
    ) -> None:
        self._iam_once = iam_once
        self._inventory = inventory
        self._clock = clock
        self._journal = journal
        self._reset = reset
        self._sleep = sleep
        self._warn = warn

    def create(self, user: str, service: str, age_days: int | None) -> IssuedCredential:
        """Create a credential; retry only a throttled call. The caller holds the journal's lock.

        Raises:
            NoSuchUserError, NoSuchServiceError, LimitExceededError, AccountError
            LostAnswerError: the credential may have been created, but lists do not prove it.
        """
        existing_ids = frozenset(credential.id for credential in self._inventory.of(user, service))
        lifetime = timedelta(days=age_days) if age_days else None
        age = {"CredentialAgeDays": age_days} if age_days else {}
        create = self._iam_once.create_service_specific_credential
        is_key = age_days is not None or service_family(service) is Family.API_KEY
        if_denied = _KEY_DENIED if is_key else HOW_TO_GET_ACCESS
        for pause in (*THROTTLE_PAUSES, None):
            started = self._clock.local()
            call = _Call(self._journal.begin(user, service), user, service, lifetime, started, existing_ids)
            with translate_errors(f"creating a {service} credential for user {user}", if_denied=if_denied):
                try:
                    issued = to_issued(client.call(create, UserName=user, ServiceName=service, **age))
                except UnreadableAnswerError:
                    break
                except (BotoCoreError, ClientError) as error:
                    if may_have_happened(error):
                        break
                    self._journal.close(user, call.id)
                    if pause is None or not is_throttled(error):
                        raise
                else:
                    self._inventory.remember(issued.credential)
                    self._journal.confirm(user, call.id, issued.credential)
                    return issued
            self._sleep(pause)
        issued = self._find_created(call)  # if nothing is found, the create stays open
        self._journal.confirm(user, call.id, issued.credential)
        return issued

    def _find_created(self, call: _Call) -> IssuedCredential:
        """Find the credential of a call without a response in lists, and reset its password.

        Raises:
            LostAnswerError: a call failed, or the lists do not show exactly one candidate that is certain.
        """
        try:
            candidates = self._find_candidates(call)
        except AccountError as error:
            raise LostAnswerError(
                f"{call.loss}, and the search for the new credential failed ({error}); if it exists, the next run"
                " reports it"
            ) from error
        if not candidates:
            raise LostAnswerError(
                f"{call.loss}, and no new credential appeared within {sum(LOOK_PAUSES):.0f} seconds. Run again in a"
                " minute; until then, IAM's lists may not show it"
            )
        ids = " and ".join(candidate.id for candidate in candidates)
        if len(candidates) > 1:
            raise LostAnswerError(
                f"{call.loss}, and {ids} of user {call.user} are new. Delete those that are not in use, then run again"
            )
        if self._journal.has_other(call.user, call.id, candidates[0]):
            raise LostAnswerError(
                f"{call.loss}, and {ids} of user {call.user} may be from a different create on this machine. If it is"
                " not in use, delete it or declare `existing: adopt`, then run again"
            )
        try:
            issued = self._reset(call.user, ids)
        except AccountError as error:
            raise LostAnswerError(
                f"{call.loss}, and the password of the new credential {ids} of user {call.user} could not be reset"
                f" ({error}). Delete it or declare `existing: adopt`, then run again"
            ) from error
        self._warn(
            f"{call.loss}; {ids} is the only {call.service} credential of user {call.user} that appeared within the"
            " time of the call, so iamcreds kept it and reset its password"
        )
        return issued

    def _find_candidates(self, call: _Call) -> list[Credential]:
        """Return new credentials with the time and lifetime of the call.

        All lists are read first, because the credential of a different create may be listed earlier.
        """
        ended = min(self._clock.local(), call.started + LONGEST_CREATE)
        for pause in LOOK_PAUSES:
            self._sleep(pause)
            self._inventory.refresh(call.user)
        other_ids = call.existing_ids | self._journal.ids(call.user)
        start, end = self._clock.at(call.started), self._clock.at(ended)  # by the estimate of the latest response
        return [
            credential
            for credential in self._inventory.of(call.user, call.service)
            if credential.id not in other_ids
            and self._clock.may_be_within(credential.created, start, end)
            and credential.lifetime == call.lifetime
        ]
