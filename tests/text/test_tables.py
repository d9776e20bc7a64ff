"""Rows as a table, JSON, YAML and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.model import AccessKey, Status
from iamcreds.text.escaping import escape_cell
from iamcreds.text.tables import Format, Table, format_document, format_table, make_table

ROWS = Table(("user", "count(*)", "expires"), (("jane", 2, None), ("=1+1", -3, "on")))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CELLS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT
ESCAPES = re.compile("\x1b\\[[0-9;]*m")


def test_table_of() -> None:
    """Objects become rows in the order of the columns, with dates in UTC and None for unknown values."""
    key = AccessKey("AKIA1", "jane", Status.ACTIVE, datetime(2026, 11, 1, 9, 30, tzinfo=UTC))
    found = make_table([key], ["user", "status", "created", "last_used"])
    assert found == Table(
        ("user", "status", "created", "last_used"), (("jane", "Active", "2026-11-01T09:30:00Z", None),)
    )
    assert type(found.rows[0][1]) is str


def test_json() -> None:
    """JSON has an object for every row."""
    assert json.loads(format_document(ROWS.records(), Format.JSON)) == [
        {"user": "jane", "count(*)": 2, "expires": None},
        {"user": "=1+1", "count(*)": -3, "expires": "on"},
    ]


def test_yaml() -> None:
    """YAML quotes every text, so that no parser interprets a user or a date as another type."""
    assert format_document({"users": ROWS.records(), "marker": None}, Format.YAML).splitlines() == [
        "users:",
        '- user: "jane"',
        '  "count(*)": 2',
        "  expires: null",
        '- user: "=1+1"',
        '  "count(*)": -3',
        '  expires: "on"',
        "marker: null",
    ]


@pytest.mark.parametrize("form", [Format.JSON, Format.YAML])
def test_no_rows(form: Format) -> None:
    """Without rows, the result is an empty list."""
    assert format_document([], form) == "[]"
    assert yaml.safe_load(format_document({"users": [], "marker": None}, form)) == {
        "users": [],
        "marker": None,
    }


@given(st.lists(st.dictionaries(ANY_TEXT, CELLS, min_size=1), max_size=3))
def test_whatever_is_written_is_read(rows: list[dict[str, Any]]) -> None:
    """Parsing JSON or YAML returns the original texts and numbers."""
    assert json.loads(format_document(rows, Format.JSON)) == rows
    assert yaml.safe_load(format_document(rows, Format.YAML)) == rows


@given(ANY_TEXT)
def test_documents_are_printable(any_text: str) -> None:
    """JSON and YAML contain no control character that a terminal would interpret."""
    for form in (Format.JSON, Format.YAML):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", format_document([{"a": any_text}], form))


def test_csv() -> None:
    """CSV has empty cells for missing values, and escapes formulas but not numbers."""
    assert format_table(ROWS, Format.CSV).splitlines() == ["user,count(*),expires", "jane,2,", "'=1+1,-3,on"]


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@"])
def test_csv_has_no_formulas(beginning: str) -> None:
    """No cell and no heading of a CSV begins like a formula."""
    written = format_table(Table((f"{beginning}a",), ((f"{beginning}cmd|' /C calc'!A0",),)), Format.CSV)
    for row in csv.reader(io.StringIO(written, newline="")):
        assert row[0].startswith(f"'{beginning}")


@given(st.text())
def test_csv_is_printable(any_text: str) -> None:
    """CSV has no unprintable character except line feeds, and parsing returns each escaped cell in its row."""
    written = format_table(Table((any_text, "id"), ((any_text, any_text), (None, 7))), Format.CSV)
    assert written.replace("\n", "").isprintable()
    cell = escape_cell(any_text)
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert rows == [[cell, "id"], [cell, cell], ["", "7"]]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a\x1b[2J\x9b\x7f", r"a\x1b[2J\x9b\x7f"),
        ("a\u202eb\u200b\u2028", r"a\u202eb\u200b\u2028"),
        ("a\nb", "a\nb"),
        ("a\r\nb\tc", "a\\r\nb\\tc"),
        ("a\n::error::b", "a\n\\x3a:error::b"),
        ("a\n=1", "a\n'=1"),
        ("\t=1", "\\t=1"),
        ("été 日本", "été 日本"),
    ],
)
def test_csv_cells(text: str, cell: str) -> None:
    """A cell keeps its lines; characters that a terminal, a CI run or a spreadsheet would interpret are escaped."""
    written = format_table(Table(("x",), ((text,),)), Format.CSV)
    assert list(csv.reader(io.StringIO(written, newline="")))[1] == [cell]


def test_csv_quotes() -> None:
    """Commas, quotes and line breaks stay within their cell."""
    row = ('a,b "c"\nd', "e")
    assert list(csv.reader(io.StringIO(format_table(Table(("x", "y"), (row,)), Format.CSV))))[1] == list(row)


def test_plain_table() -> None:
    """Without a terminal, a table is aligned text without colors, lines or trailing spaces."""
    assert format_table(ROWS, Format.TABLE).splitlines() == [
        "user  count(*)  expires",
        "jane  2         -",
        "=1+1  -3        on",
    ]


def test_plain_table_is_never_cut() -> None:
    """Without a terminal, nothing is truncated, and every row is one line."""
    long = "x" * 5000
    assert format_table(Table(("a", "b"), ((long, "c\nd"),)), Format.TABLE).splitlines()[1] == f"{long}  c\\nd"


def test_wide_characters() -> None:
    """Wide characters count as two columns."""
    assert format_table(Table(("a", "b"), (("日本", "1"), ("x", "2"))), Format.TABLE) == "a     b\n日本  1\nx     2"


def test_terminal_table() -> None:
    """A table that fits on a terminal has bold headings, and its text is neither markup nor escape sequences."""
    table = Table(("name", "note"), (("[red]a[/red]", "\x1b[31mb"), ("c", None)))
    drawn = format_table(table, Format.TABLE, 40, is_coloured=True)
    assert drawn.startswith("\x1b[1mname")
    assert ESCAPES.sub("", drawn) == format_table(table, Format.TABLE) == format_table(table, Format.TABLE, 40)
    assert "[red]a[/red]  \\x1b[31mb" in drawn


ROW = ("ACCASSCCJ3MGUJRDJ8HDF", "build-bot-of-the-payments-team", "aws-external-anthropic.amazonaws.com", None)
WIDE = Table(("id", "user", "service", "expires"), (ROW, ROW))


def test_narrow_terminal() -> None:
    """A table wider than the terminal is shown row by row, with whole cells and without trailing spaces."""
    assert format_table(WIDE, Format.TABLE, 80).splitlines()[:6] == [
        "id       ACCASSCCJ3MGUJRDJ8HDF",
        "user     build-bot-of-the-payments-team",
        "service  aws-external-anthropic.amazonaws.com",
        "expires  -",
        "",
        "id       ACCASSCCJ3MGUJRDJ8HDF",
    ]
    assert "\x1b" not in format_table(WIDE, Format.TABLE, 80)
    coloured = format_table(WIDE, Format.TABLE, 80, is_coloured=True)
    assert coloured.startswith("\x1b[1mid")
    assert ESCAPES.sub("", coloured) == format_table(WIDE, Format.TABLE, 80)


def test_fits_exactly() -> None:
    """A terminal exactly as wide as the table shows it, and a narrower one does not."""
    width = max(map(len, format_table(WIDE, Format.TABLE).splitlines()))
    assert format_table(WIDE, Format.TABLE, width) == format_table(WIDE, Format.TABLE)
    assert format_table(WIDE, Format.TABLE, width - 1).startswith("id       ACCA")


def test_no_rows_on_a_terminal() -> None:
    """A table without rows shows its columns, even on a narrow terminal."""
    assert format_table(Table(WIDE.columns, ()), Format.TABLE, 10) == "id  user  service  expires"
