"""The output of commands in a narrow and a wide terminal, with and without colors, and in a pipe."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.terminal import run_at_terminal

if TYPE_CHECKING:
    from iamcreds.emulator.server import Emulator

IAMCREDS = str(Path(sys.executable).parent / "iamcreds")
USER = "an-assistant-with-a-very-long-name+of.payments@example.com"
SPECS = f"users: {{jane: {{credentials: [{{service: bedrock}}]}}, {USER}: {{accessKeys: {{max: 0}}}}}}"
COMMANDS = {
    "list credentials --all-users": 2,
    f"list access-keys --user {USER}": 1,
    "query SELECT*FROM(service_specific_credentials)": 2,
    "drift specs": 2,
}
"""Commands, each with the minimum number of ids that it shows."""
ID = re.compile(r"\b(?:ACCA|AKIA)[A-Z0-9]{10,}\b")
WITHOUT_COLOURS = [{"NO_COLOR": "1"}, {"TERM": "dumb"}]


@pytest.fixture
def ids(signed_in: Emulator, tmp_path: Path) -> set[str]:
    """Create an account with long names, and specs in a folder; return every existing id."""
    iam = boto3.client("iam", region_name="us-east-1", endpoint_url=signed_in.url)
    for user in ("jane", USER):
        iam.create_user(UserName=user)
    made = [
        iam.create_service_specific_credential(UserName=user, ServiceName="codecommit.amazonaws.com")
        for user in ("jane", USER)
    ]
    key = iam.create_access_key(UserName=USER)["AccessKey"]["AccessKeyId"]
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/a.yaml").write_text(SPECS)
    return {key, *(one["ServiceSpecificCredential"]["ServiceSpecificCredentialId"] for one in made)}


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_at_a_terminal(command: str, columns: int, ids: set[str], tmp_path: Path) -> None:
    """No line is wider than the terminal, except commands to copy; ids are complete, with and without colors."""
    env = {**os.environ, "TERM": "xterm-256color"}
    shown = run_at_terminal([IAMCREDS, *command.split()], tmp_path, env, columns=columns, piped="stderr")
    lines = shown.text.rstrip("\n").split("\n")
    assert "\x1b[1m" in shown.drawn
    assert not re.search(r"\x1b\[[0-9;]*(?:33|37|34|36|9[0-7])m", shown.drawn)
    assert all(len(line) <= columns or re.match(f" +next: |login +{re.escape(USER)}", line) for line in lines)
    assert all(line == line.rstrip() for line in lines)
    assert lines[0]
    assert lines[-1]
    assert len(set(ID.findall(shown.text)) & ids) >= COMMANDS[command]
    for variables in WITHOUT_COLOURS:
        plain = run_at_terminal(
            [IAMCREDS, *command.split()], tmp_path, env | variables, columns=columns, piped="stderr"
        )
        assert "\x1b" not in plain.drawn
        assert set(ID.findall(plain.text)) == set(ID.findall(shown.text))


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("command", [*COMMANDS, "permissions", "skeleton", "validate specs", "dump", "--help"])
def test_in_a_pipe(command: str, tmp_path: Path) -> None:
    """In a pipe, output has no colors, even on request, and no line ends in spaces."""
    done = subprocess.run(
        [IAMCREDS, *command.split()], cwd=tmp_path, env=os.environ | {"FORCE_COLOR": "1", "TERM": "xterm-256color"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode in {0, 2}
    assert "\x1b" not in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())
