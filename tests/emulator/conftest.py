"""Fixtures for the IAM emulator, or for the endpoint that the contract tests use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.server import Emulator

# The tests need the endpoint's own responses: no validation by boto3, no retries, no waiting.
CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=20, connect_timeout=5)


def client(url: str, access_key_id: str = "AKIAIOSFODNN7EXAMPLE") -> IAMClient:
    """Return a client of an IAM emulator."""
    return boto3.client(
        "iam",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=access_key_id,
        aws_secret_access_key="unchecked",
        config=CONFIG,
    )


def open_store(url: str, service: str, region: str = "eu-west-1", *, read_timeout: float = 20) -> Any:  # noqa: ANN401 - the caller knows the service
    """Return a client of a secret store or of KMS in the IAM emulator."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="unchecked",
        config=CONFIG.merge(Config(read_timeout=read_timeout)),
    )


@pytest.fixture
def secrets(emulator: Emulator) -> SecretsManagerClient:
    """Return a client of Secrets Manager in the new IAM emulator."""
    client: SecretsManagerClient = open_store(emulator.url, "secretsmanager")
    return client


@pytest.fixture
def parameters(emulator: Emulator) -> SSMClient:
    """Return a client of Parameter Store in the new IAM emulator."""
    client: SSMClient = open_store(emulator.url, "ssm")
    return client


@pytest.fixture
def keys(emulator: Emulator) -> KMSClient:
    """Return a client of KMS in the new IAM emulator."""
    client: KMSClient = open_store(emulator.url, "kms")
    return client


@pytest.fixture
def iam_client() -> Callable[..., IAMClient]:
    """Return a function that creates clients of an IAM emulator, with an access key if it matters."""
    return client


@pytest.fixture
def iam(emulator: Emulator) -> IAMClient:
    """Return a client of the new IAM emulator."""
    return client(emulator.url)


@pytest.fixture
def controls(emulator: Emulator) -> Controls:
    """Return the controls of the new IAM emulator."""
    return emulator.controls


@pytest.fixture
def contract_iam(request: pytest.FixtureRequest) -> IAMClient:
    """Return a client of the endpoint that the contract tests use."""
    endpoint = os.environ.get("IAMCREDS_CONTRACT_ENDPOINT")
    if not endpoint:
        return client(request.getfixturevalue("emulator").url)
    # Region and credentials come from the default sources of all AWS tools.
    return boto3.client("iam", endpoint_url=None if endpoint == "aws" else endpoint, config=CONFIG)


@pytest.fixture
def new_user(contract_iam: IAMClient) -> Iterator[Callable[[], str]]:
    """Return a function that creates temporary users, and delete them with their resources afterwards."""
    names: list[str] = []

    def make() -> str:
        names.append(f"iamcreds-contract-{uuid4().hex[:12]}")
        contract_iam.create_user(UserName=names[-1])
        return names[-1]

    yield make
    for name in names:
        for left in (name, f"{name}-renamed"):
            remove(contract_iam, left)


@pytest.fixture
def user(new_user: Callable[[], str]) -> str:
    """Create a temporary user."""
    return new_user()


def remove(iam: IAMClient, user: str) -> None:
    """Delete a user with credentials and access keys, if the user exists."""
    try:
        credentials = iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
    except iam.exceptions.NoSuchEntityException:
        return
    for credential in credentials:
        credential_id = credential["ServiceSpecificCredentialId"]
        iam.delete_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential_id)
    for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user)
