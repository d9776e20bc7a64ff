"""Change a recorded credential: status, reset, rotation and delivery, in an order that converges when repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.errors import RejectedError
from iamcreds.model import Status
from iamcreds.planning.rejections import in_use
from iamcreds.pulumi_engine.delivering import SecretDelivery
from iamcreds.pulumi_engine.inputs import CredentialInputs, is_reset, is_rotated
from iamcreds.pulumi_engine.outputs import record_change, record_inputs, record_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.aws import Account
    from iamcreds.model import Credential
    from iamcreds.stores.deliveries import Deliveries


def change_credential(
    account: Account,
    deliveries: Deliveries,
    existing: Credential | None,
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
) -> dict[str, Any]:
    """Change a credential to the checked inputs, and return its outputs.

    Args:
        account: the account.
        deliveries: the secret stores of the run.
        existing: the existing credential, None if lists do not show it at present.
        olds: the recorded outputs.
        news: the checked inputs.

    Raises:
        RejectedError: a rotation would reset an Active credential, or the secret store rejects the delivery.
        NotApprovedError: a step is not approved; nothing was changed.
        NoSuchCredentialError: it was deleted manually.
        AccountError: as AWS responds; the next run repeats all of it.
    """
    inputs = CredentialInputs.read(news)
    is_issued = is_rotated(olds, inputs) or is_reset(olds, inputs)
    is_delivered = is_issued or news.get("delivers") is not None or inputs.deliver != olds.get("deliver")
    delivery = SecretDelivery.open(account, deliveries, inputs, olds) if is_delivered else None
    status = _find_status(existing, olds, inputs)
    is_activated = is_issued and status is Status.ACTIVE and inputs.status is None  # an old password stays Inactive
    is_finishing = delivery is not None and is_issued and not is_activated
    finished = delivery.find_finished(olds["credential_id"]) if delivery is not None and is_finishing else None
    if finished is None:
        _require_unused(existing, olds, news, inputs)
    if delivery is not None and is_issued and finished is None:
        delivery.begin()
    issued = account.credentials.change(
        olds["user"] if existing is None else existing.user,
        olds["credential_id"],
        status=status if _is_sent(status, existing, olds, inputs) else None,
        reset=is_issued and finished is None,
    )
    now_status = {} if status is None else {"status": status.value}
    secret = {} if issued is None else record_secret(issued)
    outputs = record_inputs(inputs) | record_change(olds, existing) | now_status | secret
    if finished is not None and delivery is not None:
        return {**delivery.without_secret(outputs), **finished}
    if delivery is not None:
        return delivery.finish(outputs, olds, is_issued=issued is not None, is_lost="delivers" in news)
    dropped = {"delivery"} if inputs.deliver is None else set()
    return {name: value for name, value in outputs.items() if name not in dropped}


def _require_unused(
    existing: Credential | None, olds: Mapping[str, Any], news: Mapping[str, Any], inputs: CredentialInputs
) -> None:
    """Require that a rotation resets no password in use.

    Raises:
        RejectedError: the credential is Active.
    """
    is_successor = bool(news.get("rotates")) or not is_reset(olds, inputs)
    is_active = (olds["status"] if existing is None else existing.status) == Status.ACTIVE
    if is_rotated(olds, inputs) and is_successor and is_active:
        raise RejectedError(in_use(inputs.user, inputs.service, olds["credential_id"]))


def _find_status(existing: Credential | None, olds: Mapping[str, Any], inputs: CredentialInputs) -> Status | None:
    """Return the status after the change, None to keep the actual one; a rotated credential becomes Active."""
    actual = {olds["status"], *([] if existing is None else [existing.status.value])}
    is_activated = is_rotated(olds, inputs) and inputs.status is None and Status.INACTIVE in actual
    return Status.ACTIVE if is_activated else inputs.target


def _is_sent(
    status: Status | None, existing: Credential | None, olds: Mapping[str, Any], inputs: CredentialInputs
) -> bool:
    """Return True if the status is sent: if it or the recorded one changes, also if lists show it, which may lag."""
    statuses = {olds.get("desired_status"), olds["status"], status if existing is None else existing.status.value}
    return statuses != {inputs.status}
