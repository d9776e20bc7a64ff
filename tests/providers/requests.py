"""The engine's requests to the credential provider, as the provider tests send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi.dynamic import CheckResult

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

CODECOMMIT = "codecommit.amazonaws.com"
BEDROCK = "bedrock.amazonaws.com"
INPUTS = {"user": "jane", "service": CODECOMMIT}
AGED = {"service": BEDROCK, "age_days": 5}
CREATE = "iam:CreateServiceSpecificCredential"
LIST = "iam:ListServiceSpecificCredentials"
UNMANAGED = "ACCAUNMANAGED00000000"


def news(**context: object) -> dict[str, Any]:
    """Return the inputs with a run context; by default the state has no credential of this user and service."""
    return INPUTS | {"run": {"resource": "jane/codecommit", "owned": {}} | context}


def reasons(checked: CheckResult) -> list[str]:
    """Return the reasons of a failed check."""
    return [failure.reason for failure in checked.failures or []]


def create(provider: ServiceSpecificCredentialProvider, **inputs: object) -> tuple[str, dict[str, Any]]:
    """Check and create a credential, and return its id and outputs."""
    checked = provider.check({}, news() | inputs)
    assert checked.failures == []
    assert "refused" not in checked.inputs
    created = provider.create(checked.inputs)
    assert created.outs is not None
    return created.id, created.outs


def put_old(emulator: Emulator, user: str, credential_id: str) -> None:
    """Give the user a credential that was created an hour ago, before this process began."""
    emulator.controls.set(clock_shift=-3_600)
    emulator.controls.put_credential(credential_id, user, CODECOMMIT)
    emulator.controls.set(clock_shift=0)
