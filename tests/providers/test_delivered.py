"""Deliveries to Secrets Manager by the provider: order of writes, killed runs, lost secrets and rejections."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from iamcreds.delivery import CREDENTIAL_TAG
from iamcreds.errors import AccountError, LostAnswerError, RejectedError
from iamcreds.stores.store import ATTEMPT_TAG
from tests.providers.conftest import new_process
from tests.providers.requests import CREATE, INPUTS, create, news, reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

NAME = "codecommit/jane"
DELIVER = {"secrets_manager": {"name": "{service}/{user}"}}
KEPT = DELIVER | {"keep_in_state": True}
RESET = "iam:ResetServiceSpecificCredential"
PUT = "secretsmanager:PutSecretValue"
DESCRIBE = "secretsmanager:DescribeSecret"
UNTAGGED = "5f0f6f0c-7d0b-4a39-8a55-3f0e7c3f2f7e"


@pytest.fixture
def store(signed_in: Emulator, iam: IAMClient, monkeypatch: pytest.MonkeyPatch) -> SecretsManagerClient:
    """Return a client of Secrets Manager in the account with the user jane."""
    del signed_in
    assert iam.list_users()["Users"]
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return boto3.client("secretsmanager", region_name="eu-west-1")


def read(store: SecretsManagerClient, name: str = NAME) -> dict[str, str]:
    """Return the content of a secret."""
    return dict(json.loads(store.get_secret_value(SecretId=name)["SecretString"]))


def update(key: str, outs: Mapping[str, Any], **inputs: object) -> dict[str, Any]:
    """Update the credential in a new process, as in the next run."""
    return dict(new_process().update(key, outs, INPUTS | inputs).outs or {})


def check(key: str, outs: Mapping[str, Any], olds: Mapping[str, Any], **inputs: object) -> dict[str, Any]:
    """Check the recorded credential in a new process, with the facts that the program reads in the state."""
    context = {"owned": {key: "jane/codecommit"}, "has_secret": "service_password" in outs}
    context |= {"delivery": outs["delivery"]} if "delivery" in outs else {}
    checked = new_process().check({**INPUTS, **olds}, news(**context) | inputs)
    assert checked.failures == [], reasons(checked)
    return dict(checked.inputs)


def list_writes(emulator: Emulator) -> list[str]:
    """Return the calls that changed something, and the reads of the store."""
    reads = ("iam:List", "iam:Get", "sts:")
    return [call for call in emulator.controls.calls() if not call.startswith(reads)]


def test_created(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator) -> None:
    """A created password goes to the store; the state has ARN and version, and no password."""
    emulator.controls.clear_counts()
    key, outs = create(provider, deliver=DELIVER)
    assert list_writes(emulator) == [DESCRIBE, DESCRIBE, CREATE, "secretsmanager:CreateSecret"]
    described = store.describe_secret(SecretId=NAME)
    assert outs["delivery"] == {"arn": described["ARN"], "version": next(iter(described["VersionIdsToStages"]))}
    assert "service_password" not in outs
    assert read(store) == {
        "username": outs["service_user_name"],
        "password": emulator.controls.passwords()[key],
        "service": "codecommit.amazonaws.com",
        "credentialId": key,
    }
    tags = {tag["Key"]: tag["Value"] for tag in described["Tags"]}
    assert tags[CREDENTIAL_TAG] == "jane/codecommit"


def test_kept_in_state(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient) -> None:
    """With keep_in_state, both have the password."""
    _, outs = create(provider, deliver=KEPT)
    assert read(store)["password"] == outs["service_password"]


def test_no_changes(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """A preview without changes lists the store once, and reads no secret."""
    assert store
    key, outs = create(provider, deliver=DELIVER)
    emulator.controls.clear_counts()
    checked = check(key, outs, {"deliver": DELIVER}, deliver=DELIVER)
    assert list_writes(emulator) == ["secretsmanager:ListSecrets"]
    assert "delivers" not in checked
    assert not new_process().diff(key, outs, checked).changes


def test_failed_create_is_undone(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """If the store fails after the create, the credential is deleted, and the error has the reason."""
    assert store
    emulator.controls.deny("secretsmanager:CreateSecret")
    with pytest.raises(AccountError, match=r"codecommit/jane: .*the new credential .* was deleted again"):
        create(provider, deliver=DELIVER)
    assert emulator.controls.passwords() == {}


def test_unreadable_store_changes_nothing(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """If the store rejects the read, IAM is unchanged, and only this credential fails."""
    assert store
    emulator.controls.deny(DESCRIBE)
    with pytest.raises(AccountError, match="reading secret codecommit/jane: AWS error AccessDenied"):
        provider.create(INPUTS | {"deliver": DELIVER})
    rejected = provider.check({}, news(on_rejection="collect") | {"deliver": DELIVER})
    assert "reading secret codecommit/jane" in rejected.inputs["refused"][0]
    assert CREATE not in emulator.controls.counts()


def test_reset_in_order(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """A reset reads the store, writes the attempt, resets and puts; afterwards the store has the new password."""
    key, outs = create(provider, deliver=DELIVER)
    emulator.controls.clear_counts()
    updated = update(key, outs, deliver=DELIVER, reset="new")
    assert list_writes(emulator) == [DESCRIBE, "secretsmanager:TagResource", RESET, PUT]
    assert read(store)["password"] == emulator.controls.passwords()[key]
    assert updated["delivery"]["version"] != outs["delivery"]["version"]
    assert "service_password" not in updated


@pytest.mark.parametrize("deliver", [DELIVER, KEPT])
def test_killed_after_the_put(
    provider: ServiceSpecificCredentialProvider,
    store: SecretsManagerClient,
    emulator: Emulator,
    deliver: dict[str, Any],
) -> None:
    """After a kill between put and state, the next run does not reset again, unless the state needs the password."""
    key, outs = create(provider, deliver=deliver)
    first = update(key, outs, deliver=deliver, reset="new")
    emulator.controls.clear_counts()
    second = update(key, outs, deliver=deliver, reset="new")
    is_kept = "keep_in_state" in deliver
    assert emulator.controls.counts().get(RESET, 0) == is_kept
    assert (second["delivery"] == first["delivery"]) is not is_kept
    assert read(store)["password"] == emulator.controls.passwords()[key]
    assert second["issued_at"] >= outs["issued_at"]
    assert (second.get("service_password") == emulator.controls.passwords()[key]) is is_kept


def test_deactivated_after_the_put(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """If a person deactivated the credential of a killed run, its password is reset and never becomes valid again."""
    key, outs = create(provider, deliver=DELIVER, declared=2)
    retired = update(key, outs, deliver=DELIVER, declared=2, status="Inactive")
    update(key, retired, deliver=DELIVER, declared=2, rotation=1)
    delivered = read(store)["password"]
    emulator.controls.clear_counts()
    boto3.client("iam", region_name="us-east-1").update_service_specific_credential(
        UserName="jane", ServiceSpecificCredentialId=key, Status="Inactive"
    )
    completed = update(key, retired, deliver=DELIVER, declared=2, rotation=1)
    assert emulator.controls.counts()[RESET] == 1
    assert completed["status"] == "Active"
    assert read(store)["password"] == emulator.controls.passwords()[key] != delivered


def test_killed_before_the_put(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """If the store fails after a reset, the error reports the dead old password, and the next run heals it."""
    key, outs = create(provider, deliver=DELIVER)
    emulator.controls.fail(PUT, code="InternalServiceError", times=None)
    with pytest.raises(LostAnswerError, match="already reset, and the store does not have the new one"):
        update(key, outs, deliver=DELIVER, reset="new")
    emulator.controls.clear_faults()
    update(key, outs, deliver=DELIVER, reset="new")
    assert read(store)["password"] == emulator.controls.passwords()[key]


def test_late_put(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator) -> None:
    """A put of a killed run that arrives late is detected as a lost secret."""
    key, outs = create(provider, deliver=KEPT)
    old = store.get_secret_value(SecretId=NAME)["SecretString"]
    updated = update(key, outs, deliver=KEPT, reset="new")
    store.put_secret_value(SecretId=NAME, SecretString=old, ClientRequestToken=str(uuid.uuid4()))
    checked = check(key, updated, {"deliver": KEPT, "reset": "new"}, deliver=KEPT, reset="new")
    assert checked["delivers"] == NAME
    healed = dict(new_process().update(key, updated, checked).outs or {})
    assert read(store)["password"] == emulator.controls.passwords()[key] == healed["service_password"]
    assert "delivers" not in check(key, healed, {"deliver": KEPT, "reset": "new"}, deliver=KEPT, reset="new")


def test_added(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator) -> None:
    """Adding `deliver` puts the password that the state has, and drops it from the state; nothing is reset."""
    key, outs = create(provider)
    checked = check(key, outs, {}, deliver=DELIVER)
    assert checked["delivers"] == NAME
    assert new_process().diff(key, outs, checked).changes
    emulator.controls.clear_counts()
    updated = dict(new_process().update(key, outs, checked).outs or {})
    assert RESET not in emulator.controls.counts()
    assert read(store)["password"] == outs["service_password"]
    assert "service_password" not in updated
    assert updated["issued_at"] == outs["issued_at"]
    assert not new_process().diff(key, updated, INPUTS | {"deliver": DELIVER}).changes


def test_added_without_password(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient) -> None:
    """If the state does not have the password, the preview asks for a reset, with which it is delivered."""
    key, outs = create(provider)
    imported = {name: value for name, value in outs.items() if name != "service_password"}
    context = {"owned": {key: "jane/codecommit"}, "on_rejection": "collect"}
    checked = new_process().check(INPUTS, news(**context) | {"deliver": DELIVER})
    assert "because the state does not have it. Change `reset`" in checked.inputs["refused"][0]
    assert "refused" not in check(key, imported, {}, deliver=DELIVER, reset="new")
    updated = update(key, imported, deliver=DELIVER, reset="new")
    assert read(store)["credentialId"] == key
    assert "delivery" in updated


def test_removed(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """After `deliver` is removed, the password is unknown and the store keeps it, with a warning."""
    key, outs = create(provider, deliver=DELIVER)
    assert new_process().diff(key, outs, INPUTS).changes
    assert (
        f"the `deliver` of codecommit.amazonaws.com credential {key} of user jane was removed"
        in capsys.readouterr().err
    )
    updated = update(key, outs)
    assert not updated.keys() & {"delivery", "deliver", "service_password"}
    assert read(store)["credentialId"] == key


@pytest.mark.parametrize("is_deleted", [True, False])
def test_lost(
    provider: ServiceSpecificCredentialProvider,
    store: SecretsManagerClient,
    capsys: pytest.CaptureFixture[str],
    *,
    is_deleted: bool,
) -> None:
    """A secret that was deleted or overwritten causes a warning that asks for a reset, and no change."""
    key, outs = create(provider, deliver=DELIVER)
    if is_deleted:
        store.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    else:
        store.put_secret_value(SecretId=NAME, SecretString="own")
    checked = check(key, outs, {"deliver": DELIVER}, deliver=DELIVER)
    reason = "does not exist" if is_deleted else "has a different value"
    said = capsys.readouterr().err
    assert f"secret {NAME} of Secrets Manager {reason}, so the password of codecommit credential {key}" in said
    assert "Change `reset`" in said
    assert not new_process().diff(key, outs, checked).changes


def test_deleted(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient) -> None:
    """With delete_secret, the secret is deleted with its credential, and can be restored."""
    deliver = {"secrets_manager": {"name": NAME, "delete_secret": True}}
    key, outs = create(provider, deliver=deliver)
    new_process().delete(key, outs)
    assert "DeletedDate" in store.describe_secret(SecretId=NAME)
    new_process().delete(key, outs)
    context = news(on_rejection="collect") | {"deliver": deliver}
    assert "is scheduled for deletion on" in new_process().check({}, context).inputs["refused"][0]


def test_secret_of_a_successor(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient) -> None:
    """A deleted previous credential does not delete the secret, which has the password of its successor."""
    deliver = {"secrets_manager": {"name": NAME, "delete_secret": True}}
    key, outs = create(provider, deliver=deliver, declared=2)
    run = {"resource": "jane/codecommit~2", "owned": {key: "jane/codecommit"}}
    successor, _ = create(new_process(), deliver=deliver, declared=2, rotation=1, run=run)
    new_process().delete(key, outs)
    assert read(store)["credentialId"] == successor
    assert "DeletedDate" not in store.describe_secret(SecretId=NAME)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ([], "which iamcreds does not manage"),
        ([{"Key": CREDENTIAL_TAG, "Value": "john/codecommit"}], "which belongs to credential john/codecommit"),
    ],
)
def test_other_secret(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, tags: list[Any], reason: str
) -> None:
    """A secret of a different owner is rejected in the preview, and not overwritten by `up`."""
    store.create_secret(Name=NAME, SecretString="own", Tags=tags)
    checked = provider.check({}, news(on_rejection="collect") | {"deliver": DELIVER})
    assert reason in checked.inputs["refused"][0]
    with pytest.raises(RejectedError, match=reason):
        provider.create(INPUTS | {"deliver": DELIVER})
    assert store.get_secret_value(SecretId=NAME)["SecretString"] == "own"


def test_handed_over_secret(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient) -> None:
    """A secret with the tag of the credential is overwritten, as the rejection suggests."""
    tags: Any = [{"Key": CREDENTIAL_TAG, "Value": "jane/codecommit"}, {"Key": ATTEMPT_TAG, "Value": "own"}]
    store.create_secret(Name=NAME, SecretString="own", Tags=tags, ClientRequestToken=UNTAGGED)
    key, _ = create(provider, deliver=DELIVER)
    assert read(store)["credentialId"] == key


def test_other_region(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in a different region than the recorded ARN is rejected, and writes nothing."""
    key, outs = create(provider, deliver=DELIVER)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    context = {"owned": {key: "jane/codecommit"}, "delivery": outs["delivery"], "on_rejection": "collect"}
    checked = new_process().check(INPUTS | {"deliver": DELIVER}, news(**context) | {"deliver": DELIVER})
    assert "is in eu-west-1, and this run uses us-west-2" in checked.inputs["refused"][0]
    with pytest.raises(RejectedError, match="is in eu-west-1"):
        update(key, outs, deliver=DELIVER, reset="new")
    assert read(store)["credentialId"] == key


def test_no_region(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a region, the preview names both ways to set it."""
    assert iam.list_users()["Users"]
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    checked = provider.check({}, news(on_rejection="collect") | {"deliver": DELIVER})
    assert "set `region` next to the name of the secret; or set AWS_REGION" in checked.inputs["refused"][0]


def test_resource_policy(provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient) -> None:
    """With resource_policy `user`, the IAM user may read its own secret."""
    create(provider, deliver={"secrets_manager": {"name": NAME, "resource_policy": "user"}})
    (statement,) = json.loads(store.get_resource_policy(SecretId=NAME)["ResourcePolicy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:user/jane"}


def test_denied_policy(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """If the resource policy of a new secret is denied, the create fails and is undone, and is repeated later."""
    deliver = {"secrets_manager": {"name": NAME, "resource_policy": "user"}}
    emulator.controls.deny("secretsmanager:PutResourcePolicy")
    with pytest.raises(AccountError, match=r"setting the resource policy of secret .* was deleted again"):
        create(provider, deliver=deliver)
    emulator.controls.clear_faults()
    key, _ = create(new_process(), deliver=deliver)
    assert read(store)["credentialId"] == key
    assert store.get_resource_policy(SecretId=NAME)["ResourcePolicy"]


def test_confirmed_by_the_program(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """If the program has found the recorded version, the check does not read the store, unless the delivery changes."""
    assert store
    key, outs = create(provider, deliver=DELIVER)
    context = {"owned": {key: "jane/codecommit"}, "delivery": outs["delivery"], "confirmed": True}
    for deliver, calls in ((DELIVER, []), (KEPT, ["secretsmanager:ListSecrets"])):
        emulator.controls.clear_counts()
        new_process().check(INPUTS | {"deliver": DELIVER}, news(**context) | {"deliver": deliver})
        assert list_writes(emulator) == calls


def test_changed_settings(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """Changed tags are written without a new password; the state keeps the delivery."""
    key, outs = create(provider, deliver=DELIVER)
    deliver = {"secrets_manager": {"name": "{service}/{user}", "tags": {"team": "payments"}}}
    checked = check(key, outs, {"deliver": DELIVER}, deliver=deliver)
    assert "delivers" not in checked
    emulator.controls.clear_counts()
    updated = dict(new_process().update(key, outs, checked).outs or {})
    assert {"Key": "team", "Value": "payments"} in store.describe_secret(SecretId=NAME)["Tags"]
    assert RESET not in emulator.controls.counts()
    assert (updated["delivery"], updated["deliver"]) == (outs["delivery"], deliver)


@pytest.mark.parametrize(
    "deliver", ["text", {}, DELIVER | {"ssm": {"name": "/a"}}, {"secrets_manager": {"name": "{team}"}}, {"vault": {}}]
)
def test_malformed(provider: ServiceSpecificCredentialProvider, iam: IAMClient, deliver: object) -> None:
    """A malformed delivery is an error of its property."""
    assert iam.list_users()["Users"]
    (failure,) = provider.check({}, news() | {"deliver": deliver}).failures or []
    assert (failure.property, failure.reason[:8]) == ("deliver", "expected")
