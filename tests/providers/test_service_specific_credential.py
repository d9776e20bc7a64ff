"""Create and update of a credential: the outputs, the order of the steps, and repetition after a failure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.errors import AccountError, NoSuchCredentialError
from iamcreds.pulumi_engine.outputs import recorded_existing
from tests.providers.conftest import new_process

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

RESET = "iam:ResetServiceSpecificCredential"
UPDATE = "iam:UpdateServiceSpecificCredential"
INPUTS = {"user": "jane", "service": "codecommit.amazonaws.com"}


def made(provider: ServiceSpecificCredentialProvider, **inputs: str) -> tuple[str, dict[str, Any]]:
    """Return the id and outputs of a new credential of jane."""
    result = provider.create(INPUTS | inputs)
    assert result.outs is not None
    return result.id, result.outs


def live_status(iam: IAMClient) -> str:
    """Return the status of jane's only credential."""
    return iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"][0]["Status"]


def fail_once(emulator: Emulator, operation: str) -> None:
    """Make the next call of the operation fail."""
    emulator.controls.fail(operation, status=403, code="AccessDenied", message="not today")


def test_old_password_never_comes_to_life(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """Activation with a new trigger resets first: if the reset fails, the credential is still inactive."""
    name, olds = made(provider, status="Inactive")
    fail_once(emulator, RESET)
    with pytest.raises(AccountError):
        provider.update(name, olds, INPUTS | {"status": "Active", "reset": "now"})
    assert live_status(iam) == "Inactive"


def test_switched_off_first(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """Deactivation with a new trigger comes first: the credential is inactive even if the reset fails."""
    name, olds = made(provider, status="Active")
    fail_once(emulator, RESET)
    with pytest.raises(AccountError):
        provider.update(name, olds, INPUTS | {"status": "Inactive", "reset": "now"})
    assert live_status(iam) == "Inactive"


def test_repetition_converges(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """If the second step fails, repeating the update converges, with the valid password."""
    name, olds = made(provider, status="Inactive")
    fail_once(emulator, UPDATE)
    news = INPUTS | {"status": "Active", "reset": "now"}
    with pytest.raises(AccountError):
        provider.update(name, olds, news)
    outs = provider.update(name, olds, news).outs
    assert outs is not None
    assert live_status(iam) == "Active"
    assert outs["service_password"] == emulator.controls.secrets()[-1]
    assert outs.keys() == olds.keys() | {"reset"}


@pytest.mark.usefixtures("iam")
def test_known_status_is_not_sent(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A reset of a credential whose status is as declared costs one call."""
    name, olds = made(provider, status="Active")
    emulator.controls.clear_counts()
    provider.update(name, olds, INPUTS | {"status": "Active", "reset": "now"})
    assert emulator.controls.counts() == {RESET: 1}


def test_recorded_while_lists_lack_it() -> None:
    """For a credential that lists lack, the state keeps IAM's response; declared values come from the inputs."""
    declared = {"reset": "x", "declared": 2, "desired_status": "Active"}
    said = {"user": "jane", "service": "codecommit.amazonaws.com", "status": "Active", "credential_id": "ACCA1"}
    assert recorded_existing(declared | said) == said


@pytest.mark.usefixtures("iam")
def test_declared_status_is_sent(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A newly declared status is always sent, because lists may lag."""
    name, olds = made(provider)
    emulator.controls.clear_counts()
    outs = provider.update(name, olds, INPUTS | {"status": "Active"}).outs
    assert outs == olds | {"desired_status": "Active"}
    assert emulator.controls.counts() == {UPDATE: 1}


def test_update_of_a_deleted_credential(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator
) -> None:
    """The error about an update of a deleted credential names the next step; for a young one, that is to wait."""
    name, olds = made(provider)
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=name)
    with pytest.raises(
        NoSuchCredentialError, match="deleted outside Pulumi less than a minute after its creation"
    ) as failed:
        provider.update(name, olds, INPUTS | {"reset": "now"})
    listed = datetime.fromisoformat(olds["create_date"]) + timedelta(seconds=60)
    (seconds,) = re.findall(f"Run again at {listed:%H:%M:%S} UTC .in ([0-9]+) s.$", str(failed.value))
    assert 55 <= int(seconds) <= 61
    emulator.controls.set(clock_shift=61)
    provider.account.inventory.reread(["jane"])
    with pytest.raises(NoSuchCredentialError, match=f"credential {name} .* outside Pulumi\\. Run `pulumi up --refresh"):
        provider.update(name, olds, INPUTS | {"reset": "now"})


@pytest.mark.usefixtures("iam")
def test_read_returns_inputs(provider: ServiceSpecificCredentialProvider) -> None:
    """Read returns the inputs that match the existing credential, and keeps the secret."""
    name, outs = made(provider, status="Active", reset="x")
    read = provider.read(name, outs)
    assert (read.id, read.outs) == (name, outs)
    assert read.inputs == INPUTS | {"status": "Active", "reset": "x"}


@pytest.mark.usefixtures("iam")
def test_numbers_are_whole(provider: ServiceSpecificCredentialProvider) -> None:
    """The engine's floats become whole numbers, and a service alias becomes the full name."""
    checked = provider.check({}, {"user": "jane", "service": "Bedrock", "age_days": 30.0, "reset": 1.0, "status": None})
    assert checked.failures == []
    assert checked.inputs == {"user": "jane", "service": "bedrock.amazonaws.com", "age_days": 30, "reset": "1.0"}


def test_required_inputs(provider: ServiceSpecificCredentialProvider) -> None:
    """A missing user and a missing service have a reason each, without a request to AWS."""
    checked = provider.check({}, {"user": None, "status": "active"})
    assert [one.property for one in checked.failures] == ["user", "service", "status"]


@pytest.mark.usefixtures("iam")
def test_reset_taken_out(provider: ServiceSpecificCredentialProvider, capsys: pytest.CaptureFixture[str]) -> None:
    """Removing a trigger resets nothing and causes a warning; the same text set again resets."""
    name, outs = made(provider)
    assert not provider.diff(name, outs, INPUTS).changes
    assert capsys.readouterr().err == "", "nothing was removed"
    provider.delete(name, outs)
    name, outs = made(provider, reset="lost")
    without = provider.update(name, outs, INPUTS).outs
    assert provider.diff(name, outs, INPUTS).changes
    assert "was removed, which resets nothing" in capsys.readouterr().err
    assert without is not None
    assert without["service_password"] == outs["service_password"]
    again = provider.update(name, without, INPUTS | {"reset": "lost"}).outs
    assert again is not None
    assert again["service_password"] != outs["service_password"]


@pytest.mark.usefixtures("iam")
def test_created_credential_is_deleted_again(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """If a created credential cannot be deactivated, it is deleted again, and the next create is not blocked."""
    fail_once(emulator, UPDATE)
    inputs = INPUTS | {"status": "Inactive", "run": {"resource": "jane/codecommit", "owned": {}}}
    with pytest.raises(AccountError, match=r"the new credential ACCA\w+ of user jane was deleted again"):
        provider.create(provider.check({}, inputs).inputs)
    assert emulator.controls.passwords() == {}
    outs = provider.create(provider.check({}, inputs).inputs).outs
    assert outs is not None
    assert outs["status"] == "Inactive"


@pytest.mark.usefixtures("iam")
def test_outputs(provider: ServiceSpecificCredentialProvider) -> None:
    """The outputs are the inputs and IAM's response, with only the secret of the service's family."""
    name, outs = made(provider, status="Inactive", reset="x")
    assert outs.keys() == {
        "user", "service", "desired_status", "reset", "account_id", "credential_id", "status", "create_date",
        "issued_at", "service_user_name", "service_password",
    }  # fmt: skip
    recorded = (outs["credential_id"], outs["status"], outs["desired_status"], outs["account_id"])
    assert recorded == (name, "Inactive", "Inactive", "123456789012")
    _, key = made(provider, service="bedrock")
    assert key.keys() & {"service_credential_alias", "service_credential_secret", "service_password"} == {
        "service_credential_alias",
        "service_credential_secret",
    }


def test_manual_deactivation(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a declared status, a manual deactivation stays, with a warning."""
    name, outs = made(provider)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=name, Status="Inactive")
    provider = new_process()
    capsys.readouterr()
    assert not provider.diff(name, outs | {"status": "Inactive"}, INPUTS).changes
    warning = (
        f"codecommit.amazonaws.com credential {name} of user jane was deactivated outside Pulumi and stays Inactive"
    )
    assert warning in capsys.readouterr().err
    assert provider.diff(name, outs | {"status": "Inactive"}, INPUTS | {"status": "Active"}).changes
    assert provider.diff(name, outs, INPUTS | {"reset": "x"}).changes
    assert not provider.diff(name, outs, INPUTS).changes
    assert capsys.readouterr().err == ""
