"""Deliveries after kills, and after people and other programs changed the store, the user or the state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from iamcreds.delivery import CREDENTIAL_TAG
from iamcreds.errors import AccountError, LostAnswerError, NotApprovedError, RejectedError
from iamcreds.pulumi_engine.approved_plan import VARIABLE, read_approval
from iamcreds.stores.store import ATTEMPT_TAG
from iamcreds.stores.tokens import make_token
from tests.providers.conftest import new_process
from tests.providers.requests import INPUTS, UNMANAGED, create, news, put_old
from tests.providers.test_delivered import DELIVER, DESCRIBE, NAME, PUT, RESET, check, list_writes, read, store, update
from tests.pull_request.test_approval import EMPTY, GOOD

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

__all__ = ["store"]

FIXED: dict[str, Any] = {"secrets_manager": {"name": NAME}}
DELETED = {"secrets_manager": {"name": NAME, "delete_secret": True}}
PARAMETER = {"ssm": {"name": "/jane", "delete_secret": True}}
TAG = "secretsmanager:TagResource"
SUCCESSOR = {"declared": 2, "rotation": 1}


@pytest.fixture
def ssm(store: SecretsManagerClient) -> SSMClient:
    """Return a client of Parameter Store in the region of the run."""
    return boto3.client("ssm", region_name=store.meta.region_name)


def collect(key: str, **inputs: object) -> dict[str, Any]:
    """Return the run context of a preview that collects rejections, and the inputs."""
    return news(owned={key: "jane/codecommit"}, on_rejection="collect") | inputs


def find_refusal(checked: Any) -> str:  # noqa: ANN401 - the result of a check
    """Return the only reason of a rejection in a preview."""
    (reason,) = checked.inputs["refused"]
    return str(reason)


def test_policy_of_a_secret_that_was_created_again(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """If a run fails between the new secret and its resource policy, the next one sets the policy."""
    deliver = {"secrets_manager": {"name": NAME, "resource_policy": "user"}, "keep_in_state": True}
    key, outs = create(provider, deliver=deliver)
    store.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    emulator.controls.deny("secretsmanager:PutResourcePolicy")
    with pytest.raises(AccountError, match="setting the resource policy"):
        new_process().update(key, outs, check(key, outs, {"deliver": deliver}, deliver=deliver))
    emulator.controls.clear_faults()
    new_process().update(key, outs, check(key, outs, {"deliver": deliver}, deliver=deliver))
    assert store.get_resource_policy(SecretId=NAME)["ResourcePolicy"]


def test_previous_version_made_current(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient
) -> None:
    """If a person made the previous password current, its deletion keeps the secret that its successor declares."""
    key, outs = create(provider, deliver=DELETED, declared=2)
    owned = {"resource": "jane/codecommit~2", "owned": {key: "jane/codecommit"}}
    successor, delivered = create(new_process(), deliver=DELETED, run=owned, **SUCCESSOR)
    store.update_secret_version_stage(
        SecretId=NAME,
        VersionStage="AWSCURRENT",
        MoveToVersionId=outs["delivery"]["version"],
        RemoveFromVersionId=delivered["delivery"]["version"],
    )
    process, inputs = new_process(), INPUTS | SUCCESSOR | {"deliver": DELETED}
    process.check(inputs, inputs | {"run": {"resource": "jane/codecommit~2", "owned": {successor: owned["resource"]}}})
    process.delete(key, outs)
    assert "DeletedDate" not in store.describe_secret(SecretId=NAME)


def test_parameter_of_a_different_program(provider: ServiceSpecificCredentialProvider, ssm: SSMClient) -> None:
    """A parameter that a different program created again has the same version, and is neither ours nor deleted."""
    key, outs = create(provider, deliver=PARAMETER)
    ssm.delete_parameter(Name="/jane")
    ssm.put_parameter(Name="/jane", Value="own", Type="SecureString")
    inputs = collect(key, deliver=PARAMETER)
    inputs["run"] |= {"delivery": outs["delivery"]}
    assert "iamcreds does not manage" in find_refusal(new_process().check(INPUTS | {"deliver": PARAMETER}, inputs))
    with pytest.raises(RejectedError, match="iamcreds does not manage"):
        update(key, outs, deliver=PARAMETER, reset="new")
    new_process().delete(key, outs)
    assert ssm.get_parameter(Name="/jane", WithDecryption=True)["Parameter"]["Value"] == "own"


def test_overwritten_parameter_of_the_same_version(
    provider: ServiceSpecificCredentialProvider, ssm: SSMClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """A parameter that was created again with all tags is lost, although its version is the recorded one."""
    key, outs = create(provider, deliver=PARAMETER)
    tags: Any = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/jane")["TagList"]
    ssm.delete_parameter(Name="/jane")
    ssm.put_parameter(Name="/jane", Value="own", Type="SecureString", Tags=tags)
    check(key, outs, {"deliver": PARAMETER}, deliver=PARAMETER)
    assert "secret /jane of Parameter Store has a different value" in capsys.readouterr().err


def test_two_credentials_of_one_secret(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient
) -> None:
    """Two credentials of a program that deliver to one secret are rejected; the two slots of one are not."""
    key, _ = create(provider, deliver=DELIVER, declared=2)
    inputs = INPUTS | SUCCESSOR | {"deliver": DELIVER}
    for name, is_rejected in (("jane/codecommit~2", False), ("second", True)):
        run = {"resource": name, "owned": {key: "jane/codecommit"}, "on_rejection": "collect"}
        checked = provider.check({}, inputs | {"run": run}).inputs
        assert ("refused" in checked) is is_rejected
    assert checked["refused"][0].startswith("jane/codecommit and second both deliver to the secret codecommit/jane")
    assert read(store)["credentialId"] == key


def test_changed_user(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, iam: IAMClient) -> None:
    """A replacement for a different user that keeps the secret is rejected by the preview, not after the deletion."""
    assert store
    iam.create_user(UserName="john")
    key, outs = create(provider, deliver=FIXED)
    inputs = collect(key, user="john", deliver=FIXED)
    inputs["run"] |= {"delivery": outs["delivery"]}
    reason = "belongs to credential jane/codecommit"
    for olds in ({}, INPUTS | {"deliver": FIXED}):
        assert reason in find_refusal(new_process().check(olds, inputs))


def test_renamed_user(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator
) -> None:
    """After a rename of the user in IAM, the tag of its secret follows, so that a successor may be delivered there."""
    key, outs = create(provider, deliver=FIXED)
    iam.update_user(UserName="jane", NewUserName="janet")
    emulator.controls.clear_counts()
    renamed = update(key, outs, user="janet", deliver=FIXED)
    assert list_writes(emulator) == [DESCRIBE, TAG]
    assert renamed["delivery"] == outs["delivery"]
    tags = store.describe_secret(SecretId=NAME)["Tags"]
    assert {"Key": CREDENTIAL_TAG, "Value": "janet/codecommit"} in tags
    run = {"resource": "jane/codecommit~2", "owned": {key: "jane/codecommit"}}
    successor, _ = create(new_process(), user="janet", deliver=FIXED, run=run, **SUCCESSOR)
    assert read(store)["credentialId"] == successor


def test_import_without_password(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """The preview rejects the delivery of a credential to import whose password is unknown."""
    put_old(emulator, "jane", UNMANAGED)
    inputs = news(on_rejection="collect") | {"adopt": UNMANAGED, "deliver": DELIVER}
    reason = find_refusal(provider.check({}, inputs))
    assert reason.startswith(f"the password of codecommit credential {UNMANAGED} of user jane cannot be delivered")
    for known in ({"password": "known"}, {"reset": "new"}):
        assert "refused" not in new_process().check({}, inputs | known).inputs
    create(new_process(), adopt=UNMANAGED, deliver=DELIVER, password="known")
    assert read(store)["password"] == "known"


@pytest.mark.parametrize("inputs", [{"existing": "adopt"}, {"adopt": UNMANAGED, "reset": "new"}])
def test_adopted_in_order(
    provider: ServiceSpecificCredentialProvider,
    store: SecretsManagerClient,
    emulator: Emulator,
    inputs: dict[str, str],
) -> None:
    """An adoption or import writes the attempt before its reset, and a failed put reports the dead old password."""
    store.create_secret(Name=NAME, SecretString="{}", Tags=[{"Key": CREDENTIAL_TAG, "Value": "jane/codecommit"}])
    put_old(emulator, "jane", UNMANAGED)
    checked = provider.check({}, news() | {"deliver": DELIVER} | inputs).inputs
    emulator.controls.clear_counts()
    emulator.controls.fail(PUT, code="InternalServiceError", times=None)
    with pytest.raises(LostAnswerError, match="already reset, and the store does not have the new one"):
        provider.create(checked)
    writes = [call for call in list_writes(emulator) if call != PUT]
    assert writes[:3] == [DESCRIBE, TAG, RESET]


@pytest.mark.parametrize("deliver", [{"vault": {"name": "x"}}, "text", {"secrets_manager": 5}, {}])
def test_malformed_state(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, deliver: object
) -> None:
    """A recorded delivery of a newer version counts as none: the password is delivered, and a delete keeps secrets."""
    key, outs = create(provider, deliver=DELETED)
    outs = outs | {"deliver": deliver, "service_password": "known"}
    checked = check(key, outs, {"deliver": deliver}, deliver=FIXED)
    assert checked["delivers"] == NAME
    new_process().update(key, outs, checked)
    assert read(store)["password"] == "known"
    new_process().delete(key, outs)
    assert "DeletedDate" not in store.describe_secret(SecretId=NAME)


def test_not_approved(
    provider: ServiceSpecificCredentialProvider,
    store: SecretsManagerClient,
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reset that the approved plan does not name changes nothing in the store either: no settings, and no attempt."""
    assert store
    key, outs = create(provider, deliver=DELIVER)
    (tmp_path / "approved.json").write_text(json.dumps(GOOD | EMPTY))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "approved.json"))
    emulator.controls.clear_counts()
    tagged = {"secrets_manager": {"name": "{service}/{user}", "tags": {"team": "payments"}}}
    with pytest.raises(NotApprovedError):
        update(key, outs, deliver=tagged, reset="new")
    assert list_writes(emulator) == [DESCRIBE]
    read_approval.cache_clear()


def test_attempt_in_the_future(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient) -> None:
    """The word of an attempt in the future, which a different program wrote, does not change `issued_at`."""
    key, outs = create(provider, deliver=DELIVER)
    attempt = "99991231T235959Z-0000000000000000"
    store.tag_resource(SecretId=NAME, Tags=[{"Key": ATTEMPT_TAG, "Value": attempt}])
    token = make_token(key, 0, "new", attempt)
    store.put_secret_value(SecretId=NAME, SecretString="{}", ClientRequestToken=token)
    updated = update(key, outs, deliver=DELIVER, reset="new")
    assert updated["delivery"]["version"] == token
    assert updated["issued_at"] == outs["issued_at"]
