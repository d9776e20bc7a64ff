"""Rows and columns as text: a table for people, JSON, YAML and CSV for programs; pure."""

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
"""What stands in a table for people where there is no value, so that every row has every column."""

_GAP = "  "
_BOLD = "\x1b[1m{}\x1b[0m"
_WITHOUT_POINT = re.compile("^(-?[0-9]+)(e)")  # readers of YAML 1.1 take 1e-05 for text, and 1.0e-05 for a number


class Format(StrEnum):
    """The forms in which rows are shown."""

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
        """Every row as a mapping from column to cell."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def make_table(objects: Iterable[object], columns: Sequence[str]) -> Table:
    """A row for each object, with those of its attributes that the columns name."""
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
    """A value as JSON or as YAML, without a line break at its end.

    YAML's texts are all quoted, in JSON's way: no reader of any version takes a user called `on` for a truth.
    """
    if form is Format.JSON:
        return _to_json(value, indent=2)
    return "\n".join(_to_yaml(value))


def format_table(table: Table, form: Format, width: int | None = None, *, is_coloured: bool = False) -> str:
    """Rows as CSV or as a table, without a line break at the end.

    Args:
        table: the rows.
        form: CSV or TABLE.
        width: columns of the terminal that will show a table, if one will. A table that is wider stands there row by
            row, a line for each cell: so no cell is ever broken, and each can be copied.
        is_coloured: whether the names of the columns are bold.
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
    written = json.dumps(value, ensure_ascii=False, indent=indent)
    return escape_json(written)


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
    """A cell on one line, and unable to speak to the terminal."""
    return ABSENT if cell is None else escape_invisible(str(cell))


def _align(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """A line for each row, with its cells below each other and no space at its end."""
    columns = (_pad(map(_format_cell, column)) for column in zip(*rows, strict=True))
    return [_GAP.join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _pad(cells: Iterable[str]) -> list[str]:
    """The cells of a column, all of them as wide as the widest."""
    measured = [(cell, _find_width(cell)) for cell in cells]
    width = max(found for _, found in measured)
    return [f"{cell}{' ' * (width - found)}" for cell, found in measured]


def _find_width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it

    return cell_len(text)


def _format_row(names: Sequence[str], row: Sequence[Cell]) -> str:
    """A row as lines, the name of its column before each cell."""
    return "\n".join(f"{name}{_GAP}{_format_cell(cell)}" for name, cell in zip(names, row, strict=True))
