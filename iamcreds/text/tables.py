"""Rows and columns as text: tables for people, and JSON, YAML and CSV for programs; pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from iamcreds.text.escaping import escape_cell, escape_invisible, escape_json
from iamcreds.text.yaml_values import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Cell: TypeAlias = str | int | float | None
Document: TypeAlias = Mapping[str, "Document"] | Sequence["Document"] | Cell

ABSENT = "-"
"""The placeholder for a missing value in a table for people, so that every row has every column."""

_GAP = "  "
_BOLD = "\x1b[1m{}\x1b[0m"
_WITHOUT_POINT = re.compile("^(-?[0-9]+)(e)")  # in YAML 1.1, 1e-05 is a string and 1.0e-05 is a number


class Format(StrEnum):
    """The output formats of rows."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def records(self) -> list[dict[str, Cell]]:
        """Return each row as a mapping from column to cell."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def make_table(objects: Iterable[object], columns: Sequence[str]) -> Table:
    """Return a table with a row for each object and a column for each of the named attributes."""
    rows = (tuple(_to_cell(getattr(row, column)) for column in columns) for row in objects)
    return Table(tuple(columns), tuple(rows))


def _to_cell(value: object) -> Cell:
    match value:
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case int() | float() | None:
            return value
        case _:
            return str(value)


def format_document(value: Document, form: Format) -> str:
    """Format a value as JSON or YAML, without a line break at the end.

    All strings in YAML are quoted as in JSON, so that no version of YAML reads a user named `on` as a boolean.
    """
    if form is Format.JSON:
        return _to_json(value, indent=2)
    return "\n".join(_to_yaml(value))


def format_table(table: Table, form: Format, width: int | None = None, *, is_coloured: bool = False) -> str:
    """Format rows as CSV or as a table, without a line break at the end.

    Args:
        table: the rows.
        form: CSV or TABLE.
        width: width of the terminal, None without one. A wider table is shown row by row with one line per cell, so
            that no cell is broken and each can be copied.
        is_coloured: True to show the names of the columns in bold.
    """
    if form is Format.CSV:
        return _to_csv(table)
    heading = _BOLD if is_coloured else "{}"
    first, *lines = _align([table.columns, *table.rows])
    if width is None or not table.rows or max(map(_find_width, [first, *lines])) <= width:
        return "\n".join([heading.format(first), *lines])
    names = [heading.format(name) for name in _pad(map(_format_cell, table.columns))]
    return "\n\n".join(_format_row(names, row) for row in table.rows)


def _to_json(value: Document, indent: int | None = None) -> str:
    return escape_json(json.dumps(value, ensure_ascii=False, indent=indent))


def _to_yaml(value: Document) -> Iterator[str]:
    if isinstance(value, str) or not value:
        yield escape_invisible(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _to_yaml_entry(key, entry)
    elif isinstance(value, Sequence):
        for item in value:
            yield from (f"{'  ' if number else '- '}{line}" for number, line in enumerate(_to_yaml(item)))
    else:
        yield _WITHOUT_POINT.sub(r"\1.0\2", _to_json(value))


def _to_yaml_entry(key: str, value: Document) -> Iterator[str]:
    first, *others = _to_yaml(value)
    if isinstance(value, list) and value:
        yield from (f"{format_value(key)}:", first, *others)
    else:
        yield f"{format_value(key)}: {first}"


def _to_csv(table: Table) -> str:
    """Return CSV as in RFC 4180, except for line ends."""
    return "\n".join(_to_csv_line(map(_escape_cell, row)) for row in (table.columns, *table.rows))


def _to_csv_line(cells: Iterable[Cell]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().removesuffix("\n")


def _escape_cell(cell: Cell) -> Cell:
    return escape_cell(cell) if isinstance(cell, str) else cell


def _format_cell(cell: Cell) -> str:
    """Return a cell on one line, without control characters."""
    return ABSENT if cell is None else escape_invisible(str(cell))


def _align(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Return one line for each row, with aligned cells and no trailing spaces."""
    columns = (_pad(map(_format_cell, column)) for column in zip(*rows, strict=True))
    return [_GAP.join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _pad(cells: Iterable[str]) -> list[str]:
    """Return the cells of a column, padded to the width of the widest."""
    widths = [(cell, _find_width(cell)) for cell in cells]
    column_width = max(width for _, width in widths)
    return [f"{cell}{' ' * (column_width - width)}" for cell, width in widths]


def _find_width(text: str) -> int:
    """Return the number of terminal columns of a text."""
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it

    return cell_len(text)


def _format_row(names: Sequence[str], row: Sequence[Cell]) -> str:
    """Return a row as lines, each with a column name and a cell."""
    return "\n".join(f"{name}{_GAP}{_format_cell(cell)}" for name, cell in zip(names, row, strict=True))
