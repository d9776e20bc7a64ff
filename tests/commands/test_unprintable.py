"""Commands that get unprintable characters from arguments, files, IAM and the engine."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from iamcreds.aws.listing import Page
from iamcreds.aws.tracing import trace_calls
from iamcreds.cli import main
from iamcreds.commands.list import _print_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNPRINTABLE = [
    "\x1b", "\x07", "\x7f", "\x9b", "\x85", "\u061c", "\u200b", "\u200e", "\u202e", "\u2028", "\u2066", "\ufeff",
    "\r", "\t", "\n::error::", "\udc9b",
]  # fmt: skip
"""The last one is a byte that is not UTF-8, as Python decodes it in arguments and file names."""
COMMANDS = {
    "command": ["{}"],
    "option before a command": ["--{}"],
    "option": ["validate", "--{}"],
    "option of a command that may find something": ["drift", ".", "--{}"],
    "argument": ["skeleton", "{}"],
    "file": ["plan", "{}"],
    "state": ["state", "check", "{}"],
    "specs": ["validate", "{}"],
    "specs to compare": ["drift", "{}"],
    "folder of a project": ["init", "{}", "--account", "123456789012"],
    "account of a project": ["init", "x", "--account", "{}"],
    "file of a project": ["init", "x", "--account", "123456789012", "--overwrite", "{}"],
    "user": ["list", "credentials", "--user", "{}"],
    "choice": ["query", "SELECT 1", "--format", "{}"],
    "statement": ["query", "SELECT {}"],
    "marker of a comment": ["plan", "preview.json", "--marker", "{}"],
    "commit": ["plan", "preview.json", "--commit", "{}"],
    "limit": ["plan", "preview.json", "--max-removals", "{}"],
    "time": ["drift", ".", "--expiring-within", "{}"],
    "date": ["schedule", ".", "--until", "{}"],
    "specs of a schedule": ["schedule", "{}", "--until", "30d"],
    "account of a policy": ["permissions", "--account", "{}"],
    "credential": ["secret", "{}"],
    "shell": ["completion", "{}"],
    "address": ["report", ".", "--html", "x.html", "--notify", "{}://x"],
}
CHARACTERS = pytest.mark.parametrize("character", UNPRINTABLE, ids=ascii)


def assert_printable(text: str) -> None:
    """Assert that each character is printable, and that no line is a workflow command."""
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)
        assert not line.lstrip().startswith("::")


def call(*words: str, given: str | bytes = "") -> Result:
    """Run `iamcreds` as in a terminal, where click removes no escape sequence."""
    result = CliRunner().invoke(main, words, input=given, color=True)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.usefixtures("signed_in")
@CHARACTERS
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_arguments(words: list[str], character: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Output and errors contain no unprintable characters of arguments, whether they are rejected or printed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "preview.json").write_text(json.dumps({"steps": []}))
    output = call(*(word.format(f"x{character}y") for word in words)).output
    assert output
    assert_printable(output)


@pytest.mark.usefixtures("signed_in")
@CHARACTERS
def test_report(character: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file name of the page is printed without unprintable characters."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs.yaml").write_text("users: {}")
    done = call("report", "specs.yaml", "--allow-empty", "--html", f"x{character}y.html")
    assert "wrote x" in done.output
    assert_printable(done.output)


@pytest.mark.usefixtures("signed_in")
@CHARACTERS
def test_files_that_are_there(character: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repeated `init` and a failed `dump` print file names without unprintable characters."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        done = call("init", f"x{character}y", "--account", "123456789012")
        assert done.output.count("specs/schema.json: ") == 1
        assert_printable(done.output)
    (tmp_path / f"y{character}z").write_text("")
    assert_printable(call("dump", "--to", f"y{character}z").output)


@CHARACTERS
def test_state(character: str) -> None:
    """The URNs of a hostile state are printed without unprintable characters."""
    resource = {"urn": f"urn:pulumi:p{character}", "inputs": {"__provider": character}}
    done = call("state", "check", "-", given=json.dumps({"deployment": {"resources": [resource]}}))
    assert "unknown code: urn:pulumi:p" in done.output
    assert_printable(done.output)


@CHARACTERS
def test_preview(character: str) -> None:
    """Messages and names of a preview are printed without unprintable characters, in the comment and in the error."""
    urn = f"urn:pulumi:{character}::{character}::pulumi:pulumi:Stack::x"
    said = [{"severity": severity, "message": f"x{character}y"} for severity in ("error", "warning")]
    preview = {"steps": [{"op": "create", "urn": urn}], "diagnostics": said}
    done = call("plan", "-", "--marker", "prod", given=json.dumps(preview))
    assert "**The preview failed**" in done.output
    assert_printable(done.output)
    assert_printable(call("plan", "-", given=json.dumps(preview)).output)
    assert_printable(call("plan", "-", given=json.dumps(preview | {character: 1})).output)


@CHARACTERS
def test_git(character: str) -> None:
    """A request of git is rejected without unprintable characters, and the host is quoted only if it has none."""
    request = f"protocol=https\nhost=evil{character}example\n"
    done = call("secret", "x", "get", "--as", "git-credential", given=request.encode(errors="surrogateescape"))
    assert "no password for git: " in done.output
    assert_printable(done.output)


@CHARACTERS
def test_marker(character: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The marker that an endpoint sends is printed without unprintable characters."""
    _print_page("access_keys", "access_keys", Page((), f"x{character}y"), "table")
    printed = capsys.readouterr().err
    assert "--marker x" in printed
    assert_printable(printed)


@CHARACTERS
def test_trace(character: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The request id that an endpoint sends is printed without unprintable characters."""
    handlers: dict[str, Callable[..., None]] = {}
    register = lambda event, write, unique_id: handlers.update({event: write})  # noqa: E731, ARG005 - as botocore calls it
    trace_calls(SimpleNamespace(events=SimpleNamespace(register=register)))  # type: ignore[arg-type]
    context: dict[str, object] = {}
    model = SimpleNamespace(service_model=SimpleNamespace(service_name="iam"), name="GetUser")
    handlers["before-call"](model=model, context=context)
    parsed = {"ResponseMetadata": {"HTTPStatusCode": 200, "RequestId": f"x{character}y"}}
    handlers["after-call"](parsed=parsed, context=context)
    printed = capsys.readouterr().err
    assert "request x" in printed
    assert_printable(printed)
