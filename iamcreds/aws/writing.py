"""The four writes to a credential, each so that a lost answer, a refusal or a repetition loses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from iamcreds.aws import client
from iamcreds.aws.create_journal import LONGEST_CREATE
from iamcreds.aws.failures import is_throttled, may_have_happened, translate_errors
from iamcreds.errors import (
    AccountError,
    LostAnswerError,
    NoSuchCredentialError,
    NoSuchUserError,
    OtherUserError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from iamcreds.aws.clock import Clock
    from iamcreds.aws.create_journal import CreateJournal
    from iamcreds.aws.inventory import Cache
    from iamcreds.model import Credential, IssuedCredential, Status

THROTTLE_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0)
"""Seconds before each repetition of a throttled Create."""

LOOK_PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look for what a Create without an answer may have made; lists may lag."""

_MAY_BE_RESET = (
    "it may already be reset, and then the password known here is dead: repeat, and do not take the `reset` back before"
)


class Writing:
    """Creates, resets, switches and deletes credentials. Safe to use from several threads.

    Args:
        iam: a client that repeats what may be repeated.
        iam_once: a client that repeats nothing.
        cache: what the run knows, kept current.
        clock: AWS's clock.
        journal: lock and journal of creates.
        sleep: waits so many seconds.
        warn: receives warnings.
    """

    def __init__(  # noqa: PLR0913 - what a write rests on
        self,
        *,
        iam: IAMClient,
        iam_once: IAMClient,
        cache: Cache,
        clock: Clock,
        journal: CreateJournal,
        sleep: Callable[[float], None],
        warn: Callable[[str], object],
    ) -> None:
        self._iam = iam
        self._iam_once = iam_once
        self._cache = cache
        self._clock = clock
        self._journal = journal
        self._sleep = sleep
        self._warn = warn

    def hold(self, user: str, service: str) -> contextlib.AbstractContextManager[None]:
        """Keep every other Create for this user and service waiting; see `Account.hold_creates`."""
        return self._journal.hold(user, service)

    def create(self, user: str, service: str, age_days: int | None = None) -> IssuedCredential:
        """Create a credential, within `hold`; see `Account.create`."""
        known = {live.id for live in self._cache.of(user, service)}
        arguments = {"UserName": user, "ServiceName": service}
        return self._create(arguments | ({"CredentialAgeDays": age_days} if age_days else {}), known)

    def _create(self, arguments: dict[str, Any], known: Collection[str]) -> IssuedCredential:
        """Create unless throttled; what was `known` before the call is not what the call made."""
        user, service = arguments["UserName"], arguments["ServiceName"]
        doing = f"creating a {service} credential for user {user}"
        for pause in (*THROTTLE_PAUSES, None):
            started = self._clock.local()
            call = self._journal.begin(user, service)
            with translate_errors(doing):
                try:
                    issued = self._issued(client.call(self._iam_once.create_service_specific_credential, **arguments))
                except UnreadableAnswerError:
                    break
                except (BotoCoreError, ClientError) as error:
                    if may_have_happened(error):
                        break
                    self._journal.close(user, call)
                    if pause is None or not is_throttled(error):
                        raise
                else:
                    self._journal.confirm(user, call, issued.credential)
                    return issued
            self._sleep(pause)
        issued = self._find_made(doing, arguments, known, started, call)  # if it finds nothing, the create stays open
        self._journal.confirm(user, call, issued.credential)
        return issued

    def _find_made(
        self, doing: str, arguments: Mapping[str, Any], known: Collection[str], started: datetime, call: str
    ) -> IssuedCredential:
        """Return the credential that a create without a response made: found by lists, with a password by Reset.

        Raises:
            LostAnswerError: no credential, more than one, or one that may be of a different create; or a call failed.
        """
        user, service = arguments["UserName"], arguments["ServiceName"]
        lost = f"{doing}: the response of AWS was lost"
        try:
            candidates = self._find_candidates(arguments, known, started)
        except AccountError as error:
            raise LostAnswerError(
                f"{lost}, and looking for the new credential failed ({error}): the next run reports it if it exists"
            ) from error
        if not candidates:
            raise LostAnswerError(
                f"{lost}, and no new credential appeared within {sum(LOOK_PAUSES):.0f} seconds: run again in a minute,"
                " when lists must show it"
            )
        ids = " and ".join(candidate.id for candidate in candidates)
        if len(candidates) > 1:
            raise LostAnswerError(
                f"{lost}, and {ids} of user {user} are new: delete those that nobody uses, then run again"
            )
        made = candidates[0]
        if self._journal.has_other(user, call, made):
            raise LostAnswerError(
                f"{lost}, and {ids} of user {user} may be of a different create on this machine: if nobody uses it,"
                " delete it or declare `existing: adopt`; then run again"
            )
        try:
            issued = self.reset(user, made.id)
        except AccountError as error:
            raise LostAnswerError(
                f"{lost}, and the password of the new credential {ids} of user {user} could not be reset ({error}):"
                " delete it or declare `existing: adopt`, then run again"
            ) from error
        self._warn(
            f"{lost}: {ids} is the only {service} credential of user {user} that appeared within the time of the call;"
            " iamcreds kept it and reset its password"
        )
        return issued

    def _find_candidates(
        self, arguments: Mapping[str, Any], known: Collection[str], started: datetime
    ) -> list[Credential]:
        """Return the new credentials of the call's time that have the requested lifetime."""
        days = arguments.get("CredentialAgeDays")
        ended = min(self._clock.local(), started + LONGEST_CREATE)
        appeared = self._appeared(arguments["UserName"], arguments["ServiceName"], known, started, ended)
        return [live for live in appeared if live.lifetime == (timedelta(days=days) if days else None)]

    def _appeared(
        self, user: str, service: str, known: Collection[str], started: datetime, ended: datetime
    ) -> list[Credential]:
        """What is new, of no other run on this machine, and was made within the call's time.

        Every look counts: somebody's may be seen first.
        """
        for pause in LOOK_PAUSES:
            self._sleep(pause)
            self._cache.refresh(user)
        others = {*known, *self._journal.ids(user)}
        new = [live for live in self._cache.of(user, service) if live.id not in others]
        start, end = self._clock.at(started), self._clock.at(ended)  # now that it is known best
        return [live for live in new if self._clock.may_be_within(live.created, start, end)]

    def reset(self, user: str, credential_id: str) -> IssuedCredential:
        """Give the credential a new password; see `Account.reset`."""
        doing = f"resetting the password of credential {credential_id} of user {user}"
        with translate_errors(doing, if_lost=_MAY_BE_RESET):
            answer = client.read(
                self._iam.reset_service_specific_credential, UserName=user, ServiceSpecificCredentialId=credential_id
            )
            return self._issued(answer)

    def set_status(self, user: str, credential_id: str, status: Status) -> None:
        """Switch the credential on or off; see `Account.set_status`."""
        with translate_errors(f"making credential {credential_id} of user {user} {status}"):
            client.read(
                self._iam.update_service_specific_credential,
                UserName=user,
                ServiceSpecificCredentialId=credential_id,
                Status=status.value,
            )
        known = self._cache.get(credential_id)
        if known is not None:
            self._cache.remember(replace(known, status=status))

    def delete(self, user: str, credential_id: str, created: datetime | None = None) -> None:
        """Delete the credential; see `Account.delete`."""
        try:
            self._delete(user, credential_id)
        except (NoSuchUserError, OtherUserError) as error:
            # IAM may have renamed the user: then the credential lives on under the new name.
            exists = isinstance(error, OtherUserError)  # of an id that it does not know IAM says something else
            live = self._cache.find_anew(credential_id, exists=exists)
            is_young = created is not None and self._clock.is_young(created)
            is_unseen = live is None and (exists or is_young)
            if is_unseen or (live is not None and live.user == user):
                raise AccountError(
                    f"{error}; the user may have been renamed, and lists do not show yet where the credential is:"
                    " repeat in a minute"
                ) from error
            if live is not None:
                self._delete(live.user, credential_id)
        except NoSuchCredentialError:
            pass  # IAM knows no credential of that id at all
        self._cache.forget(credential_id)
        self._journal.delete(user, credential_id)

    def _delete(self, user: str, credential_id: str) -> None:
        with translate_errors(f"deleting credential {credential_id} of user {user}"):
            client.read(
                self._iam.delete_service_specific_credential,
                UserName=user,
                ServiceSpecificCredentialId=credential_id,
            )

    def _issued(self, answer: Mapping[str, Any]) -> IssuedCredential:
        issued = client.to_issued(answer)
        self._cache.remember(issued.credential)
        return issued
