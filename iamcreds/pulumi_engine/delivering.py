"""The delivery of one credential's secret within a create or an update.

A run first reads the store, and writes the word of the attempt to the tags of the secret. Then IAM issues the password,
and the run writes it to the store. In this order, a killed run loses nothing: by the word, a later run detects that the
store has the last password that IAM has issued.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from iamcreds.delivery import DeliveredSecret, Delivery
from iamcreds.errors import AccountError, LostAnswerError, RejectedError
from iamcreds.pulumi_engine.outputs import SECRETS
from iamcreds.services import LOGIN_OUTPUTS
from iamcreds.stores.store import ATTEMPT_TAG
from iamcreds.stores.tokens import make_attempt, make_token, read_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.aws import Account
    from iamcreds.pulumi_engine.inputs import CredentialInputs
    from iamcreds.stores.deliveries import Deliveries, Target
    from iamcreds.stores.store import StoredSecret

_LOGINS = tuple(LOGIN_OUTPUTS.values())
_ALREADY_RESET = (
    "{error}; the password is already reset, and the store does not have the new one. Run again with the same specs"
)


@dataclass(frozen=True)
class SecretDelivery:
    """The delivery of a credential's secret in one run.

    Attributes:
        account: the account.
        target: the declared secret.
        stored: the secret in the store before the run, None for a new one.
        attempt: the word of this attempt.
        rotation: the number of predecessors of the credential in this run.
        reset: its reset trigger in this run, None without one.
        has_settings: True if the existing secret may lack the declared settings.
    """

    account: Account
    target: Target
    stored: StoredSecret | None
    attempt: str
    rotation: int
    reset: str | None
    has_settings: bool

    @classmethod
    def open(
        cls, account: Account, deliveries: Deliveries, inputs: CredentialInputs, olds: Mapping[str, Any]
    ) -> SecretDelivery | None:
        """Read the store and require that it accepts the secret, before anything changes; None without a delivery.

        Args:
            account: the account.
            deliveries: the secret stores of the run.
            inputs: the credential's inputs.
            olds: its recorded outputs, empty for a new credential.

        Raises:
            RejectedError: the store does not accept the secret.
            ConfigError, AccountError: see `Deliveries`.
        """
        declared = inputs.delivery
        if declared is None:
            return None
        target, recorded = deliveries.find_target(declared, inputs.user, inputs.service), DeliveredSecret.find(olds)
        before = find_recorded_delivery(olds)
        if recorded is not None and before is not None and not declared.is_moved(before):
            deliveries.require_region(target, recorded)
        stored = target.store.describe(target.name)
        deliveries.require_usable(target, stored, recorded)
        target = replace(target, settings=deliveries.with_policy(target))
        attempt = make_attempt(account.clock.now())
        has_settings = stored is not None and (
            inputs.deliver != olds.get("deliver")
            or stored.credential != target.credential
            or recorded is None
            or recorded.arn != stored.arn  # a killed run has created it again
        )
        return cls(account, target, stored, attempt, inputs.rotation or 0, inputs.reset, has_settings)

    @property
    def keeps_secret(self) -> bool:
        """True if the state keeps the secret."""
        return self.target.declared.keep_in_state

    def find_finished(self, credential_id: str) -> dict[str, Any] | None:
        """Return the outputs of the password that a killed run has issued and delivered, None without one.

        After the delivery of the last attempt, no reset of iamcreds can have taken place.
        """
        stored = self.stored
        if stored is None or not stored.attempt or stored.version is None or self.keeps_secret:
            return None
        if stored.token != make_token(credential_id, self.rotation, self.reset, stored.attempt):
            return None
        issued = read_time(stored.attempt)
        delivered = {"delivery": DeliveredSecret(stored.arn, stored.version).properties()}
        is_past = issued is not None and issued <= self.account.clock.now()
        return delivered | ({"issued_at": issued.isoformat()} if issued is not None and is_past else {})

    def begin(self, *, resets: bool) -> None:
        """Apply the declared settings to an existing secret, and write the word of the attempt right before a reset.

        Raises:
            AccountError: as AWS responds; nothing has changed in IAM.
        """
        if self.stored is not None and self.has_settings:
            self.target.store.configure(self.stored, self.target.settings)
        if self.stored is not None and resets:
            self.target.store.tag_attempt(self.stored, self.attempt)

    def finish(
        self, outputs: Mapping[str, Any], olds: Mapping[str, Any], *, is_issued: bool, is_lost: bool
    ) -> dict[str, Any]:
        """Return the outputs of an update after the delivery of the secret, if that is necessary.

        Args:
            outputs: the outputs with the secret, if the state has it or IAM has just issued it.
            olds: the recorded outputs.
            is_issued: True if IAM has just issued it.
            is_lost: True if the store has lost it.

        Raises:
            RejectedError: the state does not have the secret to deliver.
            AccountError: as AWS responds; a LostAnswerError if a new password is not in the store.
        """
        if is_issued:
            return self.deliver_issued(outputs)
        if is_lost or self.target.declared.needs_secret(find_recorded_delivery(olds)):
            return self.deliver(outputs)
        return self.without_secret(outputs)

    def deliver(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Write the secret of these outputs to the store; return the outputs with its version, and without the secret.

        Raises:
            RejectedError: the outputs have no secret.
            AccountError: as AWS responds; the store does not have the secret.
        """
        secret = next((outputs[name] for name in SECRETS if outputs.get(name) is not None), None)
        if secret is None:
            raise RejectedError(
                f"the password of credential {outputs['credential_id']} cannot be delivered, because the state does not"
                " have it. Change `reset` to deliver a new one"
            )
        content = {
            "username": next((outputs[name] for name in _LOGINS if name in outputs), ""),
            "password": secret,
            "service": outputs["service"],
            "credentialId": outputs["credential_id"],
        }
        token = make_token(outputs["credential_id"], self.rotation, self.reset, self.attempt)
        delivered = self._put(json.dumps(content), token)
        return self.without_secret(outputs) | {"delivery": delivered.properties()}

    def deliver_issued(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Deliver a password that IAM has just issued for an existing credential; see `deliver`.

        Raises:
            LostAnswerError: the store does not have it, and the old password no longer works.
        """
        try:
            return self.deliver(outputs)
        except AccountError as error:
            raise LostAnswerError(_ALREADY_RESET.format(error=error)) from error

    def without_secret(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs as the state keeps them."""
        return {name: value for name, value in outputs.items() if self.keeps_secret or name not in SECRETS}

    def _put(self, value: str, token: str) -> DeliveredSecret:
        """Write a value; a new secret gets its resource policy afterwards."""
        delivered = self._write(value, token)
        created = self.target.store.describe(delivered.arn) if self.stored is None and self._has_policy else None
        if created is not None:
            self.target.store.configure(created, self.target.settings)
        return delivered

    @property
    def _has_policy(self) -> bool:
        return self.target.settings.policy is not None

    def _write(self, value: str, token: str) -> DeliveredSecret:
        """Write a value; after an error, the store shows whether it has the value."""
        settings = self.target.settings
        if self.stored is None:
            settings = replace(settings, tags={**settings.tags, ATTEMPT_TAG: self.attempt})
        store, name = self.target.store, self.target.name
        try:
            return store.put(name, self.stored, value, token, settings)
        except AccountError:
            with suppress(AccountError):
                stored = store.describe(name)
                if stored is not None and stored.token == token and stored.version is not None:
                    return DeliveredSecret(stored.arn, stored.version)
            raise


def find_recorded_delivery(olds: Mapping[str, Any]) -> Delivery | None:
    """Return the applied delivery in recorded outputs, None without a valid one."""
    return Delivery.find(olds.get("deliver"))
