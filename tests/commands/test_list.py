"""`iamcreds list`."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from click.testing import Result
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.commands.conftest import Run

COLUMNS = ["user", "service", "id", "status", "created", "expires", "family", "login"]
LISTING = "iam:ListServiceSpecificCredentials"


@pytest.fixture
def team(iam: IAMClient) -> None:
    """Create credentials: jane has three, joe has an inactive one, and ann has none."""
    for user in ("jane", "joe", "ann"):
        iam.create_user(UserName=user)
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    iam.create_service_specific_credential(UserName="jane", ServiceName="bedrock.amazonaws.com", CredentialAgeDays=30)
    made = iam.create_service_specific_credential(UserName="joe", ServiceName="cassandra.amazonaws.com")
    iam.update_service_specific_credential(
        UserName="joe",
        ServiceSpecificCredentialId=made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"],
        Status="Inactive",
    )


@pytest.fixture
def keys(iam: IAMClient, emulator: Emulator) -> dict[str, str]:
    """Create five users with an access key each, of which the third is used; return the keys by user."""
    made = {}
    for number in range(5):
        iam.create_user(UserName=f"u{number}")
        made[f"u{number}"] = iam.create_access_key(UserName=f"u{number}")["AccessKey"]["AccessKeyId"]
    emulator.controls.use_access_key(made["u2"], datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), "s3", "eu-west-1")
    return made


def found(result: Result, name: str = "credentials") -> list[dict[str, Any]]:
    """Return the rows of JSON output."""
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)[name]
    return rows


@pytest.mark.usefixtures("team")
def test_one_user(run: Run) -> None:
    """--user lists that user's credentials, sorted, with every field that IAM returns."""
    rows = found(run("list", "credentials", "--user", "jane", "--format", "json"))
    assert [row["service"] for row in rows] == ["bedrock.amazonaws.com", *["codecommit.amazonaws.com"] * 2]
    assert list(rows[0]) == COLUMNS
    assert (rows[0]["family"], rows[1]["family"]) == ("api-key", "password")
    assert rows[0]["login"] == "jane-at-123456789012"
    assert rows[1]["expires"] is None
    lifetime = datetime.fromisoformat(rows[0]["expires"]) - datetime.fromisoformat(rows[0]["created"])
    assert lifetime.days == 30


@pytest.mark.usefixtures("team")
def test_all_users(run: Run, emulator: Emulator) -> None:
    """--all-users lists the credentials of all users with one call."""
    emulator.controls.clear_counts()
    rows = found(run("list", "credentials", "--all-users", "--format", "json"))
    assert [(row["user"], row["status"]) for row in rows] == [*[("jane", "Active")] * 3, ("joe", "Inactive")]
    assert emulator.controls.counts() == {LISTING: 1, "sts:GetCallerIdentity": 1}


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("service", ["keyspaces", "cassandra", "cassandra.amazonaws.com", "Cassandra.amazonaws.com"])
def test_service(run: Run, service: str) -> None:
    """--service takes a short or a full name, in any case."""
    rows = found(run("list", "credentials", "--all-users", "--service", service, "--format", "json"))
    assert [row["user"] for row in rows] == ["joe"]


@pytest.mark.usefixtures("team")
def test_caller(run: Run, iam: IAMClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --user and --all-users, the command lists credentials or keys of the calling user."""
    key = iam.create_access_key(UserName="joe")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    assert [row["user"] for row in found(run("list", "credentials", "--format", "json"))] == ["joe"]
    rows = found(run("list", "access-keys", "--format", "json"), "access_keys")
    assert [(row["user"], row["id"]) for row in rows] == [("joe", key["AccessKeyId"])]


@pytest.mark.parametrize(
    ("what", "name"), [("credentials", "service-specific credentials"), ("access-keys", "access keys")]
)
def test_caller_is_no_user(run: Run, what: str, name: str) -> None:
    """If the caller is not a user, the error quotes AWS and recommends the options that select users."""
    result = run("list", what)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: listing the {name} of the calling user (no user specified): AWS error ValidationError:"
        " Must specify userName when calling with non-User credentials. Options: --user NAME, or --all-users\n"
    )


@pytest.mark.usefixtures("team")
def test_pages(run: Run) -> None:
    """--max-items returns one page and the marker of the next; all pages together have every credential."""
    arguments = ["list", "credentials", "--all-users", "--max-items", "3", "--format", "json"]
    first = json.loads(run(*arguments).stdout)
    second = json.loads(run(*arguments, "--marker", first["marker"]).stdout)
    assert (len(first["credentials"]), len(second["credentials"]), second["marker"]) == (3, 1, None)
    everything = found(run("list", "credentials", "--all-users", "--format", "json"))
    both = first["credentials"] + second["credentials"]
    assert sorted(row["id"] for row in both) == sorted(row["id"] for row in everything)


@pytest.mark.usefixtures("team")
def test_marker_without_max_items(run: Run, emulator: Emulator) -> None:
    """Only --marker lists everything after it, in any number of pages."""
    arguments = ["list", "credentials", "--all-users", "--format", "json"]
    first = json.loads(run(*arguments, "--max-items", "1").stdout)
    emulator.controls.set(page_limit=1)
    rest = json.loads(run(*arguments, "--marker", first["marker"]).stdout)
    assert (len(rest["credentials"]), rest["marker"]) == (3, None)
    assert first["credentials"][0] not in rest["credentials"]


@pytest.mark.usefixtures("team")
def test_short_pages(run: Run, emulator: Emulator) -> None:
    """Everything is listed even if AWS returns shorter pages than requested."""
    emulator.controls.set(page_limit=1)
    assert len(found(run("list", "credentials", "--all-users", "--format", "json"))) == 4


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("form", ["table", "csv"])
def test_marker_of_tables(run: Run, form: str) -> None:
    """With table and CSV output, the marker goes to standard error."""
    result = run("list", "credentials", "--all-users", "--max-items", "2", "--format", form)
    assert len(result.stdout.splitlines()) == 3
    said, _, marker = result.stderr.rstrip("\n").rpartition(" ")
    assert said == "there are more items: continue with --marker"
    rest = run("list", "credentials", "--all-users", "--marker", marker, "--format", form)
    assert len(rest.stdout.splitlines()) == 3
    assert rest.stderr == ""


@pytest.mark.usefixtures("team")
def test_formats_agree(run: Run) -> None:
    """All formats have the same content."""
    arguments = ["list", "credentials", "--all-users", "--format"]
    rows = found(run(*arguments, "json"))
    assert yaml.safe_load(run(*arguments, "yaml").stdout) == {"credentials": rows, "marker": None}
    as_csv = list(csv.DictReader(io.StringIO(run(*arguments, "csv").stdout)))
    assert as_csv == [{column: row[column] or "" for column in COLUMNS} for row in rows]
    as_table = [line.split() for line in run(*arguments, "table").stdout.splitlines()]
    assert as_table == [COLUMNS, *([row[column] or "-" for column in COLUMNS] for row in rows)]


@pytest.mark.usefixtures("team")
def test_nothing(run: Run) -> None:
    """A user without credentials results in an empty list with headings, not an error."""
    result = run("list", "credentials", "--user", "ann")
    assert (result.exit_code, result.stdout) == (0, "  ".join(COLUMNS) + "\n")
    assert run("list", "credentials", "--user", "ann", "--format", "yaml").stdout == "credentials: []\nmarker: null\n"


def test_access_keys_of_one(run: Run, keys: dict[str, str]) -> None:
    """Access keys include their last use, and empty values if they were not used."""
    rows = found(run("list", "access-keys", "--user", "u2", "--format", "json"), "access_keys")
    assert [(row["id"], row["last_used"], row["service"], row["region"]) for row in rows] == [
        (keys["u2"], "2026-03-04T05:06:07Z", "s3", "eu-west-1")
    ]
    rows = found(run("list", "access-keys", "--user", "u1", "--format", "json"), "access_keys")
    assert [(row["id"], row["last_used"], row["service"], row["region"]) for row in rows] == [(keys["u1"], *[None] * 3)]


def test_pages_of_access_keys(run: Run, iam: IAMClient, keys: dict[str, str]) -> None:
    """--max-items and --marker also page the keys of one user."""
    second = iam.create_access_key(UserName="u1")["AccessKey"]["AccessKeyId"]
    arguments = ["list", "access-keys", "--user", "u1", "--max-items", "1", "--format", "json"]
    first = json.loads(run(*arguments).stdout)
    rest = json.loads(run(*arguments, "--marker", first["marker"]).stdout)
    assert {row["id"] for row in first["access_keys"] + rest["access_keys"]} == {keys["u1"], second}
    assert rest["marker"] is None


def test_access_keys_of_all(run: Run, keys: dict[str, str], emulator: Emulator) -> None:
    """--all-users lists the users, and then the keys of each user."""
    emulator.controls.clear_counts()
    rows = found(run("list", "access-keys", "--all-users", "--format", "json"), "access_keys")
    assert {row["user"]: row["id"] for row in rows} == keys
    assert [row["user"] for row in rows] == sorted(keys)
    assert emulator.controls.counts() == {
        "iam:GetAccessKeyLastUsed": 5,
        "iam:ListAccessKeys": 5,
        "iam:ListUsers": 1,
        "sts:GetCallerIdentity": 1,
    }


def test_oldest_access_key_first(run: Run, iam: IAMClient, keys: dict[str, str], emulator: Emulator) -> None:
    """A user's access keys are listed oldest first, whatever the order in IAM's response and of ids."""
    emulator.controls.set(clock_shift=-365 * 86_400)
    older = {user: iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"] for user in keys}
    emulator.controls.set(clock_shift=0)
    expected = [key for user in sorted(keys) for key in (older[user], keys[user])]
    rows = found(run("list", "access-keys", "--all-users", "--format", "json"), "access_keys")
    assert [row["id"] for row in rows] == expected
    rows = found(run("list", "access-keys", "--user", "u1", "--format", "json"), "access_keys")
    assert [row["id"] for row in rows] == [older["u1"], keys["u1"]]


def test_pages_of_users(run: Run, keys: dict[str, str], emulator: Emulator) -> None:
    """With --all-users, a page of access keys covers that many users, and other users are not read."""
    arguments = ["list", "access-keys", "--all-users", "--max-items", "2", "--format", "json"]
    emulator.controls.clear_counts()
    first = json.loads(run(*arguments).stdout)
    assert [row["user"] for row in first["access_keys"]] == ["u0", "u1"]
    assert emulator.controls.counts()["iam:ListAccessKeys"] == 2
    rest = json.loads(run("list", "access-keys", "--all-users", "--marker", first["marker"], "--format", "json").stdout)
    assert [row["user"] for row in rest["access_keys"]] == sorted(keys)[2:]


def test_wrong_marker(run: Run) -> None:
    """An invalid marker is a one-line error."""
    result = run("list", "credentials", "--all-users", "--marker", "nonsense")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: listing the service-specific credentials of all users: AWS error")
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("what", ["credentials", "access-keys"])
def test_missing_user(run: Run, what: str) -> None:
    """A user who does not exist is an error, not an empty list; a name in a different case is named."""
    result = run("list", what, "--user", "nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "of user nobody: the account has no such IAM user" in result.stderr
    different_case = run("list", what, "--user", "JANE")
    assert different_case.exit_code == 1
    assert "the account has no IAM user JANE: IAM has jane" in different_case.stderr


def test_unknown_service(run: Run) -> None:
    """A service that AWS does not know is an error, not an empty list."""
    result = run("list", "credentials", "--all-users", "--service", "magic")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No such service magic is supported for Service Specific Credentials" in result.stderr


@pytest.mark.parametrize("what", ["credentials", "access-keys"])
def test_denied(run: Run, emulator: Emulator, what: str) -> None:
    """A missing permission is a one-line error that recommends how to get it."""
    for operation in (LISTING, "iam:ListUsers"):
        emulator.controls.fail(operation, status=403, code="AccessDenied", message="not authorized")
    result = run("list", what, "--all-users")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Run `iamcreds permissions` to print the required IAM policy" in result.stderr


def test_unreachable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreachable endpoint is a one-line error within seconds."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    result = run("list", "credentials", "--all-users")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no response from AWS" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("team")
def test_fault_between_pages(run: Run, emulator: Emulator) -> None:
    """A failure between two pages is an error, and no partial list is printed."""
    emulator.controls.set(page_limit=1)
    emulator.controls.fail(LISTING, call=2, status=400, code="InvalidInput", message="no more")
    result = run("list", "credentials", "--all-users")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "AWS error InvalidInput: no more" in result.stderr


@pytest.mark.usefixtures("team")
def test_endpoint_without_all_users(run: Run, emulator: Emulator) -> None:
    """On an endpoint without AllUsers, users are listed first, then the credentials of each."""
    emulator.controls.set(all_users=False)
    rows = found(run("list", "credentials", "--all-users", "--format", "json"))
    assert [row["user"] for row in rows] == ["jane", "jane", "jane", "joe"]
    rows = found(run("list", "credentials", "--all-users", "--service", "bedrock", "--format", "json"))
    assert [row["service"] for row in rows] == ["bedrock.amazonaws.com"]
    page = run("list", "credentials", "--all-users", "--max-items", "2")
    assert "continue with --marker" in page.stderr
    emulator.controls.deny(LISTING)
    assert "AccessDenied" in run("list", "credentials", "--all-users").stderr
