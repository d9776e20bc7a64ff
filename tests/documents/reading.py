"""Read documents: fenced blocks, the commands in them, links and headings; and parse command lines."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import click
from markdown_it import MarkdownIt

from iamcreds.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_SEPARATORS = re.compile(r"[|&;<>()]+")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT = re.compile(r"\w+=")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the options after it, its text, and the heading above it."""

    language: str
    options: str
    text: str
    heading: str


def blocks(document: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a document."""
    heading = ""
    for token, after in pairwise(_MARKDOWN.parse(document.read_text("utf-8") + "\n---\n")):
        if token.type == "heading_open" and token.tag in ("h1", "h2"):
            heading = after.content
        elif token.type == "fence":
            language, _, options = token.info.partition(" ")
            yield Block(language, options, token.content, heading)


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the words of every simple command of a shell block, including those within `$(…)`."""
    text = block.text
    if block.language == "console":
        text = "".join(f"{line[2:]}\n" for line in text.splitlines() if line.startswith("$ "))
    for script in [*_SUBSTITUTION.findall(text), _SUBSTITUTION.sub("SUBSTITUTED", text)]:
        for line in _lines(script):
            yield from _simple_commands(line)


def _lines(script: str) -> Iterator[str]:
    """Yield complete lines: a quoted text or a backslash continues on the next line."""
    whole = ""
    for line in script.splitlines():
        whole += line
        if whole.endswith("\\"):
            whole = whole[:-1]
        elif whole.count('"') % 2:
            whole += "\n"
        else:
            yield whole
            whole = ""


def _simple_commands(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if not _SEPARATORS.fullmatch(word):
            words.append(word)
            continue
        if words and words[0] != "export":
            yield list(_without_assignments(words))
        words = []


def _without_assignments(words: list[str]) -> Iterator[str]:
    leading = True
    for word in words:
        leading = leading and _ASSIGNMENT.match(word) is not None
        if not leading:
            yield word


def links(document: Path) -> Iterator[str]:
    """Yield the targets of the links and images of a document."""
    for token in _inline(document):
        target = token.attrs.get("href", token.attrs.get("src"))
        if target is not None:
            yield str(target)


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub assigns to a document's headings."""
    tokens = _MARKDOWN.parse(document.read_text("utf-8"))
    headings = (after.content for token, after in pairwise(tokens) if token.type == "heading_open")
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _inline(document: Path) -> Iterator[Token]:
    for token in _MARKDOWN.parse(document.read_text("utf-8")):
        yield from token.children or ()


def parse(words: list[str]) -> None:
    """Parse the words after `iamcreds` as the command line would, without running the command or reading a preview.

    Raises:
        click.UsageError: the command or option does not exist.
    """
    command: click.Command = main
    context: click.Context | None = None
    while isinstance(command, click.Group):
        context = click.Context(command, parent=context, info_name="iamcreds")
        name, found, words = command.resolve_command(context, words)
        assert found is not None, name
        command = found
    words = ["-" if word == "preview.json" else word for word in words]
    command.make_context("iamcreds", words, parent=context)
