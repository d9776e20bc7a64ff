"""`iamcreds drift` by its own door, against the embedded IAM in this process."""

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
    """What a run came to."""

    code: int
    out: str
    err: str

    @property
    def account(self) -> Any:  # noqa: ANN401 - JSON
        """The only account of the JSON document that was printed."""
        (account,) = json.loads(self.out)["accounts"]
        return account

    @property
    def found(self) -> list[tuple[str, str, str | None]]:
        """Rule, user and id of each difference of a JSON document."""
        return [(found["rule"], found["user"], found["id"]) for found in self.account["differences"]]


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


@pytest.fixture
def drifting(signed_in: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drifting:
    """The command in a folder of its own, on the empty account."""
    assert signed_in.url
    monkeypatch.chdir(tmp_path)
    return Drifting(Path("specs"))
