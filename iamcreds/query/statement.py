"""One SELECT: which tables it reads, and what it answers."""

from __future__ import annotations

import math
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from iamcreds.errors import QueryError
from iamcreds.query.database import open_database, restrict, watch_comparisons
from iamcreds.query.schema import SHORT_NAME, TABLES
from iamcreds.text.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from iamcreds.text.tables import Cell

MAX_ROWS = 100_000
"""Rows of an answer at most: more than any account has credentials and keys."""

_STEPS = 1000
"""Instructions of SQLite's machine between two looks at the clock."""

_ONLY_SELECT = "a query can only read: write one SELECT"


def find_tables(statement: str) -> frozenset[str]:
    """The names of the tables that a statement would read, which is compiled and not run.

    SQLite's authorizer is asked for all that is named, but `count(*)` over `JOIN … USING` names nothing to it: so the
    compiled program's own instructions count, too.

    Raises:
        QueryError: it is not one statement that only reads, or not SQL.
    """
    with closing(open_database({})) as connection, _translate_errors(statement):
        tables_by_root = dict(connection.execute("SELECT rootpage, name FROM sqlite_schema"))
        actions = restrict(connection)
        program = connection.execute(f"EXPLAIN {statement}").fetchall()
        if all(action != sqlite3.SQLITE_SELECT for action, _ in actions):  # VACUUM INTO asks nobody's leave
            raise QueryError(_ONLY_SELECT)
    named = {name.lower() for action, name in actions if action == sqlite3.SQLITE_READ and name}
    opened = {tables_by_root.get(root) for _, instruction, _, root, *_ in program if instruction == "OpenRead"}
    return frozenset(table for table in TABLES if table in named | opened)


def run_statement(
    statement: str, rows: Mapping[str, Iterable[object]], seconds: float, warn: Callable[[str], None]
) -> Table:
    """Return the result of a statement.

    Args:
        statement: one SELECT.
        rows: what each table holds, as objects with the attributes that its columns are named for.
        seconds: after how long it is given up.
        warn: called for every comparison with a different spelling of a value, such as a service's short name.

    Raises:
        QueryError: it is not one statement that only reads, or not SQL, or has no end.
    """
    with (
        closing(open_database(rows)) as connection,
        _translate_errors(statement),
        watch_comparisons(connection) as comparisons,
    ):
        restrict(connection)
        deadline = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            cursor = connection.execute(statement)
            answer = cursor.fetchmany(MAX_ROWS + 1)
        except sqlite3.OperationalError as error:
            if time.monotonic() <= deadline:
                raise
            raise QueryError(f"the query was given up after {seconds:g} s: narrow it, or raise --timeout") from error
    if cursor.description is None:
        raise QueryError(_ONLY_SELECT)
    if len(answer) > MAX_ROWS:
        raise QueryError(f"the answer has more than {MAX_ROWS:,} rows: narrow the query, or add a LIMIT")
    for first, second in sorted(comparisons):
        warn(_describe_comparison(first, second))
    columns = tuple(_number_repeated([column[0] for column in cursor.description]))
    return Table(columns, tuple(tuple(map(_from_sql, row)) for row in answer))


@contextmanager
def _translate_errors(statement: str) -> Iterator[None]:
    """Turn what sqlite3 raises into one sentence.

    Raises:
        QueryError: for all of it.
    """
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, UnicodeEncodeError) as error:
        raise QueryError(_explain(statement, str(error))) from error


def _explain(statement: str, message: str) -> str:
    match message.partition(":")[0]:
        case "not authorized":
            return _ONLY_SELECT
        case "no such table":
            return f"the query: {message}; the tables are {', '.join(TABLES)}"
        case "no such column":
            return f"the query: {message}; `iamcreds query --help` lists the columns"
        case "incomplete input" if not statement.strip():
            return "the query is empty: write one SELECT"
        case _ if message.endswith("syntax error"):
            return f"the query: {message}; `iamcreds query --help` has examples"
        case _:
            return f"the query: {message.rstrip('.')}"


def _describe_comparison(first: str, second: str) -> str:
    message = f"the query compares {first!r} with {second!r}, which are not equal"
    is_case = first.lower() == second.lower()
    return message if is_case else f"{message}; column {SHORT_NAME} has the short names of services"


def _number_repeated(names: Sequence[str]) -> Iterator[str]:
    """Column names, told apart as SQLite does in its own tables: `id`, `id:1`."""
    used: set[str] = set()
    for name in names:
        number, distinct = 0, name
        while distinct in used:
            number += 1
            distinct = f"{name}:{number}"
        used.add(distinct)
        yield distinct


def _from_sql(value: Cell | bytes) -> Cell:
    """A value that every format can show: bytes as hexadecimal digits, and infinity, which JSON lacks, in a word."""
    match value:
        case bytes():
            return value.hex()
        case float() if not math.isfinite(value):
            return "Infinity" if value > 0 else "-Infinity"
        case _:
            return value
