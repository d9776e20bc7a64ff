"""`iamcreds validate`, run by its command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import click
import pytest
from click.testing import CliRunner, Result

from iamcreds.cli import main
from iamcreds.errors import AccountError

ACCOUNT = "account: 123456789012\n"
GOOD = "users: {jane: {credentials: [{service: codecommit}]}}\n" + ACCOUNT
DOUBTFUL = "users: {jane: {credentials: [{service: magic}]}}\n" + ACCOUNT
BAD = "users: {jane: {credentials: [{service: codecommit, stat: Active}, {}]}}\n"
EXAMPLES = Path(__file__).parents[2] / "specs"


class Validate(Protocol):
    """A function that runs `iamcreds validate`."""

    def __call__(self, text: str, *options: str, name: str = "a.yaml") -> Result:
        """Run the command with a file of that text in the current folder."""


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Validate:
    """Return the command, in a new folder."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, *options: str, name: str = "a.yaml") -> Result:
        Path(name).write_text(text, "utf-8")
        return CliRunner().invoke(main, ["validate", name, *options])

    return run


def test_good(validate: Validate) -> None:
    """Valid specs result in one line of numbers and exit code 0."""
    result = validate(GOOD)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "1 file, 1 user, 1 credential\n", "")


def test_bad(validate: Validate) -> None:
    """Errors go to stdout, one per line, and their number to stderr; the exit code is 1."""
    result = validate(BAD)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        'a.yaml:1:52: unknown key "stat"; did you mean "status"? [unknown-key]',
        'a.yaml:1:67: a credential lacks "service" [missing-key]',
    ]
    assert result.stderr == "2 problems\n"


def test_warnings_do_not_fail(validate: Validate) -> None:
    """A warning is printed as such, and the exit code is 0."""
    result = validate(DOUBTFUL)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        'a.yaml:1:40: warning: "magic" is not a service known to have such credentials [unknown-service]',
        "1 file, 1 user, 1 credential",
    ]


def test_allow_empty(validate: Validate) -> None:
    """Specs without users are an error, unless --allow-empty is set."""
    assert validate("users: {}\n").exit_code == 1
    result = validate(f"{ACCOUNT}users: {{}}\n", "--allow-empty")
    assert (result.exit_code, result.stdout) == (0, "1 file, 0 users, 0 credentials\n")


def test_no_account(validate: Validate) -> None:
    """Specs without an account are valid, with one warning at the first file that explains the risk."""
    result = validate("users: {jane: {credentials: []}}\n")
    warning, summary = result.stdout.splitlines()
    assert result.exit_code == 0
    assert warning.startswith("a.yaml:1:1: warning: no file declares the account of these specs: ")
    assert warning.endswith('account: "123456789012" prevents runs in any other account [no-account]')
    assert summary == "1 file, 1 user, 0 credentials"


def test_json(validate: Validate) -> None:
    """The JSON output is one document with the problems and, if the specs are valid, the numbers."""
    assert json.loads(validate(DOUBTFUL, "--format", "json").stdout) == {
        "files": 1,
        "users": 1,
        "credentials": 1,
        "problems": [
            {
                "file": "a.yaml",
                "line": 1,
                "column": 40,
                "severity": "warning",
                "rule": "unknown-service",
                "message": '"magic" is not a service known to have such credentials',
            },
        ],
    }
    assert len(json.loads(validate(BAD, "--format", "json").stdout)["problems"]) == 2


def test_github(validate: Validate) -> None:
    """The GitHub output annotates lines of a pull request, escaped for workflow commands."""
    result = validate("users: {jane%: {credentials: []}}\n", "--format", "github", name="a,b.yaml")
    message = '"jane%25" is not an IAM user name: 1 to 64 letters, digits and characters of _+=,.@-'
    assert result.stdout == f"::error file=a%2Cb.yaml,line=1,col=9,title=wrong-format::{message}\n"
    assert validate(DOUBTFUL, "--format", "github").stdout.startswith("::warning file=a.yaml,line=1,col=40,")


def test_missing_path() -> None:
    """A missing path is reported like any other error."""
    result = CliRunner().invoke(main, ["validate", "nowhere"])
    assert result.exit_code == 1
    assert (
        result.stdout == "nowhere:1:1: cannot be read: no such file or directory; `iamcreds skeleton` prints a"
        " sample spec [unreadable-file]\n"
    )


def test_version() -> None:
    """--version names the program and its version."""
    assert CliRunner().invoke(main, ["--version"]).stdout.startswith("iamcreds, version ")


def test_our_errors_are_one_sentence() -> None:
    """An error of iamcreds ends any command with one line on stderr and exit code 1."""

    @click.command()
    def fails() -> None:
        raise AccountError("AWS is not amused")

    result = CliRunner().invoke(type(main)(commands={"fails": fails}), ["fails"])
    assert (result.exit_code, result.stderr) == (1, "Error: AWS is not amused\n")


def test_needs_neither_pulumi_nor_aws() -> None:
    """Validation imports neither Pulumi nor any AWS client."""
    program = (
        "import sys\n"
        "from iamcreds.cli import main\n"
        "main(['validate', sys.argv[1]], standalone_mode=False)\n"
        "print(sorted({'pulumi', 'boto3', 'botocore', 'moto', 'grpc'} & sys.modules.keys()))\n"
    )
    command = [sys.executable, "-c", program, str(EXAMPLES)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.endswith("\n[]\n")


def test_broken_pipe(tmp_path: Path) -> None:
    """If the reader closes the pipe, as `head` does, no traceback is printed."""
    path = tmp_path / "a.yaml"
    path.write_text("users:\n" + "".join(f"  u{number}: {{}}\n" for number in range(5000)), "utf-8")
    command = [sys.executable, "-c", "from iamcreds.cli import main; main()", "validate", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_several_paths(validate: Validate) -> None:
    """Several files are read together, each once; a user in two files is an error."""
    Path("b.yaml").write_text(GOOD)
    done = validate(GOOD, "b.yaml", "a.yaml", "./a.yaml")
    assert done.exit_code == 1
    assert "b.yaml:1:9: " in done.stdout
    assert done.stderr == "1 problem\n"


def test_standard_input() -> None:
    """Standard input is read like a file, with `-` in source locations; input over the limit is rejected."""
    run = CliRunner()
    assert run.invoke(main, ["validate", "-"], input=GOOD).stdout.endswith("1 file, 1 user, 1 credential\n")
    assert run.invoke(main, ["validate", "-"], input=BAD).stdout.startswith("-:1:")
    assert "[too-large]" in run.invoke(main, ["validate", "-"], input="#" * 5_000_001).stdout
