"""One create: journaled, called once, and never repeated blindly if its response is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from iamcreds.aws import client
from iamcreds.aws.create_journal import LONGEST_CREATE
from iamcreds.aws.credential_lists import to_issued
from iamcreds.aws.failures import is_throttled, may_have_happened, translate_errors
from iamcreds.errors import AccountError, LostAnswerError, UnreadableAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from iamcreds.aws.clock import Clock
    from iamcreds.aws.create_journal import CreateJournal
    from iamcreds.aws.inventory import CredentialInventory
    from iamcreds.model import Credential, IssuedCredential

THROTTLE_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0)
"""Seconds before each repetition of a throttled Create."""

LOOK_PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look for the credential of a Create without a response; lists may lag."""


@dataclass(frozen=True)
class _Call:
    """A call of Create with its id in the journal, and the ids of the credentials that were known before it."""

    id: str
    user: str
    service: str
    lifetime: timedelta | None
    started: datetime
    known: frozenset[str]

    @property
    def loss(self) -> str:
        return f"creating a {self.service} credential for user {self.user}: the response of AWS was lost"


class Creates:
    """Creates credentials. Safe to use from several threads.

    Args:
        iam_once: a client that repeats nothing.
        inventory: the credentials of the account, kept current.
        clock: AWS's clock.
        journal: lock and journal of creates.
        reset: resets the credential of this user and id.
        sleep: waits so many seconds.
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
        """Create a credential while the journal's lock is held, again only if it was throttled.

        Raises:
            NoSuchUserError, NoSuchServiceError, LimitExceededError, AccountError
            LostAnswerError: the credential may have been created; lists do not prove it.
        """
        known = frozenset(live.id for live in self._inventory.of(user, service))
        lifetime = timedelta(days=age_days) if age_days else None
        age = {"CredentialAgeDays": age_days} if age_days else {}
        create = self._iam_once.create_service_specific_credential
        for pause in (*THROTTLE_PAUSES, None):
            started = self._clock.local()
            call = _Call(self._journal.begin(user, service), user, service, lifetime, started, known)
            with translate_errors(f"creating a {service} credential for user {user}"):
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
        issued = self._find_created(call)  # if it finds nothing, the create stays open
        self._journal.confirm(user, call.id, issued.credential)
        return issued

    def _find_created(self, call: _Call) -> IssuedCredential:
        """Return the credential that a call without a response created: found by lists, with a password by Reset.

        Raises:
            LostAnswerError: no credential, more than one, or one that may be of a different create; or a call failed.
        """
        try:
            candidates = self._find_candidates(call)
        except AccountError as error:
            raise LostAnswerError(
                f"{call.loss}, and looking for the new credential failed ({error}): the next run reports it if it"
                " exists"
            ) from error
        if not candidates:
            raise LostAnswerError(
                f"{call.loss}, and no new credential appeared within {sum(LOOK_PAUSES):.0f} seconds: run again in a"
                " minute, when lists must show it"
            )
        ids = " and ".join(candidate.id for candidate in candidates)
        if len(candidates) > 1:
            raise LostAnswerError(
                f"{call.loss}, and {ids} of user {call.user} are new: delete those that nobody uses, then run again"
            )
        if self._journal.has_other(call.user, call.id, candidates[0]):
            raise LostAnswerError(
                f"{call.loss}, and {ids} of user {call.user} may be of a different create on this machine: if nobody"
                " uses it, delete it or declare `existing: adopt`; then run again"
            )
        try:
            issued = self._reset(call.user, ids)
        except AccountError as error:
            raise LostAnswerError(
                f"{call.loss}, and the password of the new credential {ids} of user {call.user} could not be reset"
                f" ({error}): delete it or declare `existing: adopt`, then run again"
            ) from error
        self._warn(
            f"{call.loss}: {ids} is the only {call.service} credential of user {call.user} that appeared within the"
            " time of the call; iamcreds kept it and reset its password"
        )
        return issued

    def _find_candidates(self, call: _Call) -> list[Credential]:
        """Return new credentials of the call's time and lifetime; a different create's may be listed first."""
        ended = min(self._clock.local(), call.started + LONGEST_CREATE)
        for pause in LOOK_PAUSES:
            self._sleep(pause)
            self._inventory.refresh(call.user)
        others = call.known | self._journal.ids(call.user)
        start, end = self._clock.at(call.started), self._clock.at(ended)  # now that it is known best
        return [
            live
            for live in self._inventory.of(call.user, call.service)
            if live.id not in others
            and self._clock.may_be_within(live.created, start, end)
            and live.lifetime == call.lifetime
        ]
