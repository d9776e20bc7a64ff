"""Every text that a person reads is plain technical English: no banned word, no banned opening.

The patterns come from the style guide's rules and terms. They find the words that made earlier texts read like a
translation. vale would do this with less code, but its Go module cannot be built from the public module proxy, and
proselint has no rules of one's own.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
EXCLUDED = re.compile(
    r"^(\.|CHANGELOG\.md|LICENSE|uv\.lock|tools/.*/go\.|iamcreds/project/locked/|tests/e2e/recorded/"
    r"|tests/(specs|pull_request|report|state)/.*\.(json|yaml|expected|golden|txt|sarif)$|tests/documents/test_style\.py$)"
)
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".j2", ".json", ".js"}

OPENING = re.compile(r"\s*(What|Whether|Where|Who|Whom|Whose|Of|How|Why) ")
"""The openings that no docstring has, because a docstring starts with a verb or a noun phrase."""

BANNED = {
    "a noun instead of a what clause": r"what(?![^.?!]*\?)",
    "report, print, show, list, return": r"tell|tells|told|telling",
    "declare, set, specify, show": r"say|says|said|saying",
    "no one, a person, a user, unmanaged": r"nobody|nobody's|somebody|somebody's|whoever|whom",
    "unmanaged, unknown, another user": r"strangers?|foreign(?! key)",
    "reject, rejection, error": r"refus(?:e|es|ed|al|als|ing)",
    "import, adopt, activate, deactivate, remove, delete": r"tak(?:e|es|en|ing) (?:it |them |that )?(?:out|over|away)",
    "next to, in addition to": r"beside(?!s)",
    "only": r"alone",
    "response": r"answer(?:s|ed|ing)?",
    "apply": r"ma(?:k|d)es? (?:it |them )?so",
    "activate, deactivate": r"switch(?:ed|es|ing)?[- ](?:\w+ )?(?:on|off)",
    "because": r"(?<=, )for(?! (?:example|instance|each|every|both|all))",
    "is not a valid": r"(?:is|are) no(?= (?!longer|more|less|later|earlier|older|newer|different|such)[a-z])",
    "if, when, unless": r"(?:^|(?<=[.,;:] ))[Ww]here(?= (?:an?|the|it|there|that|this|its|one|none|IAM|AWS)\b)",
    "create": r"(?:is|are|was|were|be|been|being) (?:re)?made",
    "IAM emulator": r"embedded IAM",
    "existing, actual": r"live(?=[ .,;:)]|$)",
    "subject first": r"(?:^|(?<=\. ))Of(?= )",
}
PATTERNS = {advice: re.compile(rf"(?<![\w.-])(?:{words})(?![\w-])", re.MULTILINE) for advice, words in BANNED.items()}

EXCEPTIONS: dict[str, str] = {}
"""Texts that contain a banned word for a reason: the text, and the reason."""


class Text(NamedTuple):
    """A text that a person reads, with its source location."""

    file: str
    line: int
    text: str
    is_docstring: bool = False


def read_texts(file: str) -> Iterator[Text]:
    """Yield the texts of a file of the repository."""
    source = (ROOT / file).read_text()
    match Path(file).suffix:
        case ".py":
            yield from _read_python(file, source)
        case ".md":
            yield from _read_markdown(file, source)
        case _:
            yield from (Text(file, number, line) for number, line in enumerate(source.splitlines(), 1))


def _read_python(file: str, source: str) -> Iterator[Text]:
    docstrings: set[ast.AST] = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for body in ("body", "orelse", "finalbody"):
            docstrings |= (
                {
                    child.value
                    for child in getattr(node, body, ()) or ()
                    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
                }
                if isinstance(getattr(node, body, None), list)
                else set()
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield Text(file, node.lineno, _remove_code(node.value), node in docstrings)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(file, token.start[0], _remove_code(token.string))


def _read_markdown(file: str, source: str) -> Iterator[Text]:
    fenced = False
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield Text(file, number, _remove_code(line))


def _remove_code(text: str) -> str:
    """Replace code spans and link targets, which are names and not prose, with a word."""
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)|::\w+", "CODE", text)


def list_files() -> list[str]:
    """List the files that contain texts."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    files = (path for folder in (ROOT, *folders) for path in folder.glob("*" if folder == ROOT else "**/*"))
    texts = (path for path in files if path.suffix in SUFFIXES or path.name == "Makefile")
    names = (path.relative_to(ROOT).as_posix() for path in texts)
    return sorted(name for name in names if not EXCLUDED.search(name))


def find_violations(file: str) -> Iterator[str]:
    """Yield the source location, the word and the advice of each violation in a file."""
    for text in read_texts(file):
        if text.is_docstring and OPENING.match(text.text):
            yield f"{file}:{text.line}: the docstring starts with {text.text.split()[0]}: use a verb or a noun phrase"
        for advice, pattern in PATTERNS.items():
            for match in pattern.finditer(text.text):
                if not any(phrase in text.text for phrase in EXCEPTIONS):
                    line = text.line + text.text.count("\n", 0, match.start())
                    yield f"{file}:{line}: {match[0]}: {advice}"


@pytest.mark.parametrize("file", list_files())
def test_plain_english(file: str) -> None:
    """The file has no banned word and no docstring with a banned opening."""
    assert list(find_violations(file)) == []


@pytest.mark.parametrize("phrase", EXCEPTIONS)
def test_exceptions_are_used(phrase: str) -> None:
    """Each exception still occurs in a text."""
    assert any(phrase in text.text for file in list_files() for text in read_texts(file))
