"""Fixtures with the IAM emulator for tests that need an account."""

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

for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # a `make` run by a test must not inherit these
    os.environ.pop(name, None)

# botocore caches the models of AWS's services in its session, and every test starts new sessions.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

# Machines differ in speed. CI uses the same examples each time, and local runs use new ones.
settings.register_profile("any machine", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Create a folder for temporary files of this process only, because test runs of a user keep shared notes there."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr("tempfile.tempdir", folder)
        yield


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Emulator]:
    """Start the IAM emulator, one for all tests of a process."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(endpoint: Emulator) -> Emulator:
    """Return the IAM emulator without data."""
    endpoint.controls.reset()
    return endpoint


@pytest.fixture
def iam(emulator: Emulator) -> IAMClient:
    """Return a client of a different person who works on the account."""
    return boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1",
        aws_access_key_id="somebody", aws_secret_access_key="else",
    )  # fmt: skip


@pytest.fixture
def signed_in(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """Return the empty IAM emulator, with an environment that points to it and contains no settings of the tester."""
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
