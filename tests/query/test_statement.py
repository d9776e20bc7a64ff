"""SQL queries without an account."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.delivery import DeliveredSecret, Delivery
from iamcreds.desired import AccessKeyPolicy, Desired, DesiredCredential, DesiredUser, RotationPolicy
from iamcreds.due_dates import compute_spread
from iamcreds.errors import QueryError
from iamcreds.model import AccessKey, Credential, RecordedCredential, SourceLocation, Status
from iamcreds.query.schema import TABLES, DesiredRow, UserRow, list_credential_rows, list_desired_rows
from iamcreds.query.statement import find_tables, run_statement
from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from iamcreds.text.tables import Table

OLD = datetime(2020, 1, 31, 12, tzinfo=UTC)
SERVICE = "codecommit.amazonaws.com"
KEYS = [AccessKey("AKIA1", "jane", Status.ACTIVE, OLD), AccessKey("AKIA2", "joe", Status.INACTIVE, OLD)]
CREDENTIAL = Credential("ACCA1", "jane", SERVICE, Status.ACTIVE, OLD, Family.PASSWORD, "jane-at-1")
CREDENTIALS = [*list_credential_rows([CREDENTIAL])]
ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c"
NO_FIRST_ROW = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0"
COUNTING = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"


def ask(statement: str) -> Table:
    """Return the result of a query on a few keys and credentials."""
    return run(statement, {"access_keys": KEYS, "service_specific_credentials": CREDENTIALS})


def run(statement: str, rows: Mapping[str, Iterable[object]]) -> Table:
    """Return the result of a statement without warnings."""
    return run_statement(statement, rows, 10, pytest.fail)


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("SELECT 1", set()),
        ("VALUES (1)", set()),
        ("SELECT count(*) FROM access_keys", {"access_keys"}),
        ("SELECT 1 FROM Users", {"users"}),
        ("SELECT * FROM (SELECT user FROM desired) WHERE 0", {"desired"}),
        ("SELECT count(*) FROM access_keys JOIN users USING (user)", {"access_keys", "users"}),
        ("SELECT count(*) FROM access_keys NATURAL JOIN desired", {"access_keys", "desired"}),
        ("SELECT count(*) FROM access_keys LEFT JOIN users USING (user)", {"access_keys", "users"}),
        ("SELECT 1 FROM users, access_keys", {"access_keys", "users"}),
        ('SELECT count(*) FROM main."users" AS desired NOT INDEXED', {"users"}),
        ("SELECT (SELECT count(*) FROM [access_keys])", {"access_keys"}),
        ("SELECT 1 WHERE EXISTS (SELECT 1 FROM desired NATURAL JOIN users)", {"desired", "users"}),
        (
            "SELECT count(*) FROM (SELECT * FROM users) NATURAL JOIN (SELECT user FROM access_keys)",
            {"access_keys", "users"},
        ),
        ("SELECT EXISTS (SELECT 1 FROM users)", {"users"}),
        ("WITH a AS (SELECT * FROM users) SELECT * FROM a JOIN desired", {"users", "desired"}),
        ("WITH users(a) AS (SELECT 1) SELECT * FROM users", set()),
        (" -- access_keys\nSELECT 'desired'; ", set()),
        ("SELECT 1 UNION SELECT id FROM service_specific_credentials", {"service_specific_credentials"}),
    ],
)
def test_find_tables(statement: str, tables: set[str]) -> None:
    """The tables that a statement reads are known in advance, even if it only joins or counts them."""
    assert find_tables(statement) == tables


FROM = [
    "{} JOIN {} USING (user)",
    "{} NATURAL LEFT JOIN {}",
    "{}, {}",
    "(SELECT * FROM {}) NATURAL JOIN {}",
    "(SELECT 1 FROM {} NATURAL JOIN {})",
    "(SELECT user FROM {} EXCEPT SELECT user FROM {})",
]
ASKED = [
    "SELECT count(*) FROM {}",
    "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM {})",
    "SELECT (SELECT count(*) FROM {})",
    "WITH x AS MATERIALIZED (SELECT 1 FROM {}) SELECT count(*) FROM x, x AS y",
    "SELECT count(*) OVER () FROM {}",
]


@pytest.mark.parametrize("joined", FROM)
@pytest.mark.parametrize("asked", ASKED)
def test_nothing_is_left_unread(asked: str, joined: str) -> None:
    """Filling only the tables that a statement reads does not change its result, whatever it joins and counts."""
    everything: dict[str, list[Any]] = {
        "access_keys": KEYS,
        "desired": [DesiredRow("jane", SERVICE)],
        "service_specific_credentials": CREDENTIALS,
        "users": [UserRow("jane", OLD), UserRow("joe", OLD)],
    }
    for first, second in itertools.permutations(TABLES, 2):
        statement = asked.format(joined.format(first, second))
        read = {table: things for table, things in everything.items() if table in find_tables(statement)}
        assert run(statement, read) == run(statement, everything)


def test_columns_and_rows() -> None:
    """A result has the columns of the statement, and unknown values are NULL."""
    found = ask("SELECT user, id, last_used FROM access_keys ORDER BY id DESC")
    assert found.columns == ("user", "id", "last_used")
    assert found.rows == (("joe", "AKIA2", None), ("jane", "AKIA1", None))


def test_dates() -> None:
    """Dates can be compared with the results of SQLite's date functions, to the second."""
    assert ask("SELECT created FROM access_keys LIMIT 1").rows == (("2020-01-31 12:00:00",),)
    later = "SELECT count(*) FROM access_keys WHERE created < datetime('2020-01-30 12:00:01', '+1 day')"
    same = "SELECT count(*) FROM access_keys WHERE created < datetime('2020-01-30 12:00:00', '+1 day')"
    assert (ask(later).rows, ask(same).rows) == (((2,),), ((0,),))


def test_join() -> None:
    """Tables can be joined by user."""
    statement = "SELECT c.id, k.id FROM service_specific_credentials AS c JOIN access_keys AS k USING (user)"
    found = ask(statement)
    assert found.rows == (("ACCA1", "AKIA1"),)
    assert found.columns == ("id", "id:1")


def test_values_that_formats_lack() -> None:
    """Bytes are shown as hexadecimal digits, and infinity as a word."""
    assert ask("SELECT x'00ff', 9e999, -9e999, 1.5").rows == (("00ff", "Infinity", "-Infinity", 1.5),)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users (user) VALUES ('eve')",
        "REPLACE INTO users SELECT * FROM users",
        "UPDATE users SET user = 'eve'",
        "DELETE FROM users",
        "DROP TABLE users",
        "CREATE TABLE a AS SELECT 1",
        "CREATE TEMP TABLE a (b)",
        "ALTER TABLE users ADD COLUMN a",
        "ATTACH 'other.db' AS other",
        "VACUUM",
        "VACUUM INTO 'other.db'",
        "PRAGMA query_only = OFF",
        "PRAGMA database_list",
        "SELECT * FROM pragma_database_list",
        "BEGIN",
        "ANALYZE",
        "REINDEX",
        "SAVEPOINT a",
    ],
)
def test_only_reading(statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that does more than read is rejected by both functions, and leaves no file."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QueryError, match=r"^cannot run the query: only a single SELECT statement is allowed$"):
        find_tables(statement)
    with pytest.raises(QueryError):
        ask(statement)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names are enough


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("", "the query is empty: specify a SELECT statement"),
        ("SELECT", "cannot run the query: incomplete input"),
        ("SELEC 1", 'cannot run the query: near "SELEC": syntax error'),
        ("SELECT 1; SELECT 2", "cannot run the query: You can only execute one statement at a time"),
        ("SELECT 1; DROP TABLE users", "cannot run the query: You can only execute one statement at a time"),
        (
            "SELECT pasword FROM users",
            "cannot run the query: no such column: pasword. Run `iamcreds query --help` to list the columns",
        ),
        (
            "SELECT * FROM keys",
            (
                "cannot run the query: no such table: keys; the tables are access_keys, desired,"
                " service_specific_credentials, users"
            ),
        ),
        ("SELECT load_extension('evil')", "cannot run the query: not authorized to use function: load_extension"),
        ("SELECT \udcff", "cannot run the query: 'utf-8' codec can't encode character"),
    ],
)
def test_bad_statements(statement: str, message: str) -> None:
    """Errors quote SQLite on one line, and recommend where to find help."""
    with pytest.raises(QueryError) as caught:
        find_tables(statement)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_failing_answer() -> None:
    """An error at run time is also one line."""
    with pytest.raises(QueryError, match=r"^cannot run the query: string or blob too big$"):
        ask("SELECT zeroblob(2000000)")


@pytest.mark.parametrize("statement", [NO_FIRST_ROW, COUNTING])
def test_endless(statement: str) -> None:
    """A statement that does not end is interrupted, even if it never finds its first row."""
    with pytest.raises(
        QueryError, match=r"^the query did not end within 0\.2 s\. Options: limit its rows, or increase --timeout$"
    ):
        run_statement(statement, {}, 0.2, pytest.fail)


def test_too_many_rows() -> None:
    """A result with more rows than the limit is an error, and is not truncated."""
    with pytest.raises(QueryError, match=r"^the result has more than 100,000 rows: add a condition or a LIMIT$"):
        ask(ENDLESS)
    assert len(ask(ENDLESS + " LIMIT 100000").rows) == 100_000


def test_desired_rows() -> None:
    """Every declared credential is a row, and so is a user who is declared without credentials."""
    location, line = SourceLocation("a.yaml", 3, 5), SourceLocation("a.yaml", 9, 3)
    credential = DesiredCredential(
        "jane", SERVICE, "codecommit", location, status=Status.INACTIVE, reset="1", protect=True, adopt="ACCA1"
    )
    policy = AccessKeyPolicy(max=1, max_age_days=60)
    desired = Desired((DesiredUser("jane", line, (credential,), policy), DesiredUser("leaver", line)))
    jane = DesiredRow("jane", SERVICE, "codecommit", "Inactive", "1", True, 1, 60, None, "a.yaml", 3)  # noqa: FBT003
    assert list(list_desired_rows(desired)) == [
        replace(jane, resource="jane/codecommit", adopt="ACCA1"),
        DesiredRow("leaver", file="a.yaml", line=9),
    ]


@pytest.mark.parametrize("slot", ["", "~2"])
def test_next_rotation(slot: str) -> None:
    """The next rotation is that of the current slot, and a deactivated credential has none."""
    location, issued = SourceLocation("a.yaml", 3, 5), datetime(2026, 11, 20, tzinfo=UTC)
    credential = DesiredCredential("jane", SERVICE, "codecommit", location, rotate=RotationPolicy(24, 2400))
    desired = Desired((DesiredUser("jane", location, (credential,)),), account="123456789012")
    other = "~2" if not slot else ""
    state = {
        f"jane/codecommit{suffix}": RecordedCredential(
            f"jane/codecommit{suffix}", "ACCA1", "jane", SERVICE, issued, rotation=rotation, issued=at
        )
        for suffix, rotation, at in ((slot, 3, issued), (other, 2, issued - timedelta(days=95)))
    }
    early = 0.05 + 0.1 * compute_spread("123456789012", "jane/codecommit")
    (row,) = list_desired_rows(desired, state)
    assert row.rotation_due == issued + timedelta(days=100) * (1 - early)
    current = f"jane/codecommit{slot}"
    (row,) = list_desired_rows(desired, state | {current: replace(state[current], status=Status.INACTIVE)})
    assert row.rotation_due is None


def test_deliveries() -> None:
    """Credentials have the place of their secret with the state, and declared ones have the store and the name."""
    recorded = RecordedCredential("jane/codecommit", "ACCA1", "jane", SERVICE, OLD, issued=OLD)
    statement = "SELECT delivery_arn AS arn, secret_in_state AS kept FROM service_specific_credentials"
    places = [
        run(statement, {"service_specific_credentials": list_credential_rows([CREDENTIAL], state)}).rows
        for state in (
            None,
            {"ACCA1": recorded},
            {"ACCA1": replace(recorded, has_secret=True)},
            {"ACCA1": replace(recorded, delivered=DeliveredSecret("arn:x", "v1"))},
        )
    ]
    assert places == [((None, None),), ((None, 0),), ((None, 1),), (("arn:x", 0),)]
    location = SourceLocation("a.yaml", 3, 5)
    deliver = Delivery("secrets_manager", "codecommit/jane", "eu-west-1")
    credentials = (
        DesiredCredential("jane", SERVICE, "codecommit", location, deliver=deliver),
        DesiredCredential("jane", SERVICE, "second", location),
    )
    desired = list_desired_rows(Desired((DesiredUser("jane", location, credentials),)))
    shown = run("SELECT deliver_store, deliver_name, deliver_region FROM desired", {"desired": desired}).rows
    assert shown == (("secrets_manager", "codecommit/jane", "eu-west-1"), (None, None, None))


def test_not_in_desired() -> None:
    """A user declared without credentials does not break NOT IN, as a NULL would."""
    statement = "SELECT id FROM service_specific_credentials WHERE service NOT IN (SELECT service FROM desired)"
    rows: dict[str, list[Any]] = {"service_specific_credentials": CREDENTIALS, "desired": [DesiredRow("leaver")]}
    assert run(statement, rows).rows == (("ACCA1",),)


def test_numbers_are_numbers() -> None:
    """Numbers in specs are compared as numbers, and a reset trigger as a text."""
    rows = {"desired": [DesiredRow("jane", SERVICE, reset="1", max_keys=1, protect=True)]}
    statement = "SELECT max_keys + 1, protect, reset = '1', typeof(reset) FROM desired WHERE max_keys < 2"
    assert run(statement, rows).rows == ((2, 1, 1, "text"),)


SHORT = "column service_short_name has the short names of services"
BEDROCK = f"the query compares 'bedrock' with 'bedrock.amazonaws.com', which are not equal; {SHORT}"
KEYSPACES = f"the query compares 'cassandra.amazonaws.com' with 'keyspaces', which are not equal; {SHORT}"
ACTIVE = "the query compares 'Active' with 'active', which are not equal"
API_KEY = "the query compares 'API-Key' with 'api-key', which are not equal"


@pytest.mark.parametrize(
    ("statement", "warnings"),
    [
        ("SELECT id FROM {} WHERE service = 'bedrock'", [BEDROCK]),
        ("SELECT id FROM {} WHERE 'bedrock' = service", [BEDROCK]),
        ("SELECT id FROM {} WHERE service IN ('bedrock', 'keyspaces')", [BEDROCK, KEYSPACES]),
        ("SELECT id FROM {} WHERE service <> 'keyspaces'", [KEYSPACES]),
        ("SELECT id FROM {} WHERE service LIKE 'keyspaces%'", [KEYSPACES]),
        ("SELECT x.id FROM {} AS x JOIN users USING (user) WHERE x.\"Service\" IS 'bedrock'", [BEDROCK]),
        ("SELECT s FROM (SELECT service AS s FROM {}) WHERE s = 'keyspaces'", [KEYSPACES]),
        ("SELECT CASE service WHEN 'bedrock' THEN 1 END FROM {}", [BEDROCK]),
        ("SELECT id FROM {} WHERE service_short_name = 'keyspaces' AND service <> ''", []),
        ("SELECT id FROM {} WHERE service_short_name = 'bedrock.amazonaws.com'", [BEDROCK]),
        ("SELECT service, 'bedrock' FROM {} WHERE user = 'bedrock' ORDER BY service", []),
        ("SELECT id FROM {} WHERE service LIKE 'bedrock%' OR service LIKE '%cassandra%'", []),
        ("SELECT service, count(*) FROM {} WHERE service = 'bedrock.amazonaws.com' GROUP BY service", []),
        ("SELECT id FROM {} WHERE status = 'active'", [ACTIVE]),
        ("SELECT id FROM {} WHERE family = 'API-Key'", [API_KEY]),
        ("SELECT id FROM {} WHERE status = 'Active' AND user <> 'JANE'", []),
    ],
)
def test_wrong_spelling(statement: str, warnings: list[str]) -> None:
    """A comparison with a different spelling of a service, status or family is a warning; nothing else is one."""
    service, family = "bedrock.amazonaws.com", Family.API_KEY
    bedrock = replace(CREDENTIAL, id="ACCA2", service=service, family=family)
    keyspaces = replace(CREDENTIAL, id="ACCA3", service="cassandra.amazonaws.com")
    rows: dict[str, list[Any]] = {
        "service_specific_credentials": [*list_credential_rows([bedrock, keyspaces])],
        "users": [UserRow("jane", OLD)],
    }
    given: list[str] = []
    run_statement(statement.format("service_specific_credentials"), rows, 10, given.append)
    assert given == warnings


def test_short_names() -> None:
    """Desired and existing credentials have the short name of their service, also if specs do not accept it."""
    xray = replace(CREDENTIAL, service="xray.amazonaws.com")
    rows: dict[str, list[Any]] = {
        "service_specific_credentials": [*list_credential_rows([xray])],
        "desired": [DesiredRow("leaver"), DesiredRow("jane", "cassandra.amazonaws.com")],
    }
    assert run("SELECT service_short_name FROM desired", rows).rows == (("",), ("keyspaces",))
    assert run("SELECT service_short_name FROM service_specific_credentials", rows).rows == (("xray",),)


def test_like() -> None:
    """LIKE ignores case and gives NULL for NULL, as in every SQLite."""
    assert ask("SELECT 'aB%c' LIKE 'Ab%C', 'a_' LIKE 'ab', NULL LIKE 'a', 'a' LIKE NULL, 12 LIKE '1_'").rows == (
        (1, 0, None, None, 1),
    )
    assert ask("SELECT 'a%' LIKE 'a!%' ESCAPE '!'").rows == ((1,),)
