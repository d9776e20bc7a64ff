"""How the state records a credential: inputs, what is live, and the secret; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.model import Credential, IssuedCredential

INPUTS = ("user", "service", "status", "reset", "age_days", "existing", "declared", "account")
"""The inputs of `ServiceSpecificCredential`, by the names that every state has them under."""

SECRETS = ("service_password", "service_credential_secret")
"""The outputs that are Pulumi secrets."""


def recorded(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as the state keeps them: `status` is what is live, so the declared one gets a name of its own."""
    kept = {name: inputs[name] for name in INPUTS if name in inputs and name != "status"}
    return kept | ({"desired_status": inputs["status"]} if "status" in inputs else {})


def seen_live(live: Credential) -> dict[str, Any]:
    """What IAM says of a credential; the input `status` is recorded as what is live."""
    login = "service_user_name" if live.family is Family.PASSWORD else "service_credential_alias"
    expires = {"expiration_date": live.expires.isoformat()} if live.expires else {}
    return expires | {
        "credential_id": live.id,
        "user": live.user,
        "service": live.service,
        "status": live.status.value,
        "create_date": live.created.isoformat(),
        login: live.login,
    }


def secret(issued: IssuedCredential) -> dict[str, Any]:
    """The secret, under the name that its family has."""
    name = "service_password" if issued.credential.family is Family.PASSWORD else "service_credential_secret"
    return {name: issued.secret}
