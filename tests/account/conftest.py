"""An `Account` against the embedded IAM, with time that does not pass by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from iamcreds.account import Account
from iamcreds.emulator.server import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_iam import IAMClient


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Emulator]:
    """The embedded IAM, one for a file of tests."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(endpoint: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The embedded IAM, empty, and the environment that leads to it."""
    endpoint.controls.reset()
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return endpoint


@pytest.fixture
def iam(emulator: Emulator) -> IAMClient:
    """Somebody else who works on the account, with a user jane."""
    client = boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_user(UserName="jane")
    return client


@pytest.fixture
def slept() -> list[float]:
    """The seconds that the account has waited."""
    return []


@pytest.fixture
def account(emulator: Emulator, slept: list[float]) -> Account:
    """The account; waiting takes no time."""
    del emulator  # only has to be there
    return Account(sleep=slept.append)
