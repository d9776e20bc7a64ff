"""How the state records a credential: inputs, what is live, and the secret; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.pulumi_engine.inputs import INPUTS, CredentialInputs
from iamcreds.services import LOGIN_OUTPUTS, SECRET_OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.model import Credential, IssuedCredential

SECRETS = tuple(SECRET_OUTPUTS.values())
"""The outputs that are Pulumi secrets."""


def record_inputs(inputs: CredentialInputs) -> dict[str, Any]:
    """The inputs as the state keeps them: `status` is what is live, so the declared one gets a name of its own."""
    kept = inputs.properties()
    kept.pop("password", None)  # it is recorded as the secret that it is
    status = kept.pop("status", None)
    return kept if status is None else kept | {"desired_status": status}


def declared_inputs(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as they would have to be for what the outputs say is live; a status only where one is declared."""
    inputs = {name: outputs[name] for name in INPUTS if name in outputs}
    if "desired_status" not in outputs:
        inputs.pop("status", None)
    return inputs


def record_live(live: Credential) -> dict[str, Any]:
    """What IAM says of a credential; the input `status` is recorded as what is live."""
    expires = {"expiration_date": live.expires.isoformat()} if live.expires else {}
    return expires | {
        "credential_id": live.id,
        "user": live.user,
        "service": live.service,
        "status": live.status.value,
        "create_date": live.created.isoformat(),
        LOGIN_OUTPUTS[live.family]: live.login,
    }


def recorded_live(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the state has of a live credential that lists do not show at present."""
    said = {*INPUTS, "desired_status"} - {"user", "service", "status"}
    return {name: value for name, value in outputs.items() if name not in said}


def record_secret(issued: IssuedCredential) -> dict[str, Any]:
    """The secret, under the name that its family has."""
    return {SECRET_OUTPUTS[issued.credential.family]: issued.secret}
