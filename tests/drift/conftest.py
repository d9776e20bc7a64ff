"""Fixtures that run `iamcreds drift` by its command line on the IAM emulator in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from iamcreds.cli import Commands
from iamcreds.commands.drift import command

if TYPE_CHECKING:
    from iamcreds.emulator.server import Emulator


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a run."""

    code: int
    out: str
    err: str

    @property
    def account(self) -> Any:  # noqa: ANN401 - JSON
        """Return the only account of the printed JSON document."""
        (account,) = json.loads(self.out)["accounts"]
        return account

    @property
    def found(self) -> list[tuple[str, str, str | None]]:
        """Return the rule, user and id of each difference in a JSON document."""
        return [(found["rule"], found["user"], found["id"]) for found in self.account["differences"]]


@dataclass(frozen=True)
class Drifting:
    """The command with its specs."""

    specs: Path

    def declare(self, text: str) -> None:
        """Replace the specs."""
        self.specs.mkdir(exist_ok=True)
        (self.specs / "users.yaml").write_text(text)

    def run(self, *options: str) -> Ran:
        """Run the command and assert that it ends without a traceback."""
        door = Commands("iamcreds", commands={"drift": command})
        result = CliRunner().invoke(door, ["drift", str(self.specs), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def json(self, *options: str) -> Ran:
        """Run the command with JSON output."""
        return self.run("--format", "json", *options)


@pytest.fixture
def drifting(signed_in: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drifting:
    """Return the command in a new folder, on the empty account."""
    assert signed_in.url
    monkeypatch.chdir(tmp_path)
    return Drifting(Path("specs"))
