"""Secret stores in the IAM emulator, and clients of a different person who works on the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from iamcreds.aws import Account
from iamcreds.stores.deliveries import Deliveries
from iamcreds.stores.parameter_store import ParameterStore
from iamcreds.stores.secrets_manager import SecretsManager

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

    from iamcreds.emulator.server import Emulator

REGION = "eu-west-1"


@pytest.fixture
def account(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Return an account with a region, whose pauses, and those of botocore, take no time."""
    del signed_in  # is required to exist
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return Account(sleep=lambda _: None)


@pytest.fixture
def parameter_store(account: Account) -> ParameterStore:
    """Return Parameter Store."""
    return ParameterStore(account, REGION)


@pytest.fixture
def secrets_manager(account: Account) -> SecretsManager:
    """Return Secrets Manager."""
    return SecretsManager(account, REGION)


@pytest.fixture
def deliveries(account: Account) -> Deliveries:
    """Return the stores of a run."""
    return Deliveries(account)


@pytest.fixture
def ssm(signed_in: Emulator) -> SSMClient:
    """Return a different client of Parameter Store."""
    del signed_in
    return boto3.client("ssm", region_name=REGION)


@pytest.fixture
def secretsmanager(signed_in: Emulator) -> SecretsManagerClient:
    """Return a different client of Secrets Manager."""
    del signed_in
    return boto3.client("secretsmanager", region_name=REGION)


@pytest.fixture
def kms(signed_in: Emulator) -> KMSClient:
    """Return a different client of KMS."""
    del signed_in
    return boto3.client("kms", region_name=REGION)
