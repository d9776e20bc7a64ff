"""The provider of `ServiceSpecificCredential`. Its module and class name are in every state."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from iamcreds.errors import NoSuchCredentialError, RejectedError, UserDeniedError
from iamcreds.model import Credential
from iamcreds.planning.rejections import unknown_service
from iamcreds.pulumi_engine.apply import make_credential
from iamcreds.pulumi_engine.change import change_credential
from iamcreds.pulumi_engine.check import CredentialCheck, needs_slot
from iamcreds.pulumi_engine.credential_warnings import find_warnings
from iamcreds.pulumi_engine.deletion import delete_credential
from iamcreds.pulumi_engine.delivering import SecretDelivery
from iamcreds.pulumi_engine.delivery_check import DeliveryCheck
from iamcreds.pulumi_engine.group_facts import has_service
from iamcreds.pulumi_engine.inputs import (
    CredentialInputs,
    find_failures,
    find_replace_reasons,
    is_known,
    is_rotated,
)
from iamcreds.pulumi_engine.outputs import (
    declared_inputs,
    refresh,
)
from iamcreds.pulumi_engine.policy_check import PolicyCheck, is_enforcing
from iamcreds.pulumi_engine.provider import (
    ACCOUNT_WIDE,
    DECLARED_FOR,
    Provider,
    is_reported_first,
    raise_rejection,
    warn,
)
from iamcreds.pulumi_engine.run_context import OnRejection, RunContext

_YOUNG = (
    "{service} credential {id} of user {user} is less than a minute old, and IAM's lists do not show it as created yet:"
    " the state keeps it unchanged"
)
_MAY_BE_CURRENT = (
    "{service} credential {id} of user {user} is not deleted, because the program could not read the stack's state, and"
    " it may be in use. Run again"
)
_DENIED = "{error}. The state keeps {service} credential {id} of user {user} unchanged"


class ServiceSpecificCredentialProvider(Provider):
    """The provider of one credential. Its class and module name are persisted in every state."""

    def configure(self, req: ConfigureRequest) -> None:
        """Read whether credential policies are enforced in this run."""
        super().configure(req)
        self._enforces = is_enforcing(req.config)

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> CheckResult:
        """Reject invalid inputs, any other account, and a credential that cannot be created or replaced."""
        context = RunContext.read(news)
        inputs = CredentialInputs.read(news)
        failures = self.account_failures(inputs.account, context.account)
        malformed = [*find_failures(inputs)] or ([] if failures else self._service_failures(inputs))
        if failures or (malformed and context.on_rejection is OnRejection.FAIL):
            return CheckResult(inputs.properties(), [*malformed, *failures])
        if not malformed and not is_known([inputs.user, inputs.service, inputs.adopt]):
            return CheckResult(inputs.properties(), [])
        if olds:  # the state has it; if it is to be replaced, a check without olds follows
            inputs = replace(inputs, password=None)
        policy = PolicyCheck(inputs, context, self.now, self._enforces)
        delivery = DeliveryCheck(self.deliveries, inputs, context)
        check = CredentialCheck(self.account, self.session, inputs, context, policy, delivery)
        recorded = CredentialInputs.read(olds) if olds else None
        if malformed:
            return check.reject("; ".join(f"{failure.property}: {failure.reason}" for failure in malformed), recorded)
        return check.run(recorded)

    def _service_failures(self, inputs: CredentialInputs) -> list[CheckFailure]:
        """Reject an unknown service while the user is still unknown."""
        is_checked_later = is_known(inputs.user) or not is_known(inputs.service)
        if is_checked_later or has_service(self.account, None, inputs.service):
            return []
        return [CheckFailure("service", unknown_service(inputs.service))]

    def diff(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        """Replace for a different user, service or age, and after expiry; update for a declared status or reset.

        A greater `rotation` resets and activates the credential, or replaces it if it has an age.
        """
        self.session.own(credential_id)
        try:
            self.session.require_read([credential_id])
            return self._compare(credential_id, olds, news)
        except UserDeniedError as error:
            self.session.deny(credential_id, str(error))
            return DiffResult(changes=True)  # update fails with the reason, and others continue
        except ACCOUNT_WIDE as error:
            if is_reported_first(error):
                raise
            return DiffResult(changes=False)  # the failure that was reported first ends the run

    def _compare(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        self.account.require_account(olds.get("account_id"), "this state is of")
        inputs = CredentialInputs.read(news)
        for warning in find_warnings(credential_id, olds, inputs):
            warn(warning)
        if news.get("refused"):
            return DiffResult(changes=True)  # no replacement begins: update fails with the reason, and others continue
        existing = None if olds.get("user") == inputs.user else self._find(credential_id, olds)
        is_renamed = existing is not None and existing.user == inputs.user
        olds = {**olds, "user": inputs.user} if is_renamed else olds
        replaces = find_replace_reasons(olds, inputs, is_successor=bool(news.get("rotates")))
        recorded = tuple(olds.get(name) for name in ("desired_status", "reset", "trigger", "deliver"))
        is_declared = recorded != (inputs.status, inputs.reset, inputs.trigger, inputs.deliver)
        is_delivered = news.get("delivers") is not None
        differs = is_declared or is_rotated(olds, inputs) or inputs.status not in (None, olds.get("status"))
        return DiffResult(
            changes=bool(replaces) or is_renamed or differs or is_delivered or inputs.age_days != olds.get("age_days"),
            replaces=replaces,
            delete_before_replace=needs_slot(self.account, olds.get("user"), olds.get("service"), inputs),
        )

    def create(self, props: Mapping[str, Any]) -> CreateResult:
        """Create the credential, or adopt or import the one that the preview has shown; completely or not at all.

        Raises:
            RejectedError: the plan or the secret store rejects it, or a credential that appeared since blocks it.
            AccountError: as AWS responds; a credential created by then is deleted.
        """
        raise_rejection(props)
        inputs = CredentialInputs.read(props)
        self.account.require_account(inputs.account, DECLARED_FOR)
        delivery = SecretDelivery.open(self.account, self.deliveries, inputs, {})
        outputs = make_credential(self.account, self.session, inputs, props.get("adopts"), delivery)
        return CreateResult(outputs["credential_id"], outputs | {"account_id": self.account.id()})

    def read(self, id_: str, props: Mapping[str, Any]) -> ReadResult:
        """Return the existing credential with the recorded secret; it is gone only if consistent lists lack it."""
        self.session.read(id_)
        try:
            existing = self._find(id_, props)
        except UserDeniedError as error:
            self.session.deny(id_, str(error))
            warn(_DENIED.format(error=error, id=id_, **props))
            return ReadResult(id_, dict(props), declared_inputs(props))
        except ACCOUNT_WIDE as error:
            if is_reported_first(error):
                raise
            # The failure that was reported first ends the run.
            return ReadResult(id_, dict(props), declared_inputs(props))
        is_young = self.account.clock.is_young(datetime.fromisoformat(props["create_date"]))
        if existing is None and not is_young:
            return ReadResult(None, {})
        if existing is None or (is_young and existing.status != props.get("status")):
            warn(_YOUNG.format(id=id_, **props))
            return ReadResult(id_, dict(props), declared_inputs(props))
        outs = refresh(props, existing)
        return ReadResult(id_, outs, declared_inputs(outs))

    def _find(self, credential_id: str, props: Mapping[str, Any]) -> Credential | None:
        self.session.require_read([credential_id])
        self.account.require_account(props.get("account_id"), "this state is of")
        return self.account.inventory.find(props["user"], credential_id)

    def update(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> UpdateResult:
        """Set the status and reset, in an order that activates no old password; repeating it converges.

        A declared status is sent if it or the recorded one changes, also if lists show it: they may lag.

        Raises:
            RejectedError: it needs a replacement, which is rejected; or a rotation would reset an Active credential.
            NotApprovedError: a step is not approved; nothing was changed.
            UserDeniedError: AWS denies the read of the user; nothing was changed.
            NoSuchCredentialError: it was deleted manually.
            AccountError: as AWS responds; the state stays as it was, and the next run repeats all of it.
        """
        raise_rejection(news)
        existing = self._find(credential_id, olds)
        try:
            return UpdateResult(change_credential(self.account, self.deliveries, existing, olds, news))
        except NoSuchCredentialError as error:
            raise NoSuchCredentialError(f"{error}. {self._next_step(olds)}") from error

    def _next_step(self, olds: Mapping[str, Any]) -> str:
        """Return the next step after a manual deletion; a refresh keeps a young credential as recorded."""
        listed = self.account.clock.listed_from(datetime.fromisoformat(olds["create_date"]))
        seconds = math.ceil((listed - self.account.clock.now()).total_seconds())
        if seconds <= 0:
            return "It was deleted outside Pulumi. Run `pulumi up --refresh`"
        return (
            "It was deleted outside Pulumi less than a minute after its creation. Run again at"
            f" {listed:%H:%M:%S} UTC (in {seconds} s)"
        )

    def delete(self, credential_id: str, props: Mapping[str, Any]) -> None:
        """Delete it, also under a new name of its user; one that no longer exists counts as deleted.

        Raises:
            RejectedError: its replacement was requested, and the plan rejects that; or it may be the current one of a
                rotated or renewed credential, because the program could not read the state.
            AccountError: as AWS responds.
        """
        reason = self.session.reason_to_keep(credential_id)
        if reason is not None:
            raise RejectedError(reason)
        if props.get("rotation") and self.session.lacks_state:
            raise RejectedError(_MAY_BE_CURRENT.format(id=credential_id, **props))
        self.account.require_account(props.get("account_id"), "this state is of")
        is_replaced = self.session.is_replaced(credential_id)
        delete_credential(
            self.account, self.deliveries, {**props, "credential_id": credential_id}, is_replaced=is_replaced
        )
