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
from iamcreds.text.tables import Format, Table, format_document, format_table, make_table

ROWS = Table(("user", "count(*)", "expires"), (("jane", 2, None), ("=1+1", -3, "on")))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
CELLS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT
ESCAPES = re.compile("\x1b\\[[0-9;]*m")


def test_table_of() -> None:
    """Things become rows in the order of the columns, with dates in UTC and what is not known as nothing."""
    key = AccessKey("AKIA1", "jane", Status.ACTIVE, datetime(2026, 11, 1, 9, 30, tzinfo=UTC))
    found = make_table([key], ["user", "status", "created", "last_used"])
    assert found == Table(
        ("user", "status", "created", "last_used"), (("jane", "Active", "2026-11-01T09:30:00Z", None),)
    )
    assert type(found.rows[0][1]) is str


def test_json() -> None:
    """JSON has a mapping for every row."""
    assert json.loads(format_document(ROWS.records(), Format.JSON)) == [
        {"user": "jane", "count(*)": 2, "expires": None},
        {"user": "=1+1", "count(*)": -3, "expires": "on"},
    ]


def test_yaml() -> None:
    """YAML quotes every text, so that no reader takes a user or a date for something else."""
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
    """No rows are an empty list, not nothing."""
    assert format_document([], form) == "[]"
    assert yaml.safe_load(format_document({"users": [], "marker": None}, form)) == {
        "users": [],
        "marker": None,
    }


@given(st.lists(st.dictionaries(ANY_TEXT, CELLS, min_size=1), max_size=3))
def test_whatever_is_written_is_read(rows: list[dict[str, Any]]) -> None:
    """Any text and number comes out of JSON and YAML as it went in."""
    assert json.loads(format_document(rows, Format.JSON)) == rows
    assert yaml.safe_load(format_document(rows, Format.YAML)) == rows


@given(ANY_TEXT)
def test_documents_are_printable(any_text: str) -> None:
    """JSON and YAML have no character that could speak to a terminal."""
    for form in (Format.JSON, Format.YAML):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", format_document([{"a": any_text}], form))


def test_csv() -> None:
    """CSV is empty where there is nothing, and marks what a spreadsheet would run; numbers are left alone."""
    assert format_table(ROWS, Format.CSV).splitlines() == ["user,count(*),expires", "jane,2,", "'=1+1,-3,on"]


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_has_no_formulas(beginning: str) -> None:
    """No cell and no heading of a CSV begins as a formula does."""
    written = format_table(Table((f"{beginning}a",), ((f"{beginning}cmd|' /C calc'!A0",),)), Format.CSV)
    for row in csv.reader(io.StringIO(written, newline="")):
        assert row[0].startswith(f"'{beginning}")


def test_csv_quotes() -> None:
    """Commas, quotes and line breaks stay within their cell."""
    row = ('a,b "c"\nd', "e")
    assert list(csv.reader(io.StringIO(format_table(Table(("x", "y"), (row,)), Format.CSV))))[1] == list(row)


def test_plain_table() -> None:
    """Where no terminal shows it, a table is aligned text without colours, lines or spaces at the ends of lines."""
    assert format_table(ROWS, Format.TABLE).splitlines() == [
        "user  count(*)  expires",
        "jane  2         -",
        "=1+1  -3        on",
    ]


def test_plain_table_is_never_cut() -> None:
    """Where no terminal shows it, nothing is cut, however long, and every row is one line."""
    long = "x" * 5000
    assert format_table(Table(("a", "b"), ((long, "c\nd"),)), Format.TABLE).splitlines()[1] == f"{long}  c\\nd"


def test_wide_characters() -> None:
    """Characters that take two columns are counted as two."""
    assert format_table(Table(("a", "b"), (("日本", "1"), ("x", "2"))), Format.TABLE) == "a     b\n日本  1\nx     2"


def test_terminal_table() -> None:
    """On a terminal a table keeps within its width, loses nothing, and takes no text for markup or for escapes."""
    drawn = format_table(
        Table(("name", "note"), (("[red]a[/red]", "\x1b[31mb " + "x" * 60), ("c", None))), Format.TABLE, 40
    )
    lines = ESCAPES.sub("", drawn).splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert "[red]a[/red]" in drawn
    assert "\\x1b[31mb" in ESCAPES.sub("", drawn).replace("\n", "")
    assert sum(line.count("x") for line in lines) == 61


def test_long_terminal_table() -> None:
    """A table too long to be drawn in good time is plain on a terminal, too."""
    rows = Table(("a",), (("b",),) * 1001)
    assert format_table(rows, Format.TABLE, 80) == format_table(rows, Format.TABLE)


def test_ids_are_whole() -> None:
    """At 80 columns an id stands in one line, whatever is beside it, for it is there to be copied."""
    row = ("ACCASSCCJ3MGUJRDJ8HDF", "build-bot-of-the-payments-team", "aws-external-anthropic.amazonaws.com", "x" * 60)
    drawn = format_table(Table(("id", "user", "service", "login"), (row, (None, *row[1:]))), Format.TABLE, 80)
    assert "ACCASSCCJ3MGUJRDJ8HDF" in drawn
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", drawn).splitlines())) <= 80
