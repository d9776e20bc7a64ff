"""A failure to use AWS in a run with many resources: the engine gets its cause once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from iamcreds.errors import IamcredsError

if TYPE_CHECKING:
    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

RECORDED = {
    "user": "jane",
    "service": "codecommit.amazonaws.com",
    "status": "Active",
    "account_id": "123456789012",
    "create_date": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
}
CAUSES = {
    "token file": {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token",
        "AWS_REGION": "us-east-1",
    },
    "region": {"AWS_REGION": "us east 1"},
    "endpoint": {"AWS_ENDPOINT_URL": "localhost:1"},
    "option": {"AWS_STS_REGIONAL_ENDPOINTS": "odd"},
    "profile": {"AWS_PROFILE": "nobody"},
}


@pytest.mark.parametrize("variables", CAUSES.values(), ids=CAUSES)
def test_once(
    provider: ServiceSpecificCredentialProvider, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first read fails with the cause; the others return the recorded state, because the run ends anyway."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(IamcredsError):
        provider.read("ACCA1", RECORDED)
    for number in range(2, 5):
        assert provider.read(f"ACCA{number}", RECORDED).outs == RECORDED
        assert not provider.diff(f"ACCA{number}", RECORDED, RECORDED).changes


def test_unsupported_once(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """An endpoint without an operation is one failure as well."""
    emulator.controls.fail("sts:GetCallerIdentity", times=50, status=400, code="InvalidAction", message="no")
    with pytest.raises(IamcredsError, match="The endpoint does not have the operation GetCallerIdentity"):
        provider.read("ACCA1", RECORDED)
    assert provider.read("ACCA2", RECORDED).outs == RECORDED
