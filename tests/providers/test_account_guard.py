"""The account guard: nothing is done in an account that differs from the one in the specs or the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pulumi.output import UNKNOWN

from dynamic_providers.access_keys import AccessKeysProvider
from iamcreds.errors import UnreachableError, WrongAccountError
from tests.providers.conftest import new_process
from tests.providers.requests import INPUTS, create, news, reasons

if TYPE_CHECKING:
    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

ACCOUNT, OTHER = "123456789012", "999999999999"
pytestmark = pytest.mark.usefixtures("iam")


def test_account_of_the_state(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """Nothing is checked, compared or created with a state of a different account."""
    (reason,) = reasons(provider.check({}, news(account=OTHER, on_rejection="defer")))
    assert f"but this state is of account {OTHER}: nothing was changed" in reason
    with pytest.raises(WrongAccountError):
        provider.diff("ACCA1", INPUTS | {"account_id": OTHER}, INPUTS)
    with pytest.raises(WrongAccountError):
        provider.create(INPUTS | {"account": OTHER})
    assert emulator.controls.passwords() == {}


def test_unknown_user(provider: ServiceSpecificCredentialProvider) -> None:
    """The account of the state is checked although the user and its credentials are unknown."""
    (reason,) = reasons(provider.check({}, news(account=OTHER, owned=UNKNOWN) | {"user": UNKNOWN}))
    assert f"but this state is of account {OTHER}" in reason


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "12345678901a", 123456789012.0, ["x"], True])
def test_invalid_account(provider: ServiceSpecificCredentialProvider, account: object) -> None:
    """Both classes reject a value that is not a valid account id."""
    watcher = AccessKeysProvider()
    for checked in (
        provider.check({}, news() | {"account": account}),
        watcher.check({}, {"users": {"jane": {}}, "account": account}),
    ):
        assert [(failure.property, failure.reason) for failure in checked.failures or []] == [
            ("account", "expected a 12-digit AWS account ID")
        ]


def test_right_account(provider: ServiceSpecificCredentialProvider) -> None:
    """A credential is created in the account of the specs and the state."""
    checked = provider.check({}, news(account=ACCOUNT) | {"account": ACCOUNT})
    assert checked.failures == []
    assert provider.create(checked.inputs).outs is not None


def test_unreachable_endpoint(provider: ServiceSpecificCredentialProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """If many resources have the same failure, only one reports it; the others stay as recorded."""
    created = [create(provider), create(provider, service="bedrock")]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    provider = new_process()
    with pytest.raises(UnreachableError):
        provider.read(*created[0])
    again = provider.read(*created[1])
    assert (again.id, again.outs) == created[1]
    assert not provider.diff(*created[1], INPUTS | {"service": "bedrock"}).changes
