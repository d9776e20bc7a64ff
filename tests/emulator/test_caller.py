"""Operations without a user name concern the caller, identified by the access key; only on the IAM emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator


@pytest.fixture
def jane(emulator: Emulator, iam: IAMClient, iam_client: Callable[..., IAMClient]) -> IAMClient:
    """Return a client with the access key of the user jane."""
    iam.create_user(UserName="jane")
    return iam_client(emulator.url, iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"])


def test_own_credentials(jane: IAMClient) -> None:
    """A user lists, updates, resets and deletes her own credentials without a user name."""
    made = jane.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    credential_id = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    jane.update_service_specific_credential(ServiceSpecificCredentialId=credential_id, Status="Inactive")
    jane.reset_service_specific_credential(ServiceSpecificCredentialId=credential_id)
    (found,) = jane.list_service_specific_credentials()["ServiceSpecificCredentials"]
    assert (found["UserName"], found["Status"]) == ("jane", "Inactive")
    jane.delete_service_specific_credential(ServiceSpecificCredentialId=credential_id)
    assert jane.list_service_specific_credentials()["ServiceSpecificCredentials"] == []


def test_own_access_keys(jane: IAMClient) -> None:
    """A user creates, lists, updates and deletes her own access keys without a user name."""
    key_id = jane.create_access_key()["AccessKey"]["AccessKeyId"]
    jane.update_access_key(AccessKeyId=key_id, Status="Inactive")
    keys = {key["AccessKeyId"]: key["Status"] for key in jane.list_access_keys()["AccessKeyMetadata"]}
    assert len(keys) == 2
    assert keys[key_id] == "Inactive"
    jane.delete_access_key(AccessKeyId=key_id)
    assert len(jane.list_access_keys()["AccessKeyMetadata"]) == 1


def test_using_a_key_is_its_last_use(jane: IAMClient) -> None:
    """A call with an access key is the last use of this key."""
    (key,) = jane.list_access_keys()["AccessKeyMetadata"]
    used = jane.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("iam", "us-east-1")
    assert used["LastUsedDate"] >= key["CreateDate"]


def test_nobody_calls(iam: IAMClient) -> None:
    """If the access key does not belong to a user, the user name is required."""
    for call in (iam.list_service_specific_credentials, iam.list_access_keys):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"] == {
            "Type": "Sender",
            "Code": "ValidationError",
            "Message": "Must specify userName when calling with non-User credentials",
        }


def test_create_needs_a_name(jane: IAMClient) -> None:
    """Only Create requires the user name, as in the service model."""
    with pytest.raises(ClientError, match="Value at 'userName' failed to satisfy constraint: Member must not be null"):
        jane.create_service_specific_credential(ServiceName="codecommit.amazonaws.com")  # type: ignore[call-arg]


def test_account(emulator: Emulator) -> None:
    """STS returns the account."""
    sts = boto3.client(
        "sts",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="unchecked",
    )
    assert sts.get_caller_identity()["Account"] == "123456789012"
