"""`iamcreds query`."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.due_dates import compute_spread
from iamcreds.resource_types import CREDENTIAL_TYPE
from iamcreds.state.providers import serialize_by_reference
from tests.e2e.existing import list_credentials

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.commands.conftest import Run

SPECS = """\
account: "123456789012"
users:
  jane: {credentials: [{service: codecommit}, {service: keyspaces, status: Active}], accessKeys: {max: 1}}
  leaver: {credentials: []}
"""
CALLER = "sts:GetCallerIdentity"
PROVIDER = serialize_by_reference(
    "dynamic_providers.service_specific_credential", "ServiceSpecificCredentialProvider", 4
)


@pytest.fixture
def team(iam: IAMClient, emulator: Emulator) -> None:
    """Create users: jane has two old credentials for one service and a key; eve, who is undeclared, has one of each."""
    emulator.controls.set(clock_shift=-200 * 86_400)
    for user in ("jane", "eve", "leaver"):
        iam.create_user(UserName=user)
    for user in ("jane", "jane", "eve"):
        iam.create_service_specific_credential(UserName=user, ServiceName="codecommit.amazonaws.com")
    iam.create_access_key(UserName="jane")
    emulator.controls.set(clock_shift=0)
    iam.create_access_key(UserName="eve")
    emulator.controls.clear_counts()


@pytest.fixture
def specs(tmp_path: Path) -> str:
    """Write specs for jane and a leaver."""
    path = tmp_path / "specs.yaml"
    path.write_text(SPECS, "utf-8")
    return str(path)


def rows(run: Run, statement: str, *options: str) -> list[dict[str, Any]]:
    """Return the rows of JSON output, and assert that the query succeeds."""
    result = run("query", statement, "--format", "json", *options)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def write_state(path: Path, issued: dict[str, str | None], account: str = "123456789012") -> None:
    """Write a state with jane's credentials of these ids, each with the time of its last reset."""
    resources = [
        {
            "urn": f"urn:pulumi:test::iamcreds::{CREDENTIAL_TYPE}::jane/codecommit/{credential_id}",
            "type": CREDENTIAL_TYPE,
            "inputs": {"__provider": PROVIDER},
            "outputs": {
                "credential_id": credential_id,
                "user": "jane",
                "service": "codecommit.amazonaws.com",
                "create_date": "2026-05-01T00:00:00+00:00",
                "account_id": account,
            }
            | ({} if issued_at is None else {"issued_at": issued_at}),
        }
        for credential_id, issued_at in issued.items()
    ]
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}), "utf-8")


def examples() -> dict[str, list[str]]:
    """Return the examples of the help: the question, and the words after `iamcreds`."""
    shown = CliRunner().invoke(main, ["query", "--help"]).stdout.partition("Examples:\n")[2].partition("\nOptions:")[0]
    pairs = re.findall(r"^    (\S.*):\n      iamcreds (query [^\"]*)\"([^\"]*)\"", shown, re.MULTILINE)
    return {question: [*words.split(), statement] for question, words, statement in pairs}


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize(
    ("question", "users"),
    [
        ("Users with active access keys older than 90 days", ["jane"]),
        ("Credentials of undeclared users", ["eve"]),
        ("Two credentials of one user and service", ["jane"]),
        ("Declared credentials that do not exist", ["jane"]),
        ("Active Bedrock API keys", []),
        ("Passwords older than 90 days, or of unknown age and created before", ["eve", "jane"]),
        ("Rotations due within a month", []),
        ("Passwords that only the state has", []),
        ("Credentials that expire within a month, as CSV", []),
    ],
)
def test_examples(run: Run, iam: IAMClient, tmp_path: Path, question: str, users: list[str]) -> None:
    """The examples of the help return the described rows."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.yaml").write_text(SPECS, "utf-8")
    ids = [credential["ServiceSpecificCredentialId"] for credential in list_credentials(iam, "jane")]
    write_state(tmp_path / "state.json", {ids[0]: "2026-11-29T10:00:00+00:00", ids[1]: None})
    assert set(examples()) == {
        "Users with active access keys older than 90 days",
        "Credentials of undeclared users",
        "Two credentials of one user and service",
        "Declared credentials that do not exist",
        "Active Bedrock API keys",
        "Passwords older than 90 days, or of unknown age and created before",
        "Rotations due within a month",
        "Passwords that only the state has",
        "Credentials that expire within a month, as CSV",
    }
    result = run(*[word for word in examples()[question] if word not in {"--format", "csv"}], "--format", "json")
    assert result.exit_code == 0, result.output
    assert sorted(row["user"] for row in json.loads(result.stdout)) == users


@pytest.mark.usefixtures("team")
def test_issued_at(run: Run, iam: IAMClient, tmp_path: Path) -> None:
    """The state has the time of the last reset; it is NULL if the state is old, and without a state."""
    ids = [credential["ServiceSpecificCredentialId"] for credential in list_credentials(iam, "jane")]
    state = tmp_path / "state.json"
    write_state(state, {ids[0]: "2026-11-29T10:00:00+00:00", ids[1]: None})
    statement = "SELECT id, issued_at FROM service_specific_credentials WHERE user = 'jane'"
    found = {row["id"]: row["issued_at"] for row in rows(run, statement, "--state", str(state))}
    assert found == {ids[0]: "2026-11-29 10:00:00", ids[1]: None}
    assert {row["issued_at"] for row in rows(run, statement)} == {None}


@pytest.mark.usefixtures("team")
def test_rejected_states(run: Run, iam: IAMClient, tmp_path: Path) -> None:
    """A state of a different account, one with unknown code, and a file that is not a state are errors."""
    ids = [credential["ServiceSpecificCredentialId"] for credential in list_credentials(iam, "jane")]
    state = tmp_path / "state.json"
    statement = "SELECT id FROM service_specific_credentials"
    write_state(state, {ids[0]: None}, account="210987654321")
    result = run("query", statement, "--state", str(state))
    assert (result.exit_code, "this state is of account 210987654321" in result.stderr) == (1, True)
    state.write_text(state.read_text().replace(json.dumps(PROVIDER), '"gASVAAAA"'))
    result = run("query", statement, "--state", str(state))
    assert (result.exit_code, "unknown code" in result.stdout) == (2, True)
    state.write_text("{}")
    assert run("query", statement, "--state", str(state)).exit_code == 1


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize(
    ("statement", "calls"),
    [
        ("SELECT 1", {}),
        ("SELECT count(*) FROM users", {"iam:ListUsers": 1, CALLER: 1}),
        ("SELECT count(*) FROM service_specific_credentials", {"iam:ListServiceSpecificCredentials": 1, CALLER: 1}),
        (
            "SELECT id FROM access_keys JOIN users USING (user)",
            {"iam:GetAccessKeyLastUsed": 2, "iam:ListAccessKeys": 3, "iam:ListUsers": 1, CALLER: 1},
        ),
    ],
)
def test_only_what_is_asked_for_is_read(run: Run, emulator: Emulator, statement: str, calls: dict[str, int]) -> None:
    """Only the tables in the statement are read from the account, and users only once."""
    rows(run, statement)
    assert emulator.controls.counts() == calls


def test_desired_needs_no_aws(run: Run, specs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query that only reads the specs needs neither an endpoint nor credentials."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    found = rows(run, "SELECT user, service, status, max_keys, line FROM desired", "--specs", specs)
    assert [tuple(row.values()) for row in found] == [
        ("jane", "cassandra.amazonaws.com", "Active", 1, 3),
        ("jane", "codecommit.amazonaws.com", None, 1, 3),
        ("leaver", "", None, None, 4),
    ]


@pytest.mark.usefixtures("team")
def test_formats(run: Run) -> None:
    """The result is available in every format."""
    statement = "SELECT user, count(*) AS live FROM service_specific_credentials GROUP BY user"
    assert run("query", statement).stdout == "user  live\neve   1\njane  2\n"
    assert run("query", statement, "--format", "csv").stdout == "user,live\neve,1\njane,2\n"
    assert run("query", statement, "--format", "yaml").stdout == '- user: "eve"\n  live: 1\n- user: "jane"\n  live: 2\n'
    assert rows(run, statement) == [{"user": "eve", "live": 1}, {"user": "jane", "live": 2}]


@pytest.mark.usefixtures("team")
def test_same_bytes(run: Run) -> None:
    """Without ORDER BY, the order of rows is stable."""
    for table in ("service_specific_credentials", "access_keys", "users"):
        first, second = (run("query", f"SELECT * FROM {table}").stdout for _ in range(2))  # noqa: S608 - our tables
        assert first == second
        users = [line.split()[0] for line in first.splitlines()[1:]]
        assert users == sorted(users)
        assert users


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELEC", 'cannot run the query: near "SELEC": syntax error. Run `iamcreds query --help` for examples'),
        ("DELETE FROM users", "cannot run the query: only a single SELECT statement is allowed"),
        ("PRAGMA query_only = OFF", "cannot run the query: only a single SELECT statement is allowed"),
        (
            "SELECT secret FROM access_keys",
            "cannot run the query: no such column: secret. Run `iamcreds query --help` to list the columns",
        ),
    ],
)
def test_bad_statements(run: Run, emulator: Emulator, statement: str, message: str) -> None:
    """Invalid SQL and any statement that could change data are one-line errors with exit code 1, without a call."""
    result = run("query", statement)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {message}\n")
    assert emulator.controls.counts() == {}


def test_endless(run: Run) -> None:
    """A statement that does not end is interrupted."""
    statement = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    result = run("query", statement, "--timeout", "0.2")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        result.stderr == "Error: the query did not end within 0.2 s. Options: limit its rows, or increase --timeout\n"
    )


def test_wrong_account(run: Run, specs: str) -> None:
    """Specs for a different account are not compared with this one."""
    Path(specs).write_text(SPECS.replace("123456789012", "210987654321"), "utf-8")
    result = run("query", "SELECT * FROM users JOIN desired USING (user)", "--specs", specs)
    assert result.exit_code == 1
    assert "belong to account 123456789012, but the specs are for account 210987654321" in result.stderr


def test_bad_specs(run: Run, specs: str) -> None:
    """Invalid specs are an error that lists every problem, and the query does not run."""
    Path(specs).write_text("users: {jane: {credential: []}}\n", "utf-8")
    result = run("query", "SELECT 1", "--specs", specs)
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'unknown key "credential"; did you mean "credentials"? [unknown-key]' in result.stderr


@pytest.mark.usefixtures("team")
def test_endpoint_without_all_users(run: Run, emulator: Emulator) -> None:
    """On an endpoint without AllUsers, users are read one by one, and the result is complete."""
    emulator.controls.set(all_users=False)
    found = rows(run, "SELECT user FROM service_specific_credentials")
    assert [row["user"] for row in found] == ["eve", "jane", "jane"]


@pytest.mark.usefixtures("team")
def test_fault_in_the_middle(run: Run, emulator: Emulator) -> None:
    """A user whose keys cannot be read is an error, because a partial result would be wrong."""
    emulator.controls.fail("iam:ListAccessKeys", call=2, status=400, code="InvalidInput", message="no more")
    result = run("query", "SELECT count(*) FROM access_keys")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "AWS error InvalidInput: no more" in result.stderr


@pytest.mark.usefixtures("team")
def test_short_name(run: Run) -> None:
    """A short name compared with a full one is a warning on standard error, and the rows do not change."""
    result = run("query", "SELECT id FROM service_specific_credentials WHERE service = 'codecommit'")
    assert (result.exit_code, result.stdout) == (0, "id\n")
    assert result.stderr == (
        "warning: the query compares 'codecommit' with 'codecommit.amazonaws.com', which are not equal;"
        " column service_short_name has the short names of services\n"
    )
    statement = "SELECT count(*) AS live FROM service_specific_credentials WHERE service_short_name = 'codecommit'"
    assert rows(run, statement) == [{"live": 3}]


def test_terminal() -> None:
    """In a terminal, the column names of a table are bold."""
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from iamcreds.cli import main; main()",
                "query",
                "SELECT 'jane' AS user, NULL AS id",
            ],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            env={"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "40", "PYTHONIOENCODING": "utf-8"},
            check=True,
            timeout=60,
        )
        shown = os.read(ours, 10_000).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    lines = re.sub("\x1b\\[[0-9;]*m", "", shown).splitlines()
    assert lines == ["user  id", "jane  -"]
    assert shown.startswith("\x1b[1muser")


def test_expiry(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential with `renewBefore` is one row with its declared name, its lifetime and its renewal time."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    (tmp_path / "a.yaml").write_text(
        "users: {jane: {credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 2w}}, {service: logs}]}}"
    )
    statement = "SELECT resource, expire_after_days, renew_before_hours FROM desired WHERE expire_after_days > 8"
    expected = {"resource": "jane/bedrock", "expire_after_days": 90, "renew_before_hours": 336}
    assert rows(run, statement, "--specs", str(tmp_path)) == [expected]
    others = rows(run, "SELECT resource FROM desired WHERE renew_before_hours IS NULL", "--specs", str(tmp_path))
    assert others == [{"resource": "jane/logs"}]


ROTATING = """\
account: "123456789012"
users:
  jane:
    credentials:
      - {service: codecommit, name: ACCA1111111111111111, rotate: {every: 90d, overlap: 7d}}
      - service: keyspaces
        rotate: {trigger: a, overlap: 12h, retireWhen: {read: true, by: 2d}}
        deliver: {secretsManager: {name: keys}}
      - {service: logs}
"""


def test_rotation_due(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The date of the next rotation, with its spread, needs the state and no request to AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    specs, state = tmp_path / "specs.yaml", tmp_path / "state.json"
    specs.write_text(ROTATING)
    write_state(state, {"ACCA1111111111111111": "2026-11-29T10:00:00+00:00"})
    statement = (
        "SELECT service_short_name AS name, rotate_every_hours AS every, rotate_overlap_hours AS overlap,"
        " rotate_retire_by_hours AS latest, rotation_due FROM desired"
    )
    unknown = rows(run, statement, "--specs", str(specs))
    assert [tuple(row.values()) for row in unknown] == [
        ("keyspaces", None, 12, 48, None),
        ("codecommit", 2160, 168, None, None),
        ("logs", None, None, None, None),
    ]
    known = rows(run, statement, "--specs", str(specs), "--state", str(state))
    dates = {row["name"]: row["rotation_due"] for row in known}
    early = 0.05 + 0.1 * compute_spread("123456789012", "jane/codecommit/ACCA1111111111111111")
    due = datetime(2026, 11, 29, 10) + timedelta(days=90) * (1 - early)  # noqa: DTZ001 - printed without an offset
    assert dates == {"keyspaces": None, "codecommit": f"{due:%Y-%m-%d %H:%M:%S}", "logs": None}
    write_state(state, {"ACCA1111111111111111": None}, account="210987654321")
    result = run("query", statement, "--specs", str(specs), "--state", str(state))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "this state is of account 210987654321, but the specs are for account 123456789012" in result.stderr
