"""Untrusted text in Markdown, in chat and at a terminal."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from iamcreds.text.escaping import (
    escape_invisible,
    escape_lines,
    escape_markdown,
    format_code,
    format_code_span,
    shorten,
)

ANY = st.text(max_size=60) | st.text("`|\\\\*_[]<>&@#~ \n\u202e", max_size=30)


def cell(text: str) -> str:
    """Return the HTML of the only cell of a table with this text."""
    table = f"| a |\n|---|\n| {text} |\n"
    rendered = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(table)
    (found,) = re.findall(r"<td>(.*?)</td>", rendered, flags=re.DOTALL)
    return str(found)


@given(ANY)
def test_code(text: str) -> None:
    """Any text in a table cell is one code span, or an empty cell."""
    assert re.fullmatch(r"(<code>[^<>]*</code>)?", cell(format_code(text)), flags=re.DOTALL)


@given(ANY)
def test_markdown(text: str) -> None:
    """Any text in a table cell is displayed unchanged, and everything except plain words is code."""
    shown = cell(escape_markdown(text))
    bare = re.sub(r"<code>[^<>]*</code>", "", shown)
    assert re.fullmatch("[A-Za-z0-9 ,.:;()'-]*", html.unescape(bare).replace('"', ""))
    assert html.unescape(re.sub("</?code>", "", shown)).split() == escape_invisible(text).split()


@given(ANY)
def test_code_span(text: str) -> None:
    """Any text becomes one code span of one line and bounded length, even for renderers without HTML."""
    span = format_code_span(text, 20)
    assert re.fullmatch(r"`[^`]*`", span)
    assert len(span) < 50
    assert span.isprintable()


@given(st.text())
def test_invisible(text: str) -> None:
    """The result contains nothing that a terminal would interpret, and escaping it again changes nothing."""
    assert escape_invisible(text).isprintable()
    assert escape_invisible(escape_invisible(text)) == escape_invisible(text)
    assert escape_lines(text).split("\n") == [escape_invisible(line) for line in text.split("\n")]


def test_shorten() -> None:
    """A text that is too long is truncated, with the number of omitted characters."""
    assert shorten("x" * 200) == "x" * 200
    assert shorten("x" * 1_300, 100) == f"{'x' * 100}… (1,200 more characters)"
