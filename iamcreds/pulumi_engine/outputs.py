"""The outputs by which the state records a credential: inputs, existing credential and secret; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.model import Status
from iamcreds.pulumi_engine.inputs import INPUTS, CredentialInputs
from iamcreds.services import LOGIN_OUTPUTS, SECRET_OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.model import Credential, IssuedCredential

SECRETS = tuple(SECRET_OUTPUTS.values())
"""The outputs that are Pulumi secrets."""

KEPT = (*SECRETS, "account_id", "issued_at", "delivery")
"""The recorded outputs that neither inputs nor AWS contain, except `deactivated`."""


def record_inputs(inputs: CredentialInputs) -> dict[str, Any]:
    """Return the outputs of the inputs; the declared status is `desired_status`, because `status` is the actual one."""
    kept = inputs.properties()
    kept.pop("password", None)  # `record_secret` records it
    status = kept.pop("status", None)
    return kept if status is None else kept | {"desired_status": status}


def declared_inputs(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that would declare the recorded credential; a status only if one is declared."""
    inputs = {name: outputs[name] for name in INPUTS if name in outputs}
    if "desired_status" not in outputs:
        inputs.pop("status", None)
    return inputs


def record_existing(existing: Credential) -> dict[str, Any]:
    """Return the outputs of an existing credential; `status` is the actual one."""
    expires = {"expiration_date": existing.expires.isoformat()} if existing.expires else {}
    return expires | {
        "credential_id": existing.id,
        "user": existing.user,
        "service": existing.service,
        "status": existing.status.value,
        "create_date": existing.created.isoformat(),
        LOGIN_OUTPUTS[existing.family]: existing.login,
    }


def refresh(outputs: Mapping[str, Any], existing: Credential) -> dict[str, Any]:
    """Return recorded outputs with the current state of the credential.

    IAM shows an Inactive credential as Expired after its expiry. Then `deactivated` keeps that it was deactivated
    outside Pulumi.
    """
    kept = {name: value for name, value in outputs.items() if name != "deactivated"}
    return kept | record_existing(existing) | _keep_deactivation(outputs, existing)


def record_change(outputs: Mapping[str, Any], existing: Credential | None) -> dict[str, Any]:
    """Return the outputs after an update that do not come from the inputs; `existing` is the credential before it.

    None is a credential that lists do not show at present.
    """
    kept = {name: outputs[name] for name in KEPT if name in outputs}
    if existing is None:
        return recorded_existing(outputs) | kept
    return record_existing(existing) | kept | _keep_deactivation(outputs, existing)


def _keep_deactivation(outputs: Mapping[str, Any], existing: Credential) -> dict[str, Any]:
    is_kept = existing.status is Status.EXPIRED and is_deactivated(outputs)
    return {"deactivated": True} if is_kept else {}


def is_deactivated(outputs: Mapping[str, Any]) -> bool:
    """Return True if recorded outputs show a manual deactivation, before or after the expiry of the credential."""
    is_inactive = outputs.get("status") == Status.INACTIVE
    is_expired = outputs.get("status") == Status.EXPIRED
    return "desired_status" not in outputs and (is_inactive or (is_expired and outputs.get("deactivated") is True))


def recorded_existing(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded outputs of an existing credential that lists do not show at present."""
    declared = {*INPUTS, "desired_status"} - {"user", "service", "status"}
    return {name: value for name, value in outputs.items() if name not in declared}


def record_secret(issued: IssuedCredential) -> dict[str, Any]:
    """Return the output of the secret, whose name depends on the family, and `issued_at` if the time is known."""
    issued_at = {} if issued.issued is None else {"issued_at": issued.issued.isoformat()}
    return {SECRET_OUTPUTS[issued.credential.family]: issued.secret} | issued_at
