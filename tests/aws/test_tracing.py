"""`IAMCREDS_DEBUG=1` shows tracebacks and calls to AWS, but never a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.parsers import ResponseParserError
from click.testing import CliRunner

from iamcreds.aws import Account
from iamcreds.aws.tracing import trace_calls
from iamcreds.cli import main
from iamcreds.errors import AccountError, UnreachableError, format_traceback, is_debugging

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

CODECOMMIT = "codecommit.amazonaws.com"
LINE = re.compile(r"aws: (iam|sts):(\w+): HTTP (\d+) after \d+\.\d{3} s(, \d+ attempts)?, request [\w-]+")


@pytest.fixture
def debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of a developer of iamcreds."""
    monkeypatch.setenv("IAMCREDS_DEBUG", "1")


@pytest.mark.usefixtures("iam", "debugging")
def test_calls_are_shown(signed_in: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Every call is logged with operation, status, duration and request id, and without the secrets of its response."""
    account = Account()
    account.id()
    issued = account.credentials.create("jane", CODECOMMIT)
    account.credentials.change("jane", issued.credential.id, reset=True)
    shown = capsys.readouterr().err
    lines = [LINE.fullmatch(line) for line in shown.splitlines()]
    assert all(lines), shown
    operations = [line[2] for line in lines if line]
    assert operations[0] == "GetCallerIdentity"
    assert {"CreateServiceSpecificCredential", "ResetServiceSpecificCredential"} <= set(operations)
    assert len(signed_in.controls.secrets()) >= 2
    assert not any(secret in shown for secret in signed_in.controls.secrets())


@pytest.mark.usefixtures("debugging")
def test_refused_and_repeated_calls_are_shown(signed_in: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A rejected call is logged with its status, a repeated one with the number of attempts."""
    signed_in.controls.fail("sts:GetCallerIdentity", times=1)
    Account().id()
    with pytest.raises(AccountError):
        Account().credentials.create("nobody", CODECOMMIT)
    shown = capsys.readouterr().err
    assert re.search(r"aws: sts:GetCallerIdentity: HTTP 200 after .*, 2 attempts, request", shown)
    assert re.search(r"aws: iam:\w+: HTTP 404 after", shown)
    assert "1 attempts" not in shown


@pytest.mark.usefixtures("debugging")
def test_calls_without_an_answer_are_shown(signed_in: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A call without a response is logged with the type of the error."""
    signed_in.controls.drop("sts:GetCallerIdentity", times=50)
    with pytest.raises(UnreachableError):
        Account().id()
    assert re.fullmatch(
        r"aws: sts:GetCallerIdentity: no response \(ConnectionClosedError\) after .* s\n", capsys.readouterr().err
    )


@pytest.mark.usefixtures("iam", "signed_in")
def test_off_by_default(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, or with any other value, nothing is logged."""
    for value in ("", "0"):
        monkeypatch.setenv("IAMCREDS_DEBUG", value)
        Account().credentials.create("jane", CODECOMMIT)
        assert not is_debugging()
    monkeypatch.delenv("IAMCREDS_DEBUG")
    Account().id()
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("signed_in")
def test_calls_are_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A session that is traced twice logs each call once."""
    session = boto3.Session(region_name="us-east-1")
    trace_calls(session)
    trace_calls(session)
    session.client("sts").get_caller_identity()
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("iam", "debugging")
def test_command(signed_in: Emulator, iam: IAMClient) -> None:
    """A command logs its calls to standard error, so that its output stays machine-readable."""
    iam.create_access_key(UserName="jane")
    done = CliRunner().invoke(main, ["list", "access-keys", "--user", "jane", "--format", "json"])
    assert done.exit_code == 0
    assert "aws: iam:ListAccessKeys: HTTP 200" in done.stderr
    assert "aws:" not in done.stdout
    assert not any(secret in done.output for secret in signed_in.controls.secrets())


@pytest.mark.parametrize("value", ["1", ""])
def test_command_that_fails(value: str, signed_in: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that fails always prints its error, and with `IAMCREDS_DEBUG=1` the traceback with its causes."""
    monkeypatch.setenv("IAMCREDS_DEBUG", value)
    signed_in.controls.fail("sts:GetCallerIdentity", times=50, status=403, code="ExpiredToken", message="too old")
    done = CliRunner().invoke(main, ["list", "credentials"])
    assert done.exit_code == 1
    assert "Error: reading the AWS account ID: AWS error ExpiredToken: too old" in done.stderr
    assert ("iamcreds/aws/" in done.stderr) is bool(value)
    assert ("which led to" in done.stderr) is bool(value)


def test_traceback_keeps_texts_of_others_back() -> None:
    """A traceback shows the types of all causes, but only the texts of our errors: others may quote a password."""
    error = AccountError("creating a credential of jane: the response cannot be read")
    error.__context__ = ResponseParserError("<ServicePassword>hunter2</ServicePassword>")
    assert format_traceback(error) == (
        "ResponseParserError (its text is not shown)\n\nwhich led to\n\n"
        "AccountError: creating a credential of jane: the response cannot be read\n"
    )
