"""What is desired and what is live as tables of an in-memory SQLite, which can be asked and not changed; pure."""

from __future__ import annotations

import math
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from iamcreds.errors import QueryError
from iamcreds.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iamcreds.model import Desired, DesiredUser, User
    from iamcreds.tables import Cell

MAX_ROWS = 100_000
"""Rows of an answer at most: more than any account has credentials and keys."""

_LONGEST = 1_000_000
"""Bytes of one value or statement at most."""

_STEPS = 1000
"""Instructions of SQLite's machine between two looks at the clock."""

_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})
_ONLY_SELECT = "a query can only read: write one SELECT"


@dataclass(frozen=True)
class DesiredRow:
    """One declared credential; a user declared without any is one row whose service is empty.

    The service is empty and not absent, because `service NOT IN (SELECT service …)` finds nothing at all as soon as
    one of them is NULL.
    """

    user: str
    service: str = ""
    name: str | None = None
    status: str | None = None
    reset: str | None = None
    protect: bool = False
    max_keys: int | None = None
    max_key_age_days: int | None = None
    max_key_idle_days: int | None = None
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class UserRow:
    """One live IAM user; the name stands under `user`, as in every table."""

    user: str
    created: datetime


TABLES: Mapping[str, tuple[str, ...]] = {
    "access_keys": ("user", "id", "status", "created", "last_used", "service", "region"),
    "desired": tuple(field.name for field in fields(DesiredRow)),
    "service_specific_credentials": ("user", "service", "id", "status", "created", "expires", "family", "login"),
    "users": tuple(field.name for field in fields(UserRow)),
}
"""The tables and their columns, each named for the attribute that fills it; a promise to whoever keeps statements."""

_NUMBERS = frozenset({"protect", "max_keys", "max_key_age_days", "max_key_idle_days", "line"})


def desired_rows(desired: Desired) -> Iterator[DesiredRow]:
    """The rows of table `desired`, sorted by user, service and name."""
    for user in desired.users:
        yield from _rows_of(user)


def user_rows(users: Iterable[User]) -> Iterator[UserRow]:
    """The rows of table `users`, in the order given."""
    return (UserRow(user.name, user.created) for user in users)


def tables_read(statement: str) -> frozenset[str]:
    """The names of the tables that a statement would read, which is compiled and not run.

    SQLite's authorizer is asked for all that is named, but `count(*)` over `JOIN … USING` names nothing to it: so the
    compiled program's own instructions count, too.

    Raises:
        QueryError: it is not one statement that only reads, or not SQL.
    """
    with closing(_opened({})) as connection, _asking(statement):
        pages = dict(connection.execute("SELECT rootpage, name FROM sqlite_schema"))
        actions: set[tuple[int, str | None]] = set()
        _guard(connection, actions)
        program = connection.execute(f"EXPLAIN {statement}").fetchall()
        if all(action != sqlite3.SQLITE_SELECT for action, _ in actions):  # VACUUM INTO asks nobody's leave
            raise QueryError(_ONLY_SELECT)
    named = {name.lower() for action, name in actions if action == sqlite3.SQLITE_READ and name}
    opened = {pages.get(page) for _, instruction, _, page, *_ in program if instruction == "OpenRead"}
    return frozenset(table for table in TABLES if table in named | opened)


def answer(statement: str, things: Mapping[str, Iterable[object]], seconds: float) -> Table:
    """What a statement answers.

    Args:
        statement: one SELECT.
        things: what each table holds, as objects with the attributes that its columns are named for.
        seconds: after how long it is given up.

    Raises:
        QueryError: it is not one statement that only reads, or not SQL, or has no end.
    """
    with closing(_opened(things)) as connection, _asking(statement):
        _guard(connection, set())
        deadline = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            cursor = connection.execute(statement)
            rows = cursor.fetchmany(MAX_ROWS + 1)
        except sqlite3.OperationalError as error:
            if time.monotonic() <= deadline:
                raise
            raise QueryError(f"the query was given up after {seconds:g} s: narrow it, or raise --timeout") from error
    if cursor.description is None:
        raise QueryError(_ONLY_SELECT)
    if len(rows) > MAX_ROWS:
        raise QueryError(f"the answer has more than {MAX_ROWS:,} rows: narrow the query, or add a LIMIT")
    columns = tuple(_distinct([column[0] for column in cursor.description]))
    return Table(columns, tuple(tuple(map(_answered, row)) for row in rows))


def _rows_of(user: DesiredUser) -> Iterator[DesiredRow]:
    policy = user.access_keys
    limits = (None, None, None) if policy is None else (policy.max, policy.max_age_days, policy.max_idle_days)
    if not user.credentials:
        yield _row(limits, user=user.name, file=user.place.file, line=user.place.line)
    for one in user.credentials:
        yield _row(
            limits,
            user=user.name,
            service=one.service,
            name=one.name,
            status=one.status,
            reset=one.reset,
            protect=one.protect,
            file=one.place.file,
            line=one.place.line,
        )


def _row(limits: tuple[int | None, int | None, int | None], **values: Any) -> DesiredRow:  # noqa: ANN401 - its fields
    keys, age, idle = limits
    return DesiredRow(max_keys=keys, max_key_age_days=age, max_key_idle_days=idle, **values)


def _opened(things: Mapping[str, Iterable[object]]) -> sqlite3.Connection:
    """A database with all the tables, and in them what there is."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for table, columns in TABLES.items():
        typed = (f"{column} {'INTEGER' if column in _NUMBERS else 'TEXT'}" for column in columns)
        connection.execute(f"CREATE TABLE {table} ({', '.join(typed)})")
        places = ", ".join("?" for _ in columns)
        rows = (tuple(_stored(getattr(thing, column)) for column in columns) for thing in things.get(table, ()))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 - names of ours
    return connection


def _stored(value: object) -> Cell:
    """A value as a row keeps it; dates are written as SQLite's own functions write them, so that they compare."""
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case int() | None:
            return value
        case _:
            return str(value)


def _guard(connection: sqlite3.Connection, actions: set[tuple[int, str | None]]) -> None:
    """Let the connection read and nothing else; what a statement does is added to `actions`, with its first operand."""

    def allow(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        actions.add((action, first))
        is_forbidden = action == sqlite3.SQLITE_FUNCTION and second in _FORBIDDEN_FUNCTIONS
        return sqlite3.SQLITE_OK if action in _ALLOWED and not is_forbidden else sqlite3.SQLITE_DENY

    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    connection.set_authorizer(allow)


@contextmanager
def _asking(statement: str) -> Iterator[None]:
    """Turn what sqlite3 raises into one sentence.

    Raises:
        QueryError: for all of it.
    """
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, UnicodeEncodeError) as error:
        raise QueryError(_sentence(statement, str(error))) from error


def _sentence(statement: str, message: str) -> str:
    match message.partition(":")[0]:
        case "not authorized":
            return _ONLY_SELECT
        case "no such table":
            return f"the query: {message}; the tables are {', '.join(TABLES)}"
        case "no such column":
            return f"the query: {message}; `iamcreds query --help` lists the columns"
        case "incomplete input" if not statement.strip():
            return "the query is empty: write one SELECT"
        case _:
            return f"the query: {message.rstrip('.')}"


def _distinct(names: Sequence[str]) -> Iterator[str]:
    """Column names, told apart as SQLite does in its own tables: `id`, `id:1`."""
    used: set[str] = set()
    for name in names:
        number, distinct = 0, name
        while distinct in used:
            number += 1
            distinct = f"{name}:{number}"
        used.add(distinct)
        yield distinct


def _answered(value: Cell | bytes) -> Cell:
    """A value that every format can show: bytes as hexadecimal digits, and infinity, which JSON lacks, in a word."""
    match value:
        case bytes():
            return value.hex()
        case float() if not math.isfinite(value):
            return "Infinity" if value > 0 else "-Infinity"
        case _:
            return value
