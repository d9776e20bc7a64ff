"""Parameter Store of the IAM emulator: the behavior of AWS that moto lacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.emulator.account import SWITCHES
from tests.emulator.conftest import open_store
from tests.emulator.test_secrets_manager import read_error

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_ssm import SSMClient

    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.server import Emulator

NAME = "/keyspaces/jane"
MOMENT = datetime(2031, 5, 1, 23, 30, tzinfo=UTC)
TAG: Any = {"Key": "iamcreds:delivered", "Value": "true"}


def put(parameters: SSMClient, name: str = NAME, value: str = "one", **more: Any) -> int:  # noqa: ANN401 - as boto3
    """Put a SecureString, and return the number of its version."""
    return parameters.put_parameter(Name=name, Value=value, Type="SecureString", **more)["Version"]


def describe(parameters: SSMClient, **which: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as boto3
    """Return one page of the list."""
    return [dict(each) for each in parameters.describe_parameters(**which)["Parameters"]]


def read(parameters: SSMClient, name: str = NAME) -> str:
    """Return the value of a parameter."""
    return parameters.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def test_versions(parameters: SSMClient) -> None:
    """Overwriting adds a version, replaces the description only by a new one, and keeps the tags."""
    assert put(parameters, Description="first", Tags=[TAG]) == 1
    assert read_error(put, parameters=parameters) == "ParameterAlreadyExists"
    assert put(parameters, value="two", Overwrite=True) == 2
    assert describe(parameters)[0]["Description"] == "first"
    assert put(parameters, value="three", Overwrite=True, Description="third") == 3
    (shown,) = describe(parameters)
    assert (shown["Version"], shown["Description"], shown["Type"]) == (3, "third", "SecureString")
    assert parameters.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"] == [TAG]
    assert read(parameters) == "three"


def test_encrypted_value(parameters: SSMClient) -> None:
    """Neither the list nor a read without decryption contains the value."""
    put(parameters, value="hunter2")
    assert "hunter2" not in str(parameters.get_parameter(Name=NAME))
    assert "hunter2" not in str(describe(parameters))


def test_deletion(parameters: SSMClient) -> None:
    """A deleted parameter is gone at once with its tags, and a new one starts with version 1."""
    put(parameters, Tags=[TAG])
    put(parameters, Overwrite=True)
    parameters.delete_parameter(Name=NAME)
    assert read_error(parameters.get_parameter, Name=NAME) == "ParameterNotFound"
    assert read_error(parameters.delete_parameter, Name=NAME) == "ParameterNotFound"
    assert put(parameters) == 1
    assert parameters.list_tags_for_resource(ResourceType="Parameter", ResourceId=NAME)["TagList"] == []


def test_tags(parameters: SSMClient) -> None:
    """Tags cannot be set by an overwrite; they are added, replaced and removed by separate operations."""
    put(parameters, Tags=[{"Key": "a", "Value": "1"}])
    assert read_error(put, parameters=parameters, Overwrite=True, Tags=[TAG]) == "ValidationException"
    resource: dict[str, Any] = {"ResourceType": "Parameter", "ResourceId": NAME}
    parameters.add_tags_to_resource(**resource, Tags=[{"Key": "a", "Value": "2"}, TAG])
    parameters.remove_tags_from_resource(**resource, TagKeys=["a"])
    assert parameters.list_tags_for_resource(**resource)["TagList"] == [TAG]
    missing = {**resource, "ResourceId": "/none"}
    assert read_error(parameters.list_tags_for_resource, **missing) == "InvalidResourceId"
    assert read_error(parameters.add_tags_to_resource, **missing, Tags=[TAG]) == "InvalidResourceId"
    wrong = {**resource, "ResourceType": "Document"}
    assert read_error(parameters.list_tags_for_resource, **wrong) == "InvalidResourceType"


def test_dates(parameters: SSMClient, controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account's clock decides the date of a version; there is no date of the last read."""
    monkeypatch.setattr(SWITCHES, "clock", lambda: MOMENT)
    put(parameters)
    controls.set(clock_shift=60)
    put(parameters, Overwrite=True)
    read(parameters)
    (shown,) = describe(parameters)
    assert [value for value in shown.values() if isinstance(value, datetime)] == [MOMENT + timedelta(minutes=1)]


def test_lists_lag_behind(parameters: SSMClient, controls: Controls) -> None:
    """A delayed list shows creates, versions, tags and deletes only after that many seconds; Get is current."""

    def seen() -> list[tuple[int, bool]]:
        tagged = describe(parameters, ParameterFilters=[{"Key": "tag:iamcreds:delivered"}])
        return [(each["Version"], bool(tagged)) for each in describe(parameters)]

    controls.set(list_lag=300)
    put(parameters)
    assert seen() == []
    assert read(parameters) == "one"
    controls.set(clock_shift=300)
    assert seen() == [(1, False)]
    put(parameters, value="two", Overwrite=True)
    parameters.add_tags_to_resource(ResourceType="Parameter", ResourceId=NAME, Tags=[TAG])
    assert seen() == [(1, False)]
    assert read(parameters) == "two"
    controls.set(clock_shift=600)
    assert seen() == [(2, True)]
    parameters.delete_parameter(Name=NAME)
    assert seen() == [(2, True)]
    controls.set(clock_shift=900)
    assert seen() == []


def test_pages(parameters: SSMClient, controls: Controls) -> None:
    """A page has 10 parameters by default and at most 50; tokens of other lists are invalid."""
    for number in range(52):
        put(parameters, f"p{number:02}")
    assert len(describe(parameters)) == 10
    first = parameters.describe_parameters(MaxResults=50)
    rest = parameters.describe_parameters(MaxResults=50, NextToken=first["NextToken"])
    assert [each["Name"] for each in rest["Parameters"]] == ["p50", "p51"]
    assert "NextToken" not in rest
    assert read_error(parameters.describe_parameters, MaxResults=51) == "ValidationException"
    assert read_error(parameters.describe_parameters, NextToken="x") == "InvalidNextToken"
    controls.set(page_limit=1)
    assert len(describe(parameters, MaxResults=50)) == 1


def test_filters(parameters: SSMClient) -> None:
    """A filter by tag compares the value, in the same case; without values, the tag must exist."""
    for name, tags in (("a", [TAG]), ("b", [{**TAG, "Value": "truely"}]), ("c", [])):
        put(parameters, name, Tags=tags)

    def list_names(**filter_: Any) -> list[str]:  # noqa: ANN401 - as boto3
        return [each["Name"] for each in describe(parameters, ParameterFilters=[filter_])]

    by_tag = "tag:iamcreds:delivered"
    assert list_names(Key=by_tag, Values=["true"]) == ["a"]
    assert list_names(Key=by_tag, Values=["TRUE"]) == []
    assert list_names(Key=by_tag, Option="BeginsWith", Values=["true"]) == ["a", "b"]
    assert list_names(Key=by_tag) == ["a", "b"]
    assert list_names(Key="Name", Values=["b", "c"]) == ["b", "c"]
    wrong = [{"Key": by_tag, "Option": "Contains", "Values": ["t"]}]
    assert read_error(parameters.describe_parameters, ParameterFilters=wrong) == "InvalidFilterOption"
    wrong = [{"Key": "Type", "Values": ["String"]}]
    assert read_error(parameters.describe_parameters, ParameterFilters=wrong) == "InvalidAction"


def test_keys(parameters: SSMClient, keys: KMSClient) -> None:
    """A SecureString can be written and read with an enabled symmetric key only, with the message of KMS."""
    key = keys.create_key()["KeyMetadata"]
    asymmetric = keys.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    for wrong in ("11111111-1111-1111-1111-111111111111", "alias/none", asymmetric):
        assert read_error(put, parameters=parameters, KeyId=wrong) == "InvalidKeyId"
    assert describe(parameters) == []
    put(parameters, KeyId=key["KeyId"])
    assert describe(parameters)[0]["KeyId"] == key["KeyId"]
    keys.disable_key(KeyId=key["KeyId"])
    with pytest.raises(parameters.exceptions.InvalidKeyId, match=r"is disabled\. .*Error Code: DisabledException"):
        put(parameters, KeyId=key["KeyId"], Overwrite=True)
    assert read_error(read, parameters=parameters) == "InvalidKeyId"
    keys.enable_key(KeyId=key["KeyId"])
    assert read(parameters) == "one"
    put(parameters, Overwrite=True)
    assert describe(parameters)[0]["KeyId"] == "alias/aws/ssm"


def test_regions_and_arns(parameters: SSMClient, emulator: Emulator) -> None:
    """Parameters are regional, and can be read by ARN; a name has no meaning at its beginning but as a path."""
    put(parameters)
    put(parameters, "plain")
    other = open_store(emulator.url, "ssm", "us-east-1")
    assert describe(other) == []
    for name, arn_end in ((NAME, "parameter/keyspaces/jane"), ("plain", "parameter/plain"), ("/plain", "/plain")):
        arn = parameters.get_parameter(Name=name)["Parameter"]["ARN"]
        assert arn.startswith("arn:aws:ssm:eu-west-1:123456789012:parameter/")
        assert arn.endswith(arn_end)
        assert read(parameters, arn) == "one"
        assert read_error(other.get_parameter, Name=arn) == "ParameterNotFound"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Name": "a b"}, "ValidationException"),
        ({"Name": "a/b"}, "ValidationException"),
        ({"Name": "aws/x"}, "ValidationException"),
        ({"Name": "/SSM/x"}, "ValidationException"),
        ({"Name": ""}, "ValidationException"),
        ({"Value": "v" * 4097}, "ValidationException"),
        ({"Type": "Secure"}, "ValidationException"),
        ({"Type": "String", "KeyId": "alias/aws/ssm"}, "ValidationException"),
        ({"Tags": [{"Key": "a,b", "Value": ""}]}, "ValidationException"),
        ({"Tier": "Advanced"}, "InvalidAction"),
        ({"AllowedPattern": ".*"}, "InvalidAction"),
        ({"Overwrite": "yes"}, "SerializationException"),
    ],
)
def test_invalid_put(parameters: SSMClient, request_: dict[str, Any], code: str) -> None:
    """Invalid and unsupported parameters are rejected, and nothing is written."""
    valid = {"Name": "/a", "Value": "x", "Type": "SecureString"}
    assert read_error(parameters.put_parameter, **{**valid, **request_}) == code
    assert describe(parameters) == []


def test_type(parameters: SSMClient) -> None:
    """A parameter needs a type when it is created, and keeps it."""
    assert read_error(parameters.put_parameter, Name="a", Value="x") == "ValidationException"
    parameters.put_parameter(Name="a", Value="x", Type="String")
    assert parameters.put_parameter(Name="a", Value="y", Overwrite=True)["Version"] == 2
    assert parameters.get_parameter(Name="a")["Parameter"]["Value"] == "y"
    assert read_error(put, parameters=parameters, name="a", Overwrite=True) == "HierarchyTypeMismatchException"
