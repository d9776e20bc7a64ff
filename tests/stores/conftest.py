"""Fixtures with an account on the IAM emulator, and with the clients of a different person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from iamcreds.aws import Account

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.server import Emulator

REGION = "eu-west-1"


@pytest.fixture
def account(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Return an account whose pauses, and those of botocore, take no time."""
    del signed_in  # is required to exist
    monkeypatch.setattr("time.sleep", lambda _: None)
    return Account(sleep=lambda _: None)


@pytest.fixture
def secrets(signed_in: Emulator) -> SecretsManagerClient:
    """Return a client of Secrets Manager for manual changes."""
    client: SecretsManagerClient = open_client(signed_in, "secretsmanager")
    return client


@pytest.fixture
def kms(signed_in: Emulator) -> KMSClient:
    """Return a client of KMS."""
    client: KMSClient = open_client(signed_in, "kms")
    return client


def open_client(emulator: Emulator, service: str) -> Any:  # noqa: ANN401 - the caller knows the service
    """Return a client of a different person."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=emulator.url, region_name=REGION, aws_access_key_id="somebody", aws_secret_access_key="else",
    )  # fmt: skip
