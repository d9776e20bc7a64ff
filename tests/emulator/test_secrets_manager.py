"""Secrets Manager of the IAM emulator: the behavior of AWS that moto lacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from iamcreds.emulator.account import SWITCHES
from tests.emulator.conftest import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.server import Emulator

NAME = "keyspaces/jane"
TOKENS = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(9)]
MOMENT = datetime(2031, 5, 1, 23, 30, tzinfo=UTC)
DAY = 86_400


def create(secrets: SecretsManagerClient, name: str = NAME, value: str = "one", token: int = 0, **more: Any) -> str:  # noqa: ANN401 - as boto3
    """Create a secret, and return its ARN."""
    made = secrets.create_secret(Name=name, SecretString=value, ClientRequestToken=TOKENS[token], **more)
    assert made["VersionId"] == TOKENS[token]
    return made["ARN"]


def put(secrets: SecretsManagerClient, value: str, token: int) -> list[str]:
    """Put a value, and return the staging labels of its version."""
    made = secrets.put_secret_value(SecretId=NAME, SecretString=value, ClientRequestToken=TOKENS[token])
    assert made["VersionId"] == TOKENS[token]
    return made["VersionStages"]


def read_stages(secrets: SecretsManagerClient) -> dict[int, list[str]]:
    """Return the staging labels of each version, by the number of its token."""
    stages = secrets.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    return {TOKENS.index(version): names for version, names in stages.items()}


def read_error(call: Callable[..., Any], **parameters: Any) -> str:  # noqa: ANN401 - as boto3
    """Return the error code of a call, whose HTTP status is 400 as for each error of a client."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return caught.value.response["Error"]["Code"]


def list_names(secrets: SecretsManagerClient, **which: Any) -> list[str]:  # noqa: ANN401 - as boto3
    """Return the names of one page of a list."""
    return [secret["Name"] for secret in secrets.list_secrets(**which)["SecretList"]]


# Versions


def test_versions(secrets: SecretsManagerClient) -> None:
    """A new version is AWSCURRENT, the one before AWSPREVIOUS, and older ones can be read by their ids only."""
    create(secrets)
    assert put(secrets, "two", 1) == ["AWSCURRENT"]
    assert put(secrets, "three", 2) == ["AWSCURRENT"]
    assert read_stages(secrets) == {1: ["AWSPREVIOUS"], 2: ["AWSCURRENT"]}
    assert secrets.get_secret_value(SecretId=NAME)["SecretString"] == "three"
    assert secrets.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS")["SecretString"] == "two"
    assert secrets.get_secret_value(SecretId=NAME, VersionId=TOKENS[0])["SecretString"] == "one"


def test_repeated_put(secrets: SecretsManagerClient) -> None:
    """A Put repeated with the token of an old version succeeds, and does not move AWSCURRENT."""
    create(secrets)
    put(secrets, "two", 1)
    put(secrets, "three", 2)
    assert put(secrets, "two", 1) == ["AWSPREVIOUS"]
    assert put(secrets, "one", 0) == []
    assert secrets.get_secret_value(SecretId=NAME)["SecretString"] == "three"


def test_token_with_a_different_value(secrets: SecretsManagerClient) -> None:
    """A version cannot be changed by its token: not by a Put, nor by a Create or an Update."""
    create(secrets)
    value = {"SecretString": "two", "ClientRequestToken": TOKENS[0]}
    assert read_error(secrets.put_secret_value, SecretId=NAME, **value) == "ResourceExistsException"
    assert read_error(secrets.create_secret, Name=NAME, **value) == "ResourceExistsException"
    assert read_error(secrets.update_secret, SecretId=NAME, **value) == "ResourceExistsException"
    assert secrets.get_secret_value(SecretId=NAME)["SecretString"] == "one"


def test_repeated_create(secrets: SecretsManagerClient) -> None:
    """A repeated Create with the same token and value succeeds with the same ARN; with a new token, it fails."""
    assert create(secrets, Tags=[{"Key": "a", "Value": "b"}]) == create(secrets)
    assert secrets.describe_secret(SecretId=NAME)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert read_error(secrets.create_secret, Name=NAME, SecretString="one") == "ResourceExistsException"


def test_rollback(secrets: SecretsManagerClient) -> None:
    """A manual rollback moves AWSCURRENT to the version before."""
    create(secrets)
    put(secrets, "two", 1)
    secrets.update_secret_version_stage(
        SecretId=NAME, VersionStage="AWSCURRENT", MoveToVersionId=TOKENS[0], RemoveFromVersionId=TOKENS[1]
    )
    assert read_stages(secrets) == {0: ["AWSCURRENT"], 1: ["AWSPREVIOUS"]}
    assert secrets.get_secret_value(SecretId=NAME)["SecretString"] == "one"
    wrong = {"VersionStage": "AWSCURRENT", "MoveToVersionId": TOKENS[1], "RemoveFromVersionId": TOKENS[1]}
    assert read_error(secrets.update_secret_version_stage, SecretId=NAME, **wrong) == "InvalidParameterException"


def test_version_with_another_stage(secrets: SecretsManagerClient) -> None:
    """A version with its own label does not become the current one, unless it is the first."""
    secrets.create_secret(Name=NAME)
    assert read_error(secrets.get_secret_value, SecretId=NAME) == "ResourceNotFoundException"
    stages: dict[str, Any] = {"SecretId": NAME, "VersionStages": ["MINE"]}
    secrets.put_secret_value(SecretString="one", ClientRequestToken=TOKENS[0], **stages)
    assert read_stages(secrets) == {0: ["MINE", "AWSCURRENT"]}
    secrets.put_secret_value(SecretString="two", ClientRequestToken=TOKENS[1], **stages)
    assert read_stages(secrets) == {0: ["AWSCURRENT"], 1: ["MINE"]}
    wrong = {"VersionId": TOKENS[0], "VersionStage": "MINE"}
    assert read_error(secrets.get_secret_value, SecretId=NAME, **wrong) == "InvalidRequestException"


# Dates


def test_dates(secrets: SecretsManagerClient, controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account's clock decides every date; the last access is a day, and only GetSecretValue sets it."""
    monkeypatch.setattr(SWITCHES, "clock", lambda: MOMENT)
    create(secrets)
    shown = secrets.describe_secret(SecretId=NAME)
    assert shown["CreatedDate"] == shown["LastChangedDate"] == MOMENT
    assert "LastAccessedDate" not in shown
    assert "LastAccessedDate" not in secrets.list_secrets()["SecretList"][0]
    controls.set(clock_shift=DAY)
    secrets.get_secret_value(SecretId=NAME)
    controls.set(clock_shift=2 * DAY)
    secrets.tag_resource(SecretId=NAME, Tags=[{"Key": "a", "Value": "b"}])
    put(secrets, "two", 1)
    day = datetime(2031, 5, 2, tzinfo=UTC)
    for dates in (secrets.describe_secret(SecretId=NAME), secrets.list_secrets()["SecretList"][0]):
        assert dates["LastAccessedDate"] == day
        assert (dates["CreatedDate"], dates["LastChangedDate"]) == (MOMENT, MOMENT + timedelta(days=2))
    date = secrets.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)["DeletionDate"]
    assert date == MOMENT + timedelta(days=9)
    assert secrets.describe_secret(SecretId=NAME)["DeletedDate"] == date


# Deletion


def test_scheduled_deletion(secrets: SecretsManagerClient) -> None:
    """During its recovery window, a secret can be described and restored, but not listed, read, changed or created."""
    arn = create(secrets)
    secrets.delete_secret(SecretId=NAME)
    for call, more in (
        (secrets.get_secret_value, {}),
        (secrets.put_secret_value, {"SecretString": "two"}),
        (secrets.update_secret, {"Description": "x"}),
        (secrets.tag_resource, {"Tags": [{"Key": "a", "Value": "b"}]}),
        (secrets.untag_resource, {"TagKeys": ["a"]}),
        (secrets.put_resource_policy, {"ResourcePolicy": '{"Statement": []}'}),
        (secrets.delete_secret, {}),
    ):
        assert read_error(call, SecretId=NAME, **more) == "InvalidRequestException"
    value = {"SecretString": "one", "ClientRequestToken": TOKENS[0]}
    assert read_error(secrets.create_secret, Name=NAME, **value) == "InvalidRequestException"
    assert list_names(secrets) == []
    assert list_names(secrets, IncludePlannedDeletion=True) == [NAME]
    secrets.restore_secret(SecretId=NAME)
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "one"


def test_end_of_the_recovery_window(secrets: SecretsManagerClient, controls: Controls) -> None:
    """After the recovery window, the secret is gone, and the name is free with a new ARN."""
    arn = create(secrets)
    secrets.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)
    controls.set(clock_shift=7 * DAY + 1)
    assert read_error(secrets.describe_secret, SecretId=NAME) == "ResourceNotFoundException"
    assert list_names(secrets, IncludePlannedDeletion=True) == []
    assert create(secrets, value="two", token=1) != arn
    secrets.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    create(secrets, value="three", token=2)


@pytest.mark.parametrize(
    "window", [{"RecoveryWindowInDays": 6}, {"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True}]
)
def test_invalid_window(secrets: SecretsManagerClient, window: dict[str, Any]) -> None:
    """A recovery window has 7 to 30 days, and excludes a deletion at once."""
    create(secrets)
    assert read_error(secrets.delete_secret, SecretId=NAME, **window) == "InvalidParameterException"


# Lists


def test_lists_lag_behind(secrets: SecretsManagerClient, controls: Controls) -> None:
    """A delayed list shows creates, versions, tags and deletes only after that many seconds; Describe is current."""

    def seen() -> list[tuple[int, int]]:
        listed = secrets.list_secrets()["SecretList"]
        return [(len(secret["SecretVersionsToStages"]), len(secret.get("Tags", ()))) for secret in listed]

    controls.set(list_lag=300)
    create(secrets)
    assert seen() == []
    assert read_stages(secrets) == {0: ["AWSCURRENT"]}
    controls.set(clock_shift=300)
    assert seen() == [(1, 0)]
    put(secrets, "two", 1)
    secrets.tag_resource(SecretId=NAME, Tags=[{"Key": "a", "Value": "b"}])
    assert seen() == [(1, 0)]
    assert len(read_stages(secrets)) == 2
    controls.set(clock_shift=600)
    assert seen() == [(2, 1)]
    secrets.delete_secret(SecretId=NAME)
    assert seen() == [(2, 1)]
    controls.set(clock_shift=900)
    assert seen() == []


def test_pages(secrets: SecretsManagerClient, controls: Controls) -> None:
    """A page has at most 100 secrets, which is also the default; tokens of other lists are invalid."""
    for number in range(102):
        secrets.create_secret(Name=f"s{number:03}", SecretString="x")
    first = secrets.list_secrets()
    assert len(first["SecretList"]) == 100
    rest = secrets.list_secrets(NextToken=first["NextToken"], MaxResults=100)
    assert [secret["Name"] for secret in rest["SecretList"]] == ["s100", "s101"]
    assert "NextToken" not in rest
    assert read_error(secrets.list_secrets, MaxResults=101) == "ValidationException"
    assert read_error(secrets.list_secrets, NextToken="x") == "InvalidNextTokenException"
    controls.set(page_limit=1)
    assert list_names(secrets, MaxResults=50) == ["s000"]


def test_filter_by_tag_key(secrets: SecretsManagerClient) -> None:
    """The filter `tag-key` matches the beginning of a key in the same case; filters are combined."""
    for name, key in (("a", "iamcreds:credential"), ("b", "iamcreds:credential-2"), ("c", "IAMCREDS:credential")):
        create(secrets, name, Tags=[{"Key": key, "Value": name}])
    by_key = {"Key": "tag-key", "Values": ["iamcreds:credential"]}
    assert list_names(secrets, Filters=[by_key]) == ["a", "b"]
    assert list_names(secrets, Filters=[by_key, {"Key": "tag-value", "Values": ["b"]}]) == ["b"]
    assert list_names(secrets, Filters=[{"Key": "name", "Values": ["a", "c"]}]) == ["a", "c"]
    assert read_error(secrets.list_secrets, Filters=[{"Key": "all", "Values": ["a"]}]) == "InvalidAction"
    assert read_error(secrets.list_secrets, Filters=[{"Key": "name", "Values": ["!a"]}]) == "InvalidAction"


def test_regions(secrets: SecretsManagerClient, emulator: Emulator) -> None:
    """Secrets are regional: neither the name nor the ARN is known in a different region."""
    arn = create(secrets)
    other = open_store(emulator.url, "secretsmanager", "us-east-1")
    assert list_names(other) == []
    for secret_id in (NAME, arn):
        assert read_error(other.describe_secret, SecretId=secret_id) == "ResourceNotFoundException"
    assert secrets.describe_secret(SecretId=arn[:-7])["ARN"] == arn


# KMS keys


def test_keys(secrets: SecretsManagerClient, keys: KMSClient) -> None:
    """A value can be written with an enabled symmetric key only; the key of the store needs no declaration."""
    key = keys.create_key()["KeyMetadata"]
    asymmetric = keys.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    missing = "11111111-1111-1111-1111-111111111111"
    of_other_region = key["Arn"].replace("eu-west-1", "us-west-2")
    for wrong in (missing, asymmetric, of_other_region, "alias/none", "x"):
        created = {"Name": NAME, "SecretString": "one", "KmsKeyId": wrong}
        assert read_error(secrets.create_secret, **created) == "InvalidParameterException"
    assert list_names(secrets) == []
    create(secrets)
    assert read_error(secrets.update_secret, SecretId=NAME, KmsKeyId=missing) == "InvalidParameterException"
    secrets.update_secret(SecretId=NAME, KmsKeyId=key["KeyId"])
    keys.disable_key(KeyId=key["KeyId"])
    assert read_error(secrets.put_secret_value, SecretId=NAME, SecretString="two") == "EncryptionFailure"
    assert read_error(secrets.get_secret_value, SecretId=NAME) == "DecryptionFailure"
    keys.schedule_key_deletion(KeyId=key["KeyId"])
    assert read_error(secrets.create_secret, Name="b", SecretString="x", KmsKeyId=key["Arn"]) == "EncryptionFailure"
    assert list(read_stages(secrets)) == [0]


def test_shown_keys(secrets: SecretsManagerClient, keys: KMSClient) -> None:
    """An alias is shown as its ARN; the list shows ARNs only, and nothing for the key of the store."""
    key = keys.create_key()["KeyMetadata"]
    keys.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    alias = key["Arn"].replace(f"key/{key['KeyId']}", "alias/mine")
    for name, declared in (("a", "alias/mine"), ("b", key["KeyId"]), ("c", "alias/aws/secretsmanager"), ("d", alias)):
        create(secrets, name, KmsKeyId=declared)
    described = [secrets.describe_secret(SecretId=name).get("KmsKeyId") for name in "abcd"]
    assert described == [alias, key["KeyId"], None, alias]
    listed = [secret.get("KmsKeyId") for secret in secrets.list_secrets()["SecretList"]]
    assert listed == [alias, key["Arn"], None, alias]


# Settings


def test_tags_and_policy(secrets: SecretsManagerClient) -> None:
    """Tags are added, replaced and removed by key; a resource policy that is public or no policy is rejected."""
    create(secrets, Tags=[{"Key": "a", "Value": "1"}])
    secrets.tag_resource(SecretId=NAME, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}])
    secrets.untag_resource(SecretId=NAME, TagKeys=["a", "c"])
    assert secrets.describe_secret(SecretId=NAME)["Tags"] == [{"Key": "b", "Value": ""}]
    policy = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}'
    public: dict[str, Any] = {"SecretId": NAME, "ResourcePolicy": policy}
    assert read_error(secrets.put_resource_policy, BlockPublicPolicy=True, **public) == "PublicPolicyException"
    wrong = {"SecretId": NAME, "ResourcePolicy": "{}"}
    assert read_error(secrets.put_resource_policy, **wrong) == "MalformedPolicyDocumentException"
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=NAME)
    secrets.put_resource_policy(**public)
    assert secrets.get_resource_policy(SecretId=NAME)["ResourcePolicy"] == policy


def test_rotation(secrets: SecretsManagerClient) -> None:
    """The rotation by a function can be turned on and off; the function is not called."""
    create(secrets)
    rotation: dict[str, Any] = {"SecretId": NAME, "RotateImmediately": False}
    assert read_error(secrets.rotate_secret, **rotation) == "InvalidRequestException"
    assert read_error(secrets.rotate_secret, SecretId=NAME) == "InvalidAction"
    secrets.rotate_secret(**rotation, RotationLambdaARN="arn:aws:lambda:eu-west-1:123456789012:function:f")
    assert secrets.describe_secret(SecretId=NAME)["RotationEnabled"]
    assert secrets.list_secrets()["SecretList"][0]["RotationEnabled"]
    secrets.cancel_rotate_secret(SecretId=NAME)
    assert secrets.describe_secret(SecretId=NAME)["RotationEnabled"] is False
    assert read_stages(secrets) == {0: ["AWSCURRENT"]}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Name": "a b"}, "ValidationException"),
        ({"Name": ""}, "ValidationException"),
        ({"Name": "a" * 513}, "ValidationException"),
        ({"Name": "a", "ClientRequestToken": "short"}, "ValidationException"),
        ({"Name": "a", "Tags": [{"Key": "a,b", "Value": ""}]}, "ValidationException"),
        ({"Name": "a", "Tags": [{"Key": "", "Value": ""}]}, "ValidationException"),
        ({"Name": "a", "Tags": [{"Key": "aws:x", "Value": ""}]}, "ValidationException"),
        ({"Name": "a", "Tags": [{"Key": "x", "Value": "v" * 257}]}, "ValidationException"),
        ({"Name": 1}, "SerializationException"),
        ({"Name": "a", "SecretBinary": b"x"}, "InvalidAction"),
        ({}, "ValidationException"),
    ],
)
def test_invalid_create(secrets: SecretsManagerClient, request_: dict[str, Any], code: str) -> None:
    """Invalid and unsupported parameters are rejected, and the error does not contain the value."""
    with pytest.raises(ClientError) as caught:
        secrets.create_secret(**{"SecretString": "hunter2hunter2", **request_})
    assert caught.value.response["Error"]["Code"] == code
    assert "hunter2" not in str(caught.value)
    assert list_names(secrets) == []


def test_odd_names(secrets: SecretsManagerClient) -> None:
    """Every character that AWS permits in names and tags is kept."""
    name, tags = "/_+=.@-!x/y-abcdef", [{"Key": "é Z٣_.:/=+-@", "Value": "ü\u00a0/"}]
    arn = create(secrets, name, Tags=tags)
    assert secrets.describe_secret(SecretId=name)["ARN"] == arn
    assert secrets.list_secrets()["SecretList"][0]["Tags"] == tags
