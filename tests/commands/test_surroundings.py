"""Commands on a full disk, without a working directory, in ASCII and Latin-1 locales and in year 9999."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from iamcreds.cli import SUMMARIES, main
from iamcreds.emulator.account import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

SPECS = "users: {jane: {credentials: [{service: codecommit, reset: é→}], accessKeys: {maxAgeDays: 36600}}}"
URN = "urn:pulumi:test::p::pulumi-python:dynamic/iam:ServiceSpecificCredential::jane/codecommit"
STEP = {"op": "create", "urn": URN, "newState": {"type": URN.split("::")[2], "urn": URN, "inputs": {"user": "jané"}}}
STATE = {"deployment": {"resources": [{"urn": "é", "inputs": {"__provider": "x"}}]}}
COMMANDS = {
    "completion": "completion bash",
    "drift": "drift {specs}",
    "drift json": "drift {specs} --format json",
    "drift sarif": "drift {specs} --format sarif",
    "dump": "dump",
    "emulator": "emulator --port {port}",
    "init": "init {folder}/é→ --account 123456789012",
    "list": "list credentials --all-users",
    "list access-keys": "list access-keys --all-users --format yaml",
    "permissions": "permissions",
    "plan": "plan {folder}/preview.json",
    "query": "query --specs {specs} SELECT+*,'é→'+FROM+desired --format json",
    "report": "report {specs} --html {folder}/é.html",
    "schedule": "schedule {specs} --until 30d",
    "schedule ics": "schedule {specs} --until 30d --format ics",
    "secret": "secret é→",
    "skeleton": "skeleton",
    "state": "state check {folder}/state.json",
    "validate": "validate {specs}",
}
"""Words of each command, separated by spaces, with + in place of a space in a word."""
GONE = "Error: the working directory does not exist any more: change to a different one\n"
EACH = pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)


@pytest.fixture
def folder(signed_in: Emulator, iam: IAMClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files that the commands read, next to an account with a user and without an engine."""
    del signed_in
    iam.create_user(UserName="jane")
    (tmp_path / "specs.yaml").write_text(SPECS, "utf-8")
    (tmp_path / "preview.json").write_text(json.dumps({"steps": [STEP]}))
    (tmp_path / "state.json").write_text(json.dumps(STATE))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def run(
    words: str, folder: Path, output: io.TextIOWrapper | None = None, encoding: str = "utf-8"
) -> tuple[int, str, str]:
    """Run a command in this process; return exit code, output and errors, none a traceback."""
    port = os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2]  # which is taken, so that the emulator does not serve
    named = [word.format(folder=folder, specs=folder / "specs.yaml", port=port) for word in words.split(" ")]
    output = output or io.TextIOWrapper(io.BytesIO(), encoding)
    errors = io.TextIOWrapper(io.BytesIO(), encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", output)
        patch.setattr(sys, "stderr", errors)
        patch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            main([word.replace("+", " ") for word in named], prog_name="iamcreds")
    written = "utf-8" if encoding == "ascii" else encoding  # click takes ASCII for a mistake
    assert isinstance(ended.value.code, int)
    return ended.value.code, read(output, written), read(errors, written)


def read(stream: io.TextIOWrapper, encoding: str) -> str:
    """Return the text that a stream in memory got; nothing for a device."""
    return stream.buffer.getvalue().decode(encoding) if isinstance(stream.buffer, io.BytesIO) else ""


def list_commands(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
    """List the names of a command and of all commands below it."""
    yield names
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from list_commands(below, *names, name)


def test_every_command_is_here() -> None:
    """A new command has to be in the table of this module."""
    assert {words.split()[0] for words in COMMANDS.values()} == set(SUMMARIES)


@pytest.mark.parametrize("names", list(list_commands(main)), ids=" ".join)
def test_help_on_a_full_disk(names: tuple[str, ...], folder: Path) -> None:
    """The help of every command ends in one line if it cannot be written."""
    with Path("/dev/full").open("w") as full:
        code, _, errors = run(" ".join([*names, "--help"]), folder, full)
    assert (code, errors) == (1, "Error: cannot write the output: No space left on device\n")


@EACH
def test_full_disk(words: str, folder: Path) -> None:
    """Every command ends in one line if its output cannot be written; those that print nothing end as they do."""
    code, output, _ = run(words, folder)
    with Path("/dev/full").open("w") as full:
        full_code, _, errors = run(words.replace("é", "è"), folder, full)
    if output:
        assert full_code == 1
        assert errors.splitlines()[-1] == "Error: cannot write the output: No space left on device"
    else:
        assert full_code == code


def test_full_disk_at_the_end(folder: Path) -> None:
    """Python itself does not try again to write, and the exit code is 1."""
    program = "from iamcreds.cli import main; main(['skeleton'])"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, check=False, cwd=folder, timeout=60
        )
    assert (done.returncode, done.stderr) == (1, b"Error: cannot write the output: No space left on device\n")


@EACH
def test_removed_working_directory(words: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command works with absolute paths, or ends in one line that names the reason."""
    monkeypatch.chdir(folder)
    expected = run(words, folder)[0]
    (folder / "gone").mkdir()
    os.chdir(folder / "gone")
    (folder / "gone").rmdir()
    code, _, errors = run(words, folder)
    if code != expected:
        assert (code, errors) == (1, GONE)


@EACH
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_encodings(words: str, folder: Path, encoding: str) -> None:
    """Every command writes characters that the encoding lacks as escapes, which JSON and YAML understand."""
    code, output, errors = run(words, folder, encoding=encoding)
    assert code in {0, 1, 2}
    assert output or errors
    if words.endswith("json") and words.startswith("query"):
        assert json.loads(output)[0]["'é→'"] == "é→"


@EACH
def test_last_year(words: str, folder: Path, iam: IAMClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential of the last second of year 9999 is read as any other."""
    monkeypatch.setattr(CREDENTIALS, "_now", lambda: datetime.max.replace(tzinfo=UTC))
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    code, _, errors = run(words, folder)
    assert code in {0, 1, 2}
    assert "AWS" not in errors
