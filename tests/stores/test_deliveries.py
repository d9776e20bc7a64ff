"""The stores of a run: targets, regions, lists, and every rejection with its message."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.aws import Account
from iamcreds.delivery import (
    PARAMETER_STORE,
    READ_BY_USER,
    SECRETS_MANAGER,
    STORE_FIELDS,
    STORES,
    DeliveredSecret,
    Delivery,
    name_credential,
)
from iamcreds.errors import AccessDeniedError, ConfigError, RejectedError
from iamcreds.specs.schema import SCHEMA
from iamcreds.stores import deliveries as stores
from iamcreds.stores.deliveries import Deliveries
from iamcreds.stores.store import StoredSecret
from tests.planning.memory_store import MemoryStore

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

    from iamcreds.emulator.server import Emulator
    from iamcreds.stores.deliveries import Target

KEYSPACES = "cassandra.amazonaws.com"
TOKEN = "00000000-0000-0000-0000-000000000001"
TAG: Any = {"Key": "iamcreds:credential", "Value": "jane/keyspaces"}
SECRET, PARAMETER = Delivery(SECRETS_MANAGER, "keyspaces/{user}"), Delivery(PARAMETER_STORE, "/keyspaces/{user}")
LISTS = {SECRETS_MANAGER: "secretsmanager:ListSecrets", PARAMETER_STORE: "ssm:DescribeParameters"}
both_stores = pytest.mark.parametrize("declared", [SECRET, PARAMETER], ids=STORES)


def find_target(deliveries: Deliveries, declared: Delivery, user: str = "jane") -> Target:
    """Return the target of a keyspaces credential."""
    return deliveries.find_target(declared, user, KEYSPACES)


def deliver(target: Target) -> DeliveredSecret:
    """Deliver a new secret."""
    return target.store.put(target.name, None, "first", TOKEN, target.settings)


def reject(
    deliveries: Deliveries, declared: Delivery, recorded: DeliveredSecret | None = None, user: str = "jane"
) -> str:
    """Return the message of the rejection of a delivery to the existing secret, if there is one."""
    target = find_target(deliveries, declared, user)
    with pytest.raises(RejectedError) as rejection:
        deliveries.require_usable(target, target.store.describe(target.name), recorded)
    return str(rejection.value)


def test_every_store() -> None:
    """Every store can be opened, is a field of specs, and is in the schema."""
    fields = SCHEMA["$defs"]["credential"]["properties"]["deliver"]
    assert set(STORE_FIELDS.values()) == set(STORES)
    assert set(fields["properties"]) == {*STORE_FIELDS, "keepInState"}
    assert fields["oneOf"] == [{"required": [field]} for field in STORE_FIELDS]


def test_third_store(deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run delivers to any class with the methods of the Protocol, once it is a line of the list of stores."""
    writes: list[str] = []
    monkeypatch.setitem(stores._STORES, "vault", lambda *_: MemoryStore(writes.append))  # noqa: SLF001 - the list to extend
    target = find_target(deliveries, Delivery("vault", "keys/{user}"))
    deliveries.require_usable(target, deliveries.find(target, None), None)
    delivered = target.store.put(target.name, None, '{"password": "x"}', TOKEN, target.settings)
    stored = deliveries.find(target, delivered)
    assert stored is not None
    assert (stored.name, stored.version, stored.credential) == ("keys/jane", delivered.version, "jane/keyspaces")
    deliveries.require_usable(target, stored, delivered)
    assert writes == ["put keys/jane"]


@pytest.mark.parametrize("store", STORES)
def test_open_store(deliveries: Deliveries, store: str) -> None:
    """A store is opened once per region, by default in the environment's."""
    opened = deliveries.open_store(store, None)
    assert opened is deliveries.open_store(store, "eu-west-1")
    assert deliveries.open_store(store, "us-east-1").region == "us-east-1"


# Targets


@both_stores
def test_target(deliveries: Deliveries, declared: Delivery) -> None:
    """A target has the resolved name, and the declared tags and key."""
    declared = replace(declared, name="/{account}/{service}/{user}", tags={"team": "payments"}, kms_key_id="alias/a")
    target = find_target(deliveries, declared)
    assert target.name == "/123456789012/keyspaces/jane"
    assert target.settings.tags == {"team": "payments", "iamcreds:credential": "jane/keyspaces"}
    assert (target.settings.kms_key_id, target.settings.policy) == ("alias/a", None)
    assert (target.credential, target.store.region) == ("jane/keyspaces", "eu-west-1")


def test_comma() -> None:
    """The tag of a user with a comma, which AWS accepts in names only, has a space."""
    assert name_credential("jane,x", "codecommit.amazonaws.com") == "jane x/codecommit"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            PARAMETER,
            (
                "Parameter Store cannot have a secret with the name /keyspaces/jane@example.com, because it requires"
                " letters, digits and _.- in up to 15 levels that begin with a slash, without the prefix aws or ssm."
                " Set a different name"
            ),
        ),
        (
            replace(SECRET, name="keys of {user}"),
            (
                "Secrets Manager cannot have a secret with the name keys of jane@example.com, because it requires 1 to"
                " 512 letters, digits and /_+=.@-. Set a different name"
            ),
        ),
    ],
)
def test_wrong_name(deliveries: Deliveries, declared: Delivery, message: str) -> None:
    """A name that the store does not accept is rejected before any call to the store."""
    with pytest.raises(RejectedError) as rejection:
        find_target(deliveries, declared, "jane@example.com")
    assert str(rejection.value) == message


@pytest.mark.parametrize("name", ["a/b_+=.@-", "/a", "x" * 512])
def test_valid_secret_names(deliveries: Deliveries, name: str) -> None:
    """Secrets Manager accepts the names of its API reference."""
    assert find_target(deliveries, replace(SECRET, name=name)).name == name


@pytest.mark.parametrize("name", ["a,b", "a b", "é", "a:b", "a\n", "x" * 513])
def test_invalid_secret_names(deliveries: Deliveries, name: str) -> None:
    """Secrets Manager rejects other names."""
    with pytest.raises(RejectedError, match=r"^Secrets Manager cannot have a secret with the name "):
        find_target(deliveries, replace(SECRET, name=name))


def test_name_of_email(deliveries: Deliveries) -> None:
    """Secrets Manager accepts all characters of an email address."""
    assert find_target(deliveries, SECRET, "jane+x@example.com").name == "keyspaces/jane+x@example.com"


# Regions


@both_stores
def test_no_region(signed_in: Emulator, declared: Delivery) -> None:
    """Without a region in environment and declaration, the message names both options."""
    del signed_in
    deliveries = Deliveries(Account())
    with pytest.raises(ConfigError) as failure:
        find_target(deliveries, declared)
    assert str(failure.value) == (
        "the region of the secret store is unknown. Options: set `region` next to the name of the secret; or set"
        " AWS_REGION"
    )
    assert find_target(deliveries, replace(declared, region="us-east-1")).store.region == "us-east-1"


@both_stores
def test_other_region(deliveries: Deliveries, declared: Delivery) -> None:
    """A recorded secret in a different region is rejected; it is not delivered a second time."""
    recorded = deliver(find_target(deliveries, declared))
    target = find_target(deliveries, replace(declared, region="us-east-1"))
    with pytest.raises(RejectedError) as rejection:
        deliveries.require_region(target, recorded)
    assert str(rejection.value) == (
        f"secret {recorded.arn} is in eu-west-1, and this run uses us-east-1. Options: set `region: eu-west-1` next to"
        " the name of the secret; or set AWS_REGION=eu-west-1"
    )
    deliveries.require_region(find_target(deliveries, declared), recorded)


# Lists


@both_stores
def test_unchanged(deliveries: Deliveries, declared: Delivery, emulator: Emulator) -> None:
    """One list serves all credentials of a run, also if several threads ask for it at the same time."""
    users = [f"user-{number}" for number in range(9)]
    targets = [find_target(deliveries, declared, user) for user in users]
    recorded = [deliver(target) for target in targets]
    emulator.controls.clear_counts()
    with ThreadPoolExecutor(4) as pool:
        stored = list(pool.map(deliveries.find, targets, recorded))
    assert emulator.controls.counts() == {LISTS[declared.store]: 1}
    for target, secret, delivered in zip(targets, stored, recorded, strict=True):
        assert secret is not None
        assert (secret.arn, secret.version) == (delivered.arn, delivered.version)
        deliveries.require_usable(target, secret, delivered)


@both_stores
def test_differences_are_confirmed(deliveries: Deliveries, declared: Delivery) -> None:
    """A secret that the list shows with a different version, or does not show, is read."""
    target = find_target(deliveries, declared)
    delivered = deliver(target)
    deliveries.list_secrets(declared.store, None)
    written = target.store.put(
        target.name, target.store.describe(target.name), "second", TOKEN[:-1] + "2", target.settings
    )
    found = deliveries.find(target, written)
    assert found is not None
    assert found.version == written.version != delivered.version
    other = find_target(deliveries, declared, "john")
    assert deliveries.find(other, None) is None
    assert deliveries.find(other, delivered) is None
    deliver(other)
    assert deliveries.find(other, delivered) == other.store.describe(other.name)


@both_stores
def test_new_delivery_needs_no_list(deliveries: Deliveries, declared: Delivery, emulator: Emulator) -> None:
    """A delivery without a record reads its own secret only."""
    emulator.controls.deny("secretsmanager:ListSecrets")
    assert deliveries.find(find_target(deliveries, declared), None) is None


# Rejections


@both_stores
def test_usable(deliveries: Deliveries, declared: Delivery) -> None:
    """A secret that does not exist, and the own one, are usable."""
    target = find_target(deliveries, declared)
    deliveries.require_usable(target, None, None)
    deliver(target)
    deliveries.require_usable(target, target.store.describe(target.name), None)


def test_unmanaged_secret(deliveries: Deliveries, secretsmanager: SecretsManagerClient) -> None:
    """A secret without the tag is rejected until a person sets it, or if the state has it."""
    arn = secretsmanager.create_secret(Name="keyspaces/jane", SecretString="x")["ARN"]
    assert reject(deliveries, SECRET) == (
        "Secrets Manager already has the secret keyspaces/jane, which iamcreds does not manage. Options: choose a"
        " different name; or, to overwrite its value, set its tag iamcreds:credential to `jane/keyspaces`"
    )
    assert "does not manage" in reject(deliveries, SECRET, DeliveredSecret("arn:other", "x"))
    target = find_target(deliveries, SECRET)
    deliveries.require_usable(target, target.store.describe(target.name), DeliveredSecret(arn, "x"))
    secretsmanager.tag_resource(SecretId=arn, Tags=[TAG])
    deliveries.require_usable(target, target.store.describe(target.name), None)


def test_unmanaged_parameter(deliveries: Deliveries, ssm: SSMClient) -> None:
    """A parameter without the tag is rejected until a person sets it."""
    ssm.put_parameter(Name="/keyspaces/jane", Value="x", Type="SecureString")
    assert reject(deliveries, PARAMETER) == (
        "Parameter Store already has the secret /keyspaces/jane, which iamcreds does not manage. Options: choose a"
        " different name; or, to overwrite its value, set its tag iamcreds:credential to `jane/keyspaces`"
    )
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/keyspaces/jane", Tags=[TAG])
    target = find_target(deliveries, PARAMETER)
    deliveries.require_usable(target, target.store.describe(target.name), None)


@both_stores
def test_other_credential(deliveries: Deliveries, declared: Delivery) -> None:
    """The secret of a different credential is rejected."""
    declared = replace(declared, name="/shared")
    deliver(find_target(deliveries, declared))
    assert "/shared, which belongs to credential jane/keyspaces. Options: " in reject(deliveries, declared, user="john")


def test_plain_parameter(deliveries: Deliveries, ssm: SSMClient) -> None:
    """A parameter that is not encrypted is rejected, even with the tag."""
    ssm.put_parameter(Name="/keyspaces/jane", Value="x", Type="String", Tags=[TAG])
    assert reject(deliveries, PARAMETER) == (
        "Parameter Store stores /keyspaces/jane unencrypted, and the type of a parameter cannot change. Options: delete"
        " the parameter; or choose a different name"
    )


def test_rotated_secret(deliveries: Deliveries, secretsmanager: SecretsManagerClient) -> None:
    """A secret that Secrets Manager rotates is rejected."""
    delivered = deliver(find_target(deliveries, SECRET))
    function = "arn:aws:lambda:eu-west-1:123456789012:function:f"
    secretsmanager.rotate_secret(SecretId=delivered.arn, RotateImmediately=False, RotationLambdaARN=function)
    assert reject(deliveries, SECRET, delivered) == (
        "Secrets Manager rotates the secret keyspaces/jane itself, which would overwrite the delivered one. Options:"
        " cancel that rotation; or choose a different name"
    )


def test_secret_scheduled_for_deletion(deliveries: Deliveries, secretsmanager: SecretsManagerClient) -> None:
    """A secret in its recovery window is rejected with its date, also the recorded one."""
    delivered = deliver(find_target(deliveries, SECRET))
    secretsmanager.delete_secret(SecretId=delivered.arn, RecoveryWindowInDays=30)
    date = secretsmanager.describe_secret(SecretId=delivered.arn)["DeletedDate"].astimezone(UTC)
    assert reject(deliveries, SECRET, delivered) == (
        f"secret keyspaces/jane of Secrets Manager is scheduled for deletion on {date:%Y-%m-%d}. Options: restore it"
        " (`aws secretsmanager restore-secret --secret-id keyspaces/jane`); or choose a different name"
    )
    secretsmanager.restore_secret(SecretId=delivered.arn)
    target = find_target(deliveries, SECRET)
    deliveries.require_usable(target, target.store.describe(target.name), delivered)


def test_deletion_before_ownership(deliveries: Deliveries) -> None:
    """The planned deletion is reported first, because an unmanaged secret cannot be tagged before it is restored."""
    stored = StoredSecret("keyspaces/jane", "arn:x", None, deleted=datetime(2026, 12, 24, tzinfo=UTC))
    with pytest.raises(RejectedError, match="is scheduled for deletion on 2026-12-24"):
        deliveries.require_usable(find_target(deliveries, SECRET), stored, None)


# KMS keys


def create_key(kms: KMSClient, *changes: str) -> str:
    """Return the ARN of a KMS key after these changes."""
    spec: Any = "RSA_2048" if "RSA" in changes else "SYMMETRIC_DEFAULT"
    usage: Any = "SIGN_VERIFY" if "sign" in changes else "ENCRYPT_DECRYPT"
    key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    if "disable" in changes:
        kms.disable_key(KeyId=key["KeyId"])
    if "delete" in changes:
        kms.schedule_key_deletion(KeyId=key["KeyId"])
    return key["Arn"]


@both_stores
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ("disable", ", because it is Disabled"),
        ("delete", ", because it is PendingDeletion"),
        ("RSA", ": a symmetric encryption key is required"),
        ("RSA sign", ": a symmetric encryption key is required"),
    ],
)
def test_unusable_key(deliveries: Deliveries, declared: Delivery, kms: KMSClient, changes: str, reason: str) -> None:
    """A key that cannot encrypt the new secret is rejected with its reason."""
    key = create_key(kms, *changes.split())
    message = reject(deliveries, replace(declared, kms_key_id=key))
    assert message == f"KMS key {key} cannot encrypt the secret{reason}"


@both_stores
def test_missing_key(deliveries: Deliveries, declared: Delivery) -> None:
    """A key that does not exist is rejected with its region, because keys are regional."""
    declared = replace(declared, kms_key_id="alias/none")
    assert reject(deliveries, declared) == "KMS key alias/none does not exist in eu-west-1"


@both_stores
def test_usable_key(deliveries: Deliveries, declared: Delivery, kms: KMSClient) -> None:
    """An enabled symmetric key is usable by ARN and by alias."""
    key = create_key(kms)
    kms.create_alias(AliasName="alias/creds", TargetKeyId=key)
    for name in (key, "alias/creds"):
        deliveries.require_usable(find_target(deliveries, replace(declared, kms_key_id=name)), None, None)


@both_stores
def test_denied_key(deliveries: Deliveries, declared: Delivery, emulator: Emulator) -> None:
    """A key that may not be read is an error with the key."""
    emulator.controls.deny("kms:DescribeKey")
    target = find_target(deliveries, replace(declared, kms_key_id="alias/creds"))
    expected = r"^reading KMS key alias/creds: AWS error AccessDeniedException: .*DescribeKey"
    with pytest.raises(AccessDeniedError, match=expected):
        deliveries.require_usable(target, None, None)


@both_stores
def test_existing_secret_needs_no_key(deliveries: Deliveries, declared: Delivery, emulator: Emulator) -> None:
    """The key of an existing secret is not read."""
    deliver(find_target(deliveries, declared))
    emulator.controls.deny("kms:DescribeKey")
    target = find_target(deliveries, replace(declared, kms_key_id="alias/creds"))
    deliveries.require_usable(target, target.store.describe(target.name), None)


# Resource policies


def test_policy(deliveries: Deliveries, iam: IAMClient) -> None:
    """The policy permits the IAM user to read its own secret, and nothing else."""
    arn = iam.create_user(UserName="jane", Path="/team/")["User"]["Arn"]
    target = find_target(deliveries, replace(SECRET, resource_policy=READ_BY_USER))
    settings = deliveries.with_policy(target)
    assert replace(settings, policy=None) == target.settings
    (statement,) = json.loads(str(settings.policy))["Statement"]
    assert statement == {
        "Sid": "ReadOwnSecret",
        "Effect": "Allow",
        "Principal": {"AWS": arn},
        "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "Resource": "*",
    }


@both_stores
def test_no_policy(deliveries: Deliveries, declared: Delivery, emulator: Emulator) -> None:
    """Without a declared policy, nothing is read and no policy is set."""
    target = find_target(deliveries, declared)
    emulator.controls.clear_counts()
    assert deliveries.with_policy(target) == target.settings
    assert emulator.controls.counts() == {}
