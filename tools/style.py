"""List texts that are not plain technical English, and sentences of more than 25 words: `make style`.

    python -m tools.style [FILE…]

The patterns come from the rules and terms of the style guide. They find the words that made earlier texts read like a
translation. vale would need less code, but a dependency of its Go module is not in the public module proxy, and
proselint does not support custom rules.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tools.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 25
"""The maximum number of words in a sentence."""

EXCLUDED = re.compile(
    r"^(\.|CHANGELOG\.md|uv\.lock|tools/(.*/go\.|style\.py)|iamcreds/project/locked/|tests/e2e/recorded/"
    r"|tests/documents/test_style\.py|tests/(specs|pull_request|report|state)/.*\.(json|yaml)$)"
)
"""Recorded and generated files, the history of releases, and the banned words themselves."""
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
    "because": r"(?<=, )for(?= (?:[\w']+ ){1,4}(?:is|are|was|were|has|have|can|may|does|do)\b)",
    "is not a valid": r"(?<!there )(?:is|are) no(?= (?!longer|more|less|later|earlier|older|newer|such)[a-z])",
    "if, when, unless": r"(?:^|(?<=[.,;:] ))[Ww]here(?= (?:an?|the|it|there|that|this|its|one|none|IAM|AWS)\b)",
    "create": r"(?:is|are|was|were|be|been|being) (?:re)?made",
    "IAM emulator": r"embedded IAM",
    "existing, actual": r"live(?=[ .,;)]|$)",
    "subject first": r"(?:^|(?<=\. ))Of(?= )",
}
PATTERNS = {advice: re.compile(rf"(?<![\w.-])(?:{words})(?![\w-])", re.MULTILINE) for advice, words in BANNED.items()}

EXCEPTIONS = {
    "AS live": "a column of a query",
    "user  live": "a column of a query",
    "profile (nobody)": "the name of a profile",
    "(nobody\\)": "the name of a profile",
    "user nobody": "the name of a user",
    "nobody: {": "the name of a user",
    "such user: nobody": "the name of a user",
    "refuse a": "a word that the test's provider reads",
    "tell: ": "the name of a parameter",
    "this is what went wrong": "an error of a different program",
    "take it out, or call it pulumist": "prose that is not a command",
    '"switched-off"': "the name of a rule, in the schema",
    "service-not-allowed, switched-off": "the name of a rule, in the description of a field",
    "the embedded IAM only": "the passphrase of local stacks, whose states a change would make unreadable",
}
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
            yield Text(file, node.lineno, remove_code(node.value), node in docstrings)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(file, token.start[0], remove_code(token.string))


def _read_markdown(file: str, source: str) -> Iterator[Text]:
    fenced = False
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield Text(file, number, remove_code(line))


def remove_code(text: str) -> str:
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


def find_long_sentences(file: str) -> Iterator[str]:
    """Yield the source location and the text of each sentence of a file that has more than 25 words."""
    for text in read_texts(file):
        for sentence in re.split(r"(?<=[.!?])\s+|\n\s*\n|\n\s*[-|*#]|\|", text.text):
            if len(sentence.split()) > LONGEST:
                line = text.line + text.text.count("\n", 0, text.text.index(sentence))
                yield f"{file}:{line}: {len(sentence.split())} words: {' '.join(sentence.split())}"


if __name__ == "__main__":
    for name in sys.argv[1:] or list_files():
        for line in (*find_violations(name), *find_long_sentences(name)):
            print(line)  # noqa: T201 - this is a command
