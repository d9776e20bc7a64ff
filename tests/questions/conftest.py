"""The command line against the embedded IAM."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import boto3
import pytest
from click.testing import CliRunner, Result

from iamcreds.cli import main
from iamcreds.emulator.server import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient


class Run(Protocol):
    """Runs `iamcreds`."""

    def __call__(self, *words: str) -> Result:
        """What the command came to; it may fail, but never with a traceback or a secret."""


@pytest.fixture(scope="package")
def endpoint() -> Iterator[Emulator]:
    """The embedded IAM, one for all tests."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(endpoint: Emulator) -> Emulator:
    """The embedded IAM, empty."""
    endpoint.controls.reset()
    return endpoint


@pytest.fixture
def iam(emulator: Emulator) -> IAMClient:
    """Somebody who fills the account."""
    return boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1",
        aws_access_key_id="somebody", aws_secret_access_key="else",
    )  # fmt: skip


@pytest.fixture
def run(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """The command, with nothing of the person who runs the tests; in the end no secret may have been printed."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []

    def call(*words: str) -> Result:
        result = CliRunner().invoke(main, words)
        printed.append(result.output)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    yield call
    issued = emulator.controls.secrets()
    assert not any(secret in text for text in printed for secret in issued)
