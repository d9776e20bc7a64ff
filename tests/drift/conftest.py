"""`iamcreds drift` by its own door, against the embedded IAM in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner

from iamcreds.cli import Commands
from iamcreds.commands.drift import command
from iamcreds.emulator.server import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_iam import IAMClient


@dataclass(frozen=True)
class Ran:
    """What a run came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON
        """What was printed, as JSON."""
        return json.loads(self.out)

    @property
    def found(self) -> list[tuple[str, str, str | None]]:
        """Rule, user and id of each finding of a JSON document."""
        return [(one["rule"], one["user"], one["id"]) for one in self.document["findings"]]


@dataclass(frozen=True)
class Drifting:
    """The command, and the specs that it is given."""

    specs: Path

    def declare(self, text: str) -> None:
        """Make this the specs."""
        self.specs.mkdir(exist_ok=True)
        (self.specs / "users.yaml").write_text(text)

    def run(self, *options: str) -> Ran:
        """Run it; it never ends in a traceback."""
        door = Commands("iamcreds", commands={"drift": command})
        result = CliRunner().invoke(door, ["drift", str(self.specs), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def json(self, *options: str) -> Ran:
        """Run it for a JSON document."""
        return self.run("--format", "json", *options)


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Emulator]:
    """The embedded IAM, one for all tests."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(endpoint: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """The embedded IAM, empty, and the environment that leads there."""
    endpoint.controls.reset()
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_IAM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    return endpoint


@pytest.fixture
def iam(emulator: Emulator) -> IAMClient:
    """Somebody else who works on the account."""
    return boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1",
        aws_access_key_id="somebody", aws_secret_access_key="else",
    )  # fmt: skip


@pytest.fixture
def drifting(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drifting:
    """The command in a folder of its own, on the empty account."""
    assert emulator.url
    monkeypatch.chdir(tmp_path)
    return Drifting(Path("specs"))
