"""Patterns that meet text from outside: their work grows in proportion to the text, whatever the text is."""

from __future__ import annotations

import ast
import functools
import itertools
import json
import operator
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.text.backtracking import Search, TooManyStepsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
METHODS = {"findall", "finditer", "fullmatch", "match", "search", "split", "sub"}
ANCHORED = {"fullmatch", "match"}
UNITS = (
    "a",
    "A",
    "0",
    "1",
    "/",
    ":",
    "- ",
    "-",
    " ",
    "\t",
    "\n",
    "=",
    "`",
    "<",
    "|",
    "+",
    ".",
    "_",
    "a/",
    "a:",
    "a-",
    "e",
    "é",
    "{",
    "{{",
    "{%",
    "${",
)
ENDS = ("", "\x00", "!", " ", ":")

REPEATS = 40
STEPS_PER_CHARACTER = 12
"""More than any linear search takes, and a quarter of the steps of a quadratic one in a text of `REPEATS` units."""


class Pattern(NamedTuple):
    """A regular expression in use; a free one is searched for anywhere in a text."""

    text: str
    flags: re.RegexFlag = re.NOFLAG
    is_free: bool = True


def schema_patterns(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a schema
    """Every pattern in a schema: those of values, and those that keys of `patternProperties` are."""
    match part:
        case dict():
            if isinstance(part.get("pattern"), str):
                yield part["pattern"]
            yield from part.get("patternProperties", {})
            for value in part.values():
                yield from schema_patterns(value)
        case list():
            for value in part:
                yield from schema_patterns(value)


def own_patterns() -> Iterator[tuple[str, Pattern]]:
    """Yield the source location and the pattern of each call of `re` in the product."""
    trees = {
        path: ast.parse(path.read_text())
        for name in ("iamcreds", "dynamic_providers")
        for path in sorted(ROOT.glob(f"{name}/**/*.py"))
    }
    used: dict[str, set[str]] = {}
    for node in itertools.chain.from_iterable(map(ast.walk, trees.values())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            used.setdefault(ast.unparse(node.func.value).rpartition(".")[2], set()).add(node.func.attr)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and ast.unparse(node.func.value) == "re"
            ):
                continue
            if node.func.attr in METHODS | {"compile"} and isinstance(node.args[0], ast.Constant):
                pattern = Pattern(str(node.args[0].value), find_flags(node), is_free(node, tree, used))
                yield f"{path.relative_to(ROOT)}:{node.lineno} {pattern.text}", pattern


def find_flags(call: ast.Call) -> re.RegexFlag:
    """Return the flags among the arguments of a call of `re`."""
    arguments = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    names = [node.attr for node in itertools.chain(*map(ast.walk, arguments)) if isinstance(node, ast.Attribute)]
    return functools.reduce(operator.or_, (getattr(re, name) for name in names if name.isupper()), re.NOFLAG)


def is_free(call: ast.Call, tree: ast.Module, used: dict[str, set[str]]) -> bool:
    """Return True if a pattern is searched for, and not only compared with the beginning of a text."""
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr != "compile":
        return call.func.attr not in ANCHORED
    names = [
        ast.unparse(node.targets[0]) for node in ast.walk(tree) if isinstance(node, ast.Assign) and node.value is call
    ]
    return any(not used.get(name, set()) <= ANCHORED for name in names)


SCHEMA = json.loads((ROOT / "specs/schema.json").read_text())
PATTERNS = {f"schema {text}": Pattern(text) for text in schema_patterns(SCHEMA)} | dict(own_patterns())


def make_text(start: str, unit: str, end: str, repeats: int) -> str:
    """Return a text with a repeated unit."""
    return start + unit * repeats + end


def hostile(pattern: str) -> Iterator[Callable[[int], str]]:
    """Yield makers of texts that begin as the pattern does, repeat a unit, and end as the pattern does not."""
    words = re.findall(r"[A-Za-z]+[:/]*|[`<=>-]{1,3}", pattern)
    for start, unit, end in itertools.product(
        ("", *dict.fromkeys(words[:2]), "/", "a: "), (*UNITS, *dict.fromkeys(words)), ENDS
    ):
        yield functools.partial(make_text, start, unit, end)


def is_linear(pattern: Pattern, text: str) -> bool:
    """Return True if all matches in a text are found within a few steps per character."""
    search = Search(pattern.text, pattern.flags, text, STEPS_PER_CHARACTER * (len(text) + 1))
    try:
        list(search.spans()) if pattern.is_free else search.fullmatch()
    except TooManyStepsError:
        return False
    return True


@pytest.mark.parametrize("name", PATTERNS)
def test_linear(name: str) -> None:
    """The steps of a search grow in proportion to the text."""
    for make in hostile(PATTERNS[name].text):
        assert is_linear(PATTERNS[name], make(REPEATS)), make(8)


@pytest.mark.parametrize("text", ["^/([!-~]+/)*$", r"(?:- +)*[^:]*:", "[a-z]+:"])
def test_not_linear(text: str) -> None:
    """An exponential and two quadratic patterns are detected; the last one only because a search starts anywhere."""
    assert any(not is_linear(Pattern(text), make(REPEATS)) for make in hostile(text))


@pytest.mark.parametrize("name", PATTERNS)
def test_counted_search(name: str) -> None:
    """The search whose steps are counted has the results of `re`."""
    pattern = PATTERNS[name]
    compiled = re.compile(pattern.text, pattern.flags)
    for make in hostile(pattern.text):
        text = make(3)
        search = Search(pattern.text, pattern.flags, text, most_steps=1000)
        assert list(search.spans()) == [match.span() for match in compiled.finditer(text)]
        assert search.fullmatch() == bool(compiled.fullmatch(text))


def test_every_pattern_is_seen() -> None:
    """The patterns of the schema and of the code are found, by other means too."""
    text = (ROOT / "specs/schema.json").read_text()
    assert len([name for name in PATTERNS if name.startswith("schema")]) == len(
        set(re.findall(r'"pattern": ("[^\n]*")', text))
    )
    assert any("syntax.py" in name for name in PATTERNS)
    assert any("sending.py" in name and pattern.is_free for name, pattern in PATTERNS.items())
