"""Rotated credentials with a delivery: the facts of the store in the program's plan, and its message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest

from iamcreds.delivery import CREDENTIAL_TAG, DeliveredSecret, Delivery
from iamcreds.model import Status
from iamcreds.pulumi_engine.program_context import rotation_context
from iamcreds.stores.store import ATTEMPT_TAG
from iamcreds.stores.tokens import make_attempt, make_token
from tests.providers.test_rotated import NAME, ROTATED, make, messages, plan, state_of

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.desired import DesiredCredential
    from iamcreds.emulator.server import Emulator
    from iamcreds.model import RecordedCredential

__all__ = ["messages"]

SECRET = "codecommit/jane"
DELIVERY = Delivery("secrets_manager", SECRET)
DELIVERED = replace(ROTATED, deliver=DELIVERY)
LISTS = "secretsmanager:ListSecrets"


@pytest.fixture
def store(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch) -> SecretsManagerClient:
    """Return a client of Secrets Manager in the region of the run."""
    del signed_in
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return boto3.client("secretsmanager", region_name="eu-west-1")


def deliver(store: SecretsManagerClient, recorded: RecordedCredential) -> RecordedCredential:
    """Create the secret of a credential, and return the credential as recorded after the delivery."""
    tags = [{"Key": CREDENTIAL_TAG, "Value": "jane/codecommit"}]
    created = store.create_secret(Name=SECRET, SecretString="{}", Tags=tags)  # type: ignore[arg-type]
    delivered = DeliveredSecret(created["ARN"], created["VersionId"])
    return replace(recorded, deliver=DELIVERY, delivered=delivered)


def test_confirmed(iam: IAMClient, store: SecretsManagerClient, emulator: Emulator, messages: list[str]) -> None:
    """If the store has the recorded version, one list shows it to the program, and the provider need not list again."""
    recorded = deliver(store, make(iam, age=1))
    emulator.controls.clear_counts()
    planned = plan(state_of(recorded), DELIVERED)[NAME]
    assert (planned.is_confirmed, planned.is_lost, planned.rotated, messages) == (True, False, None, [])
    assert rotation_context(planned, planned.slots[0], is_preview=True)["confirmed"] is True
    counts = emulator.controls.counts()
    assert [counts.get(name, 0) for name in (LISTS, "secretsmanager:DescribeSecret")] == [1, 0]


@pytest.mark.parametrize("hand", ["deletes", "overwrites"])
def test_lost(iam: IAMClient, store: SecretsManagerClient, messages: list[str], hand: str) -> None:
    """A lost secret rotates ahead of time, with a warning that names the reason."""
    recorded = deliver(store, make(iam, age=1))
    if hand == "deletes":
        store.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    else:
        store.put_secret_value(SecretId=SECRET, SecretString="own")
    planned = plan(state_of(recorded), DELIVERED)[NAME]
    assert [each.rotation for each in planned.slots] == [None, 1]
    lost, rotated = messages
    assert lost.startswith(f"warning: {NAME}: neither the declared secret nor the state has the current password")
    assert f"{recorded.id} works until the overlap ends" in rotated


def test_lost_while_two_work(iam: IAMClient, store: SecretsManagerClient, messages: list[str]) -> None:
    """While the previous password still works, the rotation of a lost one waits for the end of the overlap."""
    previous = make(iam, age=40)
    current = replace(deliver(store, make(iam, name=f"{NAME}~2", age=1, rotation=1)), delivered=None)
    planned = plan(state_of(previous, current), DELIVERED)[NAME]
    assert (planned.rotated, planned.is_lost) == (None, True)
    assert [each.status for each in planned.slots] == [None, None]
    assert planned.waits_until is not None
    assert ["neither the declared secret" in messages[0], "still works" in messages[1]] == [True, True]


def test_password_in_the_state(iam: IAMClient, store: SecretsManagerClient, messages: list[str]) -> None:
    """If the state has the password, the provider delivers it, and nothing rotates."""
    assert store
    recorded = make(iam, age=1, has_secret=True)
    planned = plan(state_of(recorded), DELIVERED)[NAME]
    assert (planned.rotated, planned.is_lost, messages) == (None, False, [])
    assert planned.slots[0].deliver == DELIVERY


def test_moved(iam: IAMClient, store: SecretsManagerClient, messages: list[str]) -> None:
    """A changed name is delivered by the successor, and the current credential keeps its recorded delivery."""
    recorded = deliver(store, make(iam, age=1))
    moved = replace(DELIVERED, deliver=replace(DELIVERY, name="new"))
    planned = plan(state_of(recorded), moved)[NAME]
    assert [each.deliver for each in planned.slots] == [DELIVERY, moved.deliver]
    assert planned.rotated is not None
    assert messages


def test_deactivated(iam: IAMClient, store: SecretsManagerClient, messages: list[str]) -> None:
    """If a person deactivated the current credential, a lost secret rotates nothing."""
    recorded = replace(deliver(store, make(iam, age=1)), delivered=None)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=recorded.id, Status="Inactive")
    planned = plan(state_of(replace(recorded, status=Status.INACTIVE)), DELIVERED)[NAME]
    assert (planned.rotated, len(planned.slots), messages) == (None, 1, [])


def test_unreadable_store(iam: IAMClient, store: SecretsManagerClient, emulator: Emulator) -> None:
    """If the store cannot be read, nothing rotates ahead of time, and the provider reports the failure."""
    recorded = deliver(store, make(iam, age=1))
    emulator.controls.deny(LISTS)
    planned = plan(state_of(recorded), DELIVERED)[NAME]
    assert (planned.rotated, planned.is_lost, planned.is_confirmed) == (None, False, False)


def finish_rotation(
    store: SecretsManagerClient, previous: RecordedCredential, current: RecordedCredential
) -> RecordedCredential:
    """Deliver a new password of the previous slot, as a run that was killed before the state had it."""
    current = deliver(store, current)
    attempt = make_attempt(datetime.now(UTC))
    store.tag_resource(SecretId=SECRET, Tags=[{"Key": ATTEMPT_TAG, "Value": attempt}])
    token = make_token(previous.id, current.rotation + 1, None, attempt)
    store.put_secret_value(SecretId=SECRET, SecretString="{}", ClientRequestToken=token)
    return current


def test_finished(iam: IAMClient, store: SecretsManagerClient, messages: list[str]) -> None:
    """A rotation whose run was killed after the put is recorded, and the delivered password is never retired."""
    previous = make(iam, age=100, is_retired=True, status=Status.ACTIVE)
    current = finish_rotation(store, previous, make(iam, name=f"{NAME}~2", age=29, rotation=1))
    planned = plan(state_of(previous, current), DELIVERED)[NAME]
    assert [(each.slot, each.rotation, each.status) for each in planned.slots] == [(2, 1, None), (1, 2, None)]
    assert (planned.is_finished, planned.is_lost, planned.retired) == (True, False, None)
    assert rotation_context(planned, planned.slots[1], is_preview=True)["finished"] is True
    assert f"{current.id} works until the overlap ends" in messages[0]


def test_finished_but_needed_in_the_state(iam: IAMClient, store: SecretsManagerClient, messages: list[str]) -> None:
    """If the state needs the password, the current one is delivered again before the other one is retired."""
    kept = replace(DELIVERED, deliver=replace(DELIVERY, keep_in_state=True))
    previous = make(iam, age=100, is_retired=True, has_secret=True)
    current = replace(make(iam, name=f"{NAME}~2", age=29, rotation=1), has_secret=True)
    current = replace(finish_rotation(store, previous, current), deliver=kept.deliver)
    planned = plan(state_of(previous, current), kept)[NAME]
    assert [(each.slot, each.rotation, each.status) for each in planned.slots] == [(2, 1, None), (1, None, None)]
    assert (planned.rotated, planned.retired, messages) == (None, None, [])


@pytest.mark.parametrize(
    ("desired", "recorded"),
    [
        pytest.param(DELIVERED, replace(DELIVERY, name="old"), id="moved"),
        pytest.param(replace(DELIVERED, rotate=None), DELIVERY, id="no longer rotated"),
    ],
)
def test_finished_with_a_change(
    iam: IAMClient, store: SecretsManagerClient, messages: list[str], desired: DesiredCredential, recorded: Delivery
) -> None:
    """An interrupted rotation is recorded, also if it was to a new name, and if `rotate` was removed since."""
    previous = make(iam, age=100, is_retired=True, status=Status.ACTIVE)
    current = finish_rotation(store, previous, make(iam, name=f"{NAME}~2", age=29, rotation=1))
    planned = plan(state_of(previous, replace(current, deliver=recorded)), desired)[NAME]
    assert [(each.slot, each.rotation, each.status) for each in planned.slots] == [(2, 1, None), (1, 2, None)]
    assert [each.deliver for each in planned.slots] == [recorded, DELIVERY]
    assert (planned.is_finished, planned.retired, planned.deleted) == (True, None, None)
    assert all("works until the overlap ends" in text for text in messages)


def test_deactivated_successor(iam: IAMClient, store: SecretsManagerClient, messages: list[str]) -> None:
    """If a person deactivated the delivered successor, its password stays invalid: the slot is rotated anew."""
    previous = make(iam, age=100, is_retired=True, status=Status.INACTIVE)
    current = finish_rotation(store, previous, make(iam, name=f"{NAME}~2", age=1, rotation=1))
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=previous.id, Status="Inactive")
    planned = plan(state_of(previous, current), DELIVERED)[NAME]
    assert (planned.is_finished, planned.is_lost, planned.rotated is not None) == (False, True, True)
    assert "neither the declared secret" in messages[0]


def test_lost_comes_first(iam: IAMClient, store: SecretsManagerClient, messages: list[str]) -> None:
    """A lost secret comes before a rotation that is long overdue, because no consumer can read the password."""
    iam.create_user(UserName="ann")
    lost = replace(deliver(store, make(iam, age=1)), delivered=None)
    overdue = make(iam, "ann", "ann/codecommit", age=90)
    store.put_secret_value(SecretId=SECRET, SecretString="own")
    plans = plan(state_of(overdue, lost), replace(ROTATED, user="ann"), DELIVERED, limit=1)
    assert [name for name, each in plans.items() if each.rotated is not None] == [NAME]
    assert any("`maxPerRun` is reached" in text for text in messages)
