"""Inputs that are still unknown in a preview: they never reject anything that `up` may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pulumi.output import UNKNOWN

from tests.providers.requests import AGED, BEDROCK, INPUTS, create, news, reasons

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("name", ["user", "service", "status", "reset", "age_days", "declared", "existing", "account"])
def test_any_input(provider: ServiceSpecificCredentialProvider, name: str) -> None:
    """Each input may be an output of another resource that is still unknown in a preview."""
    checked = provider.check({}, news() | {name: UNKNOWN})
    assert checked.failures == []
    assert checked.inputs[name] is UNKNOWN
    credential_id, outs = create(provider)
    changes = provider.diff(credential_id, outs, INPUTS | {name: UNKNOWN}).changes
    assert changes is (name in {"user", "service", "status", "reset", "age_days"})


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("existing", {}),
        ("age_days", {"existing": "adopt"}),
        ("declared", {"existing": "adopt"}),
        ("status", {"existing": "adopt"}),
    ],
)
def test_adopt(provider: ServiceSpecificCredentialProvider, iam: IAMClient, name: str, known: dict[str, str]) -> None:
    """The preview shows the credential that is adopted if the unknown value allows it."""
    credential = iam.create_service_specific_credential(UserName="jane", ServiceName=BEDROCK, CredentialAgeDays=5)
    checked = provider.check({}, news() | AGED | known | {name: UNKNOWN})
    assert checked.failures == []
    assert checked.inputs["adopts"] == credential["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]


@pytest.mark.usefixtures("iam")
def test_two_of_unknown_number(provider: ServiceSpecificCredentialProvider) -> None:
    """Two resources with an unknown number of declared credentials may be two."""
    for resource in ("a", "b"):
        assert reasons(provider.check({}, news(resource=resource) | {"declared": UNKNOWN})) == []
