"""A SELECT statement: its tables and its result."""

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
"""Maximum number of rows of a result, which is more than the credentials and keys of any account."""

_STEPS = 1000
"""Instructions of SQLite's virtual machine between two checks of the time."""

_ONLY_SELECT = "cannot run the query: only a single SELECT statement is allowed"


def find_tables(statement: str) -> frozenset[str]:
    """Return the names of the tables that a statement reads, without running it.

    SQLite's authorizer receives the names in a statement, but none for `count(*)` over `JOIN … USING`. Therefore, the
    instructions of the compiled program are included.

    Raises:
        QueryError: it is not a single SELECT statement, or not valid SQL.
    """
    with closing(open_database({})) as connection, _translate_errors(statement):
        tables_by_root = dict(connection.execute("SELECT rootpage, name FROM sqlite_schema"))
        actions = restrict(connection)
        program = connection.execute(f"EXPLAIN {statement}").fetchall()
        if all(action != sqlite3.SQLITE_SELECT for action, _ in actions):  # VACUUM INTO does not call the authorizer
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
        rows: the rows of each table, as objects with the attributes that its columns are named after.
        seconds: the time limit.
        warn: called for every comparison with a different spelling of a value, such as a service's short name.

    Raises:
        QueryError: it is not a single SELECT statement, not valid SQL, or exceeds a limit.
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
            result = cursor.fetchmany(MAX_ROWS + 1)
        except sqlite3.OperationalError as error:
            if time.monotonic() <= deadline:
                raise
            raise QueryError(
                f"the query did not end within {seconds:g} s. Options: limit its rows, or increase --timeout"
            ) from error
    if cursor.description is None:
        raise QueryError(_ONLY_SELECT)
    if len(result) > MAX_ROWS:
        raise QueryError(f"the result has more than {MAX_ROWS:,} rows: add a condition or a LIMIT")
    for first, second in sorted(comparisons):
        warn(_describe_comparison(first, second))
    columns = tuple(_number_repeated([column[0] for column in cursor.description]))
    return Table(columns, tuple(tuple(map(_from_sql, row)) for row in result))


@contextmanager
def _translate_errors(statement: str) -> Iterator[None]:
    """Translate the errors of sqlite3.

    Raises:
        QueryError: sqlite3 reports an error.
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
            return f"cannot run the query: {message}; the tables are {', '.join(TABLES)}"
        case "no such column":
            return f"cannot run the query: {message}. Run `iamcreds query --help` to list the columns"
        case "incomplete input" if not statement.strip():
            return "the query is empty: specify a SELECT statement"
        case _ if message.endswith("syntax error"):
            return f"cannot run the query: {message}. Run `iamcreds query --help` for examples"
        case _:
            return f"cannot run the query: {message.rstrip('.')}"


def _describe_comparison(first: str, second: str) -> str:
    message = f"the query compares {first!r} with {second!r}, which are not equal"
    is_case = first.lower() == second.lower()
    return message if is_case else f"{message}; column {SHORT_NAME} has the short names of services"


def _number_repeated(names: Sequence[str]) -> Iterator[str]:
    """Yield unique column names, numbered as in SQLite's tables: `id`, `id:1`."""
    used: set[str] = set()
    for name in names:
        number, distinct = 0, name
        while distinct in used:
            number += 1
            distinct = f"{name}:{number}"
        used.add(distinct)
        yield distinct


def _from_sql(value: Cell | bytes) -> Cell:
    """Return a value for every format: bytes as hexadecimal digits, and infinity, which JSON lacks, as a word."""
    match value:
        case bytes():
            return value.hex()
        case float() if not math.isfinite(value):
            return "Infinity" if value > 0 else "-Infinity"
        case _:
            return value
