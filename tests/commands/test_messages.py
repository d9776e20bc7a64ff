"""The commands that messages recommend exist."""

from __future__ import annotations

import ast
import re
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest

from tests.documents.reading import parse
from tests.text.test_commands import take_apart

ROOT = Path(__file__).parents[2]
SOURCES = [path for room in ("iamcreds", "dynamic_providers", "tools") for path in sorted((ROOT / room).rglob("*.py"))]
QUOTED = re.compile(r"`((?:[^`|]+\| )?(?:iamcreds(?! (?:VALUE|NAME))|aws iam) [^`]+)`")
MANY = 12
"""The minimum number of commands in messages and docstrings."""


def read_texts(node: ast.AST) -> list[str]:
    """Return the texts in a module; each formatted value becomes VALUE."""
    match node:
        case ast.JoinedStr(values=parts):
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else "VALUE" for part in parts)]
        case ast.Constant(value=str(text)):
            return [text]
    return [text for child in ast.iter_child_nodes(node) for text in read_texts(child)]


COMMANDS = sorted(
    {
        " ".join(found.split())
        for source in SOURCES
        for text in read_texts(ast.parse(source.read_text()))
        for found in QUOTED.findall(text)
    }
)


@pytest.mark.parametrize("told", COMMANDS)
def test_told_commands(told: str) -> None:
    """Each command that a text quotes is valid for the command line, or an operation of IAM."""
    program, *words = shlex.split(told.rpartition("| ")[2])
    if program == "aws":
        take_apart(shlex.join([program, *words]))
        return
    with suppress(click.MissingParameter, click.exceptions.Exit, IndexError):  # only the name of the command is quoted
        parse([word for word in words if word != "--help"])


def test_there_are_some() -> None:
    """The search finds commands."""
    assert len(COMMANDS) >= MANY
    assert "iamcreds list credentials --all-users" in COMMANDS
