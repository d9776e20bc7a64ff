"""Protected credentials: a replacement is rejected in the preview, and `up` leaves the credential unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.errors import RejectedError
from tests.providers.conftest import new_process

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

INPUTS = {"user": "jane", "service": "logs.amazonaws.com", "age_days": 30}
NAME = "jane/logs"


def made(provider: ServiceSpecificCredentialProvider) -> tuple[str, dict[str, Any]]:
    """Return the id and outputs of a credential that expires in 30 days."""
    checked = provider.check({}, INPUTS | {"run": {"resource": NAME, "owned": {}}})
    result = provider.create(checked.inputs)
    assert result.outs is not None
    return result.id, result.outs


def message(credential_id: str, **more: object) -> dict[str, Any]:
    """Return the run context of a protected credential in the state."""
    return {"run": {"resource": NAME, "owned": {credential_id: NAME}, "options": {"protect": True}} | more}


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("on_rejection", ["fail", "collect", "defer"])
def test_another_age(provider: ServiceSpecificCredentialProvider, on_rejection: str) -> None:
    """Check, or update with the same reason, rejects a different age, which is never a replacement."""
    name, outs = made(provider)
    provider = new_process()
    provider.read(name, outs)
    aged = INPUTS | {"age_days": 60}
    checked = provider.check(INPUTS, aged | message(name, on_rejection=on_rejection))
    failures = [failure.reason for failure in checked.failures or []]
    (reason,) = failures if on_rejection == "fail" else checked.inputs["refused"]
    assert f"logs credential {name} of user jane is protected" in reason
    assert "(age_days)" in reason
    if on_rejection == "fail":
        return
    assert failures == []
    difference = provider.diff(name, outs, checked.inputs)
    assert (difference.changes, difference.replaces) == (True, None)
    with pytest.raises(RejectedError) as raised:
        provider.update(name, outs, checked.inputs)
    assert str(raised.value) == reason


@pytest.mark.usefixtures("iam")
def test_expired(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """An expired credential is rejected by its id, although no input has changed."""
    name, outs = made(provider)
    emulator.controls.set(clock_shift=40 * 86_400)
    provider = new_process()
    outs = dict(provider.read(name, outs).outs or {})
    checked = provider.check(INPUTS, INPUTS | message(name, on_rejection="collect"))
    (reason,) = checked.inputs["refused"]
    assert f"{name} of user jane is protected and cannot be replaced (it has expired)" in reason
    assert not provider.diff(name, outs, checked.inputs).replaces
    assert new_process().diff(name, outs, INPUTS).replaces == ["status"]


def test_other_changes(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """Status and reset of a protected credential can change; a credential without protection is replaced."""
    name, outs = made(provider)
    provider = new_process()
    provider.read(name, outs)
    changed = INPUTS | {"status": "Inactive", "reset": "lost"}
    assert provider.check(INPUTS, changed | message(name)).failures == []
    assert provider.update(name, outs, changed).outs is not None
    assert (
        iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"][0]["Status"] == "Inactive"
    )
    sibling = "ACCASIBLING0000000000"
    told = {"run": {"resource": "b", "owned": {sibling: "b", name: NAME}}}
    provider.check(INPUTS, INPUTS | {"age_days": 60} | told)
    assert provider.diff(sibling, outs, INPUTS | {"age_days": 60}).replaces == ["age_days"]
