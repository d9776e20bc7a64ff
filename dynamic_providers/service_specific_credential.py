"""The provider of `ServiceSpecificCredential`: what the engine calls. Its module and class name are in every state."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from dynamic_providers.credential_inputs import CredentialInputs, find_failures
from dynamic_providers.credential_state import (
    SECRETS,
    declared_inputs,
    record_inputs,
    record_live,
    record_secret,
    recorded_live,
)
from dynamic_providers.making import make_credential
from dynamic_providers.provider import ACCOUNT_WIDE, Provider, is_told_first, warn
from dynamic_providers.run import Message, Refuse
from dynamic_providers.situation import find_own, foresee, has_predecessor, has_service, is_full
from dynamic_providers.unknowns import is_known
from iamcreds.decision.deciding import Adopt, AdoptNamed, Create, MissingUser, Situation, decide
from iamcreds.decision.refusals import protected, sentence, unknown_service
from iamcreds.errors import NoSuchCredentialError, ProtectedError
from iamcreds.model import Credential, Status
from iamcreds.services import MAX_PER_SERVICE
from iamcreds.text.escaping import escape_invisible

_REPLACING = ("user", "service", "age_days")
_SWITCHED_OFF = (
    "somebody switched off {service} credential {id} of user {user}, and off it stays:"
    " switch it on in IAM, or declare `status: Active`"
)
_RESET_TAKEN_OUT = (
    "the `reset` of {service} credential {id} of user {user} was taken out: nothing is reset by that, and adding it"
    " again, with the same text too, will be a reset"
)
_NOTHING_ADOPTED = (
    "a known password is that of a credential that is taken over: name its id with `adopt`, or take it out"
)
_YOUNG = (
    "{service} credential {id} of user {user} is less than a minute old, and IAM's lists do not show it as it was made"
    " yet: it is kept as recorded"
)


class ServiceSpecificCredentialProvider(Provider):
    """Makes one live credential what its inputs say. The class and module name are persisted in every state."""

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> CheckResult:
        """Refuse what IAM would refuse, any other account, and a credential that could not be created."""
        message = Message.read(news)
        inputs = CredentialInputs.read(news)
        found = [*find_failures(inputs), *self.account_failures(inputs.account, message.account)]
        found = found or self._service_failures(inputs)
        if found or not is_known([inputs.user, inputs.service, inputs.adopt]):
            return CheckResult(inputs.properties(), found)
        self.run.hear(inputs.user, inputs.service, message)
        if inputs.adopt is not None:
            self.run.claim(inputs.user, inputs.service, message.resource, inputs.adopt)
        if olds:  # it is in the state already; where it is to be replaced, another check without them follows
            self.run.record(message.resource)
            return self._check_protection(CredentialInputs.read(olds), replace(inputs, password=None), message)
        with self.account.hold_creates(inputs.user, inputs.service):
            return self._check_create(inputs, message)

    def _service_failures(self, inputs: CredentialInputs) -> list[CheckFailure]:
        """Why the service is refused whoever the user is, where the preview does not know that yet."""
        is_told_later = is_known(inputs.user) or not is_known(inputs.service)
        if is_told_later or has_service(self.account, None, inputs.service):
            return []
        return [CheckFailure("service", unknown_service(inputs.service))]

    def _check_protection(self, olds: CredentialInputs, inputs: CredentialInputs, message: Message) -> CheckResult:
        """Refuse to replace what is protected: the engine would do so as well, without the place and the reason."""
        own = [] if not message.protect else find_own(self.account, olds.user, message)
        expired = any(live.status is Status.EXPIRED for live in own)
        replaces = [name for name in _REPLACING if getattr(olds, name) != getattr(inputs, name)]
        if not message.protect or not (expired or replaces):
            return CheckResult(inputs.properties(), [])
        reason = protected(olds.user, olds.service, own, ["it has expired"] if expired else replaces)
        self.run.keep(message.resource, reason)
        return self._refuse(reason, inputs, message, is_deleted_first=False)  # where it is left to later, to update

    def _check_create(self, inputs: CredentialInputs, message: Message) -> CheckResult:
        if inputs.adopt is not None and has_predecessor(self.account, self.run, inputs.user, message):
            inputs = inputs.without_adoption()  # what replaces one that the stack has is made, and not adopted
        if inputs.password is not None and inputs.adopt is None:
            return CheckResult(inputs.properties(), [CheckFailure("password", _NOTHING_ADOPTED)])
        situation = foresee(self.account, self.run, inputs, message)
        decision = decide(inputs.wanted(), situation)
        is_deleted_first = self._is_deleted_first(inputs, message, situation)
        resource = message.resource or f"{id(inputs)}"
        if isinstance(decision, MissingUser) and message.refuse is Refuse.CHECK and not is_deleted_first:
            # Another program may make the user in the same run, and whatever else is wrong is wrong then, too.
            warn(sentence(decision, inputs.wanted(), self.account.now()))
            decision = decide(replace(inputs.wanted(), adopt=None), replace(situation, has_user=True))
        match decision:
            case Create():
                self.run.plan(inputs.user, inputs.service, resource, None)
                return CheckResult(inputs.properties(), [])
            case Adopt(live):
                self.run.plan(inputs.user, inputs.service, resource, live.id)
                return CheckResult(inputs.properties() | {"adopts": live.id}, [])
            case AdoptNamed(live):
                self.run.plan(inputs.user, inputs.service, resource, live.id)
                differs = inputs.status not in (None, live.status)
                shown = {"adopts": live.id} | ({"adopts_status": live.status.value} if differs else {})
                return CheckResult(inputs.properties() | shown, [])
        reason = sentence(decision, inputs.wanted(), self.account.now())
        return self._refuse(reason, inputs, message, is_deleted_first=is_deleted_first)

    def _refuse(
        self, reason: str, inputs: CredentialInputs, message: Message, *, is_deleted_first: bool
    ) -> CheckResult:
        reason = escape_invisible(reason)
        if message.refuse is Refuse.PREVIEW:
            return CheckResult(inputs.properties() | {"refused": [reason]}, [])
        if message.refuse is Refuse.CREATE and not is_deleted_first:
            return CheckResult(inputs.properties(), [])  # create will refuse it
        return CheckResult(inputs.properties(), [CheckFailure("", reason)])

    def _is_deleted_first(self, inputs: CredentialInputs, message: Message, situation: Situation) -> bool:
        """Whether the engine would delete what this credential replaces before it has it created."""
        is_successor = self.run.has(message.resource)
        return bool(situation.leaving) or (is_successor and inputs.declared == MAX_PER_SERVICE)

    def diff(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        """Another user, service or age replaces, and so does expiry; a declared status or reset updates."""
        self.run.own(credential_id)
        try:
            return self._compare(credential_id, olds, news)
        except ACCOUNT_WIDE as error:
            if is_told_first(error):
                raise
            return DiffResult(changes=False)  # asked in a refresh, too; the run ends by what was told already

    def _compare(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        self.account.require_account(olds.get("account_id"), "this state is of")
        inputs = CredentialInputs.read(news)
        if olds.get("status") == Status.INACTIVE and inputs.status is None:
            warn(_SWITCHED_OFF.format(id=credential_id, **olds))
        if olds.get("reset") is not None and inputs.reset is None:
            warn(_RESET_TAKEN_OUT.format(id=credential_id, **olds))
        replaces = [name for name in _REPLACING if olds.get(name) != getattr(inputs, name)]
        if olds.get("status") == Status.EXPIRED:
            replaces.append("status")
        if replaces and self.run.reason_to_keep(credential_id) is not None:
            return DiffResult(changes=True)  # update says why it cannot be, and the others go on
        if replaces:
            self.run.replace(credential_id)
        declared = (olds.get("desired_status"), olds.get("reset")) != (inputs.status, inputs.reset)
        return DiffResult(
            changes=bool(replaces) or declared or inputs.status not in (None, olds.get("status")),
            replaces=replaces,
            delete_before_replace=self._needs_its_place(olds, inputs),
        )

    def _needs_its_place(self, olds: Mapping[str, Any], inputs: CredentialInputs) -> bool:
        """Whether a replacement, ours or one that somebody asked the engine for, needs the place of the old one."""
        same = (olds.get("user"), olds.get("service")) == (inputs.user, inputs.service)
        return same and is_full(inputs, self.account.credentials_of(inputs.user, inputs.service))

    def create(self, props: Mapping[str, Any]) -> CreateResult:
        """Create the credential, or adopt the one that the preview has shown; all of it or nothing.

        Raises:
            ExistingCredentialError: what is live is in the way.
            AccountError: as AWS answers; what had been made by then is deleted again.
        """
        inputs = CredentialInputs.read(props)
        self.account.require_account(inputs.account, "the specs are for")
        outputs = make_credential(self.account, self.run, inputs, props.get("adopts"))
        return CreateResult(outputs["credential_id"], outputs | {"account_id": self.account.id()})

    def read(self, id_: str, props: Mapping[str, Any]) -> ReadResult:
        """What is live now; gone only when lists that cannot lag any more lack it. The secret is carried over."""
        self.run.read(id_)
        try:
            live = self._find(id_, props)
        except ACCOUNT_WIDE as error:
            if is_told_first(error):
                raise
            return ReadResult(id_, dict(props), declared_inputs(props))  # the run ends by what was told already
        is_young = self.account.is_young(datetime.fromisoformat(props["create_date"]))
        if live is None and not is_young:
            return ReadResult(None, {})
        if live is None or (is_young and live.status != props.get("status")):
            warn(_YOUNG.format(id=id_, **props))
            return ReadResult(id_, dict(props), declared_inputs(props))
        outs = dict(props) | record_live(live)
        return ReadResult(id_, outs, declared_inputs(outs))

    def _find(self, credential_id: str, props: Mapping[str, Any]) -> Credential | None:
        self.account.require_account(props.get("account_id"), "this state is of")
        return self.account.find_credential(props["user"], credential_id)

    def update(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> UpdateResult:
        """Switch and reset, in an order in which no old password comes to life again; repeating it converges.

        A declared status is sent where it or what is recorded changes, whatever lists say, for they may lag.

        Raises:
            ProtectedError: it would have to be replaced.
            NoSuchCredentialError: it was deleted behind our back.
            AccountError: as AWS answers; the state stays as it was, and the next run does all of it again.
        """
        reason = self.run.reason_to_keep(credential_id)
        if reason is not None:
            raise ProtectedError(reason)
        inputs = CredentialInputs.read(news)
        live = self._find(credential_id, olds)
        status = inputs.target
        known = {olds.get("desired_status"), olds["status"], status if live is None else live.status.value}
        try:
            issued = self.account.change(
                olds["user"] if live is None else live.user,
                credential_id,
                status=None if known == {inputs.status} else status,
                reset=inputs.reset is not None and inputs.reset != olds.get("reset"),
            )
        except NoSuchCredentialError as error:
            raise NoSuchCredentialError(f"{error}: {self._way_out(olds)}") from error
        now_live = recorded_live(olds) if live is None else record_live(live)
        now_status = {} if status is None else {"status": status.value}
        kept = {name: olds[name] for name in (*SECRETS, "account_id") if name in olds}
        secret = {} if issued is None else record_secret(issued)
        return UpdateResult(record_inputs(inputs) | now_live | now_status | kept | secret)

    def _way_out(self, olds: Mapping[str, Any]) -> str:
        """Return the next step after a manual deletion; a refresh keeps a young credential as recorded."""
        listed = self.account.listed_from(datetime.fromisoformat(olds["create_date"]))
        seconds = math.ceil((listed - self.account.now()).total_seconds())
        if seconds <= 0:
            return "it is gone: `pulumi up --refresh`"
        return f"it is gone, less than a minute after its creation: run again at {listed:%H:%M:%S} UTC (in {seconds} s)"

    def delete(self, credential_id: str, props: Mapping[str, Any]) -> None:
        """Delete it, also under a new name of its user; one that is gone already counts as deleted.

        Raises:
            AccountError: as AWS answers.
        """
        self.account.require_account(props.get("account_id"), "this state is of")
        self.account.delete(props["user"], credential_id, datetime.fromisoformat(props["create_date"]))
