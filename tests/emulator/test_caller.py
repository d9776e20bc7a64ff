"""Operations without a user name are about the caller, who is known by the access key; on the embedded IAM only."""

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
    """A client with the access key of the user jane."""
    iam.create_user(UserName="jane")
    return iam_client(emulator.url, iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"])


def test_own_credentials(jane: IAMClient) -> None:
    """A user lists, switches, resets and deletes her own credentials without saying who she is."""
    made = jane.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    credential_id = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    jane.update_service_specific_credential(ServiceSpecificCredentialId=credential_id, Status="Inactive")
    jane.reset_service_specific_credential(ServiceSpecificCredentialId=credential_id)
    (found,) = jane.list_service_specific_credentials()["ServiceSpecificCredentials"]
    assert (found["UserName"], found["Status"]) == ("jane", "Inactive")
    jane.delete_service_specific_credential(ServiceSpecificCredentialId=credential_id)
    assert jane.list_service_specific_credentials()["ServiceSpecificCredentials"] == []


def test_own_access_keys(jane: IAMClient) -> None:
    """A user makes, lists, switches and deletes her own access keys without saying who she is."""
    key_id = jane.create_access_key()["AccessKey"]["AccessKeyId"]
    jane.update_access_key(AccessKeyId=key_id, Status="Inactive")
    keys = {key["AccessKeyId"]: key["Status"] for key in jane.list_access_keys()["AccessKeyMetadata"]}
    assert len(keys) == 2
    assert keys[key_id] == "Inactive"
    jane.delete_access_key(AccessKeyId=key_id)
    assert len(jane.list_access_keys()["AccessKeyMetadata"]) == 1


def test_using_a_key_is_its_last_use(jane: IAMClient) -> None:
    """A call made with an access key is that key's last use."""
    (key,) = jane.list_access_keys()["AccessKeyMetadata"]
    used = jane.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("iam", "us-east-1")
    assert used["LastUsedDate"] >= key["CreateDate"]


def test_nobody_calls(iam: IAMClient) -> None:
    """Where the access key is no user's, a user name is a must."""
    for call in (iam.list_service_specific_credentials, iam.list_access_keys):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"] == {
            "Type": "Sender",
            "Code": "ValidationError",
            "Message": "Must specify userName when calling with non-User credentials",
        }


def test_create_needs_a_name(jane: IAMClient) -> None:
    """Create alone has to be told the user, as the model says."""
    with pytest.raises(ClientError, match="Value at 'userName' failed to satisfy constraint: Member must not be null"):
        jane.create_service_specific_credential(ServiceName="codecommit.amazonaws.com")  # type: ignore[call-arg]


def test_account(emulator: Emulator) -> None:
    """STS says which account this is."""
    sts = boto3.client(
        "sts",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="unchecked",
    )
    assert sts.get_caller_identity()["Account"] == "123456789012"
