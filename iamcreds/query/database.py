"""An SQLite database in memory with the tables of a query, and a read-only connection to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from iamcreds.query.schema import GUESSED, NUMBERS, TABLES
from iamcreds.services import complete_service_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.text.tables import Cell

Comparison: TypeAlias = tuple[str, str]
"""Two different texts that a statement compared, although they may have the same meaning; in alphabetical order."""

_MAX_LENGTH = 1_000_000
"""Maximum size of a value or statement, in bytes."""

_COLLATION = "guessed"

_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})


def open_database(rows: Mapping[str, Iterable[object]]) -> sqlite3.Connection:
    """Create all tables, and fill each from objects with the attributes that its columns are named after."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.create_collation(_COLLATION, _compare)
    for table, columns in TABLES.items():
        typed = (f"{column} {_find_type(column)}" for column in columns)
        connection.execute(f"CREATE TABLE {table} ({', '.join(typed)})")
        parameters = ", ".join("?" for _ in columns)
        values = (tuple(_to_sql(getattr(row, column)) for column in columns) for row in rows.get(table, ()))
        connection.executemany(f"INSERT INTO {table} VALUES ({parameters})", values)  # noqa: S608 - our own names
    return connection


def restrict(connection: sqlite3.Connection) -> set[tuple[int, str | None]]:
    """Make the connection read-only; the actions of its statements are added to the result, with the first operand.

    Actions are SQLite's codes, such as SQLITE_READ.
    """
    actions: set[tuple[int, str | None]] = set()

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        actions.add((action, first))
        is_forbidden = action == sqlite3.SQLITE_FUNCTION and second in _FORBIDDEN_FUNCTIONS
        return sqlite3.SQLITE_OK if action in _ALLOWED and not is_forbidden else sqlite3.SQLITE_DENY

    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_LENGTH)
    connection.set_authorizer(authorize)
    return actions


@contextmanager
def watch_comparisons(connection: sqlite3.Connection) -> Iterator[set[Comparison]]:
    """Collect the comparisons of guessed columns with a different spelling of their value.

    The columns' collation receives the compared values of every statement, and sorts as SQLite does. LIKE uses no
    collation, so its function is replaced by one that calls a second SQLite.
    """
    comparisons: set[Comparison] = set()

    def compare(left: str, right: str) -> int:
        if left != right and complete_service_name(left) == complete_service_name(right):
            comparisons.add((min(left, right), max(left, right)))
        return _compare(left, right)

    def like(pattern: Cell, value: Cell) -> Cell:
        matches: Cell = original.execute("SELECT ? LIKE ?", (value, pattern)).fetchone()[0]
        if not matches and isinstance(pattern, str) and isinstance(value, str):
            compare(pattern.strip("%"), value)
        return matches

    with closing(sqlite3.connect(":memory:")) as original:
        connection.create_collation(_COLLATION, compare)
        connection.create_function("like", 2, like, deterministic=True)
        yield comparisons


def _find_type(column: str) -> str:
    if column in GUESSED:
        return f"TEXT COLLATE {_COLLATION}"
    return "INTEGER" if column in NUMBERS else "TEXT"


def _compare(left: str, right: str) -> int:
    return (left > right) - (left < right)


def _to_sql(value: object) -> Cell:
    """Return a value for a row; dates have the format of SQLite's functions, so that comparisons work."""
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case int() | None:
            return value
        case _:
            return str(value)
