"""The embedded IAM for whoever needs an account."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import boto3
import botocore.session
import pytest
from hypothesis import settings

from iamcreds.emulator.server import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # a `make` that a test runs is nobody's child
    os.environ.pop(name, None)

# botocore keeps the models of AWS's services that it has read with its session, and every test begins new ones.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

# Machines differ in speed; CI looks at the same examples each time, a person's run at new ones.
settings.register_profile("any machine", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for temporary files that no other test process has: a person's runs keep notes for each other there."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr("tempfile.tempdir", folder)
        yield


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Emulator]:
    """The embedded IAM, one for all tests of a process."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(endpoint: Emulator) -> Emulator:
    """The embedded IAM, empty."""
    endpoint.controls.reset()
    return endpoint


@pytest.fixture
def iam(emulator: Emulator) -> IAMClient:
    """Somebody else who works on the account."""
    return boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1",
        aws_access_key_id="somebody", aws_secret_access_key="else",
    )  # fmt: skip


@pytest.fixture
def signed_in(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """The embedded IAM, empty, and an environment that leads to it and holds nothing of the person who tests."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("iamcreds.aws.notes.SHARED", tmp_path / "shared")
    for name, value in {
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    return emulator
