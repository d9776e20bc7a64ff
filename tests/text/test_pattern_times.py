"""Every pattern takes linear time on untrusted text."""

from __future__ import annotations

import ast
import functools
import itertools
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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
)
ENDS = ("", "\x00", "!", " ", ":")

MEASURABLE = 0.000_3
"""The shortest time, in seconds, that can be measured reliably."""
LONGEST = 4_000
"""The length, in characters, at which quadratic time is measurable."""
FACTORS = (1.25, 2, 4)
"""The factors of the compared lengths, smallest first, because four times the text might never end."""


def schema_patterns(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a schema
    """Yield every pattern in a schema: those of values, and the keys of `patternProperties`."""
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


def own_patterns() -> Iterator[tuple[str, str, bool]]:
    """Yield every pattern in our code: its location, the pattern, and if it may match anywhere in a text."""
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
                yield f"{path.relative_to(ROOT)}:{node.lineno}", str(node.args[0].value), is_free(node, tree, used)


def is_free(call: ast.Call, tree: ast.Module, used: dict[str, set[str]]) -> bool:
    """Return True if a pattern is searched for, and not only matched at the start of a text."""
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr != "compile":
        return call.func.attr not in ANCHORED
    names = [
        ast.unparse(node.targets[0]) for node in ast.walk(tree) if isinstance(node, ast.Assign) and node.value is call
    ]
    return any(not used.get(name, set()) <= ANCHORED for name in names)


SCHEMA = json.loads((ROOT / "specs/schema.json").read_text())
PATTERNS = {f"schema {pattern}": (pattern, True) for pattern in schema_patterns(SCHEMA)} | {
    f"{place} {pattern}": (pattern, free) for place, pattern, free in own_patterns()
}


def make_text(start: str, unit: str, end: str, length: int) -> str:
    """Return a text of about that length."""
    return start + unit * (length // len(unit)) + end


def hostile(pattern: str) -> Iterator[Callable[[int], str]]:
    """Yield generators of texts that start like the pattern, repeat a unit, and end unlike the pattern."""
    words = re.findall(r"[A-Za-z]+[:/]*|[`<=>-]{1,3}", pattern)
    for start, unit, end in itertools.product(
        ("", *dict.fromkeys(words[:2]), "/", "a: "), (*UNITS, *dict.fromkeys(words)), ENDS
    ):
        yield functools.partial(make_text, start, unit, end)


def measure(run: Callable[[str], object], text: str, runs: int = 1) -> float:
    """Return the shortest time of a few runs, in seconds."""
    best = float("inf")
    for _ in range(runs):
        begun = time.process_time()  # of this process only, because other processes would distort it
        run(text)
        best = min(best, time.process_time() - begun)
    return best


def is_linear(run: Callable[[str], object], make: Callable[[int], str]) -> bool:
    """Return True if the time is proportional to the length, as far as it can be measured."""
    length = 8
    while length < LONGEST:
        if measure(run, make(length), 2) > MEASURABLE:
            return all(grows_linearly(run, make, length, factor) for factor in FACTORS)
        length = length * 5 // 4
    return True


def grows_linearly(run: Callable[[str], object], make: Callable[[int], str], length: int, factor: float) -> bool:
    """Return True if the time grows with the length, and repeat the measurement on a busy machine."""
    longer = make(int(length * factor))
    return any(measure(run, longer, 3) < factor**1.5 * 1.25 * measure(run, make(length), 3) for _ in range(8))


@pytest.mark.parametrize("name", PATTERNS)
def test_linear(name: str) -> None:
    """Four times the text takes about four times as long."""
    pattern, free = PATTERNS[name]
    compiled = re.compile(pattern)
    run: Callable[[str], object] = (lambda text: compiled.sub("", text)) if free else compiled.fullmatch
    for make in hostile(pattern):
        assert is_linear(run, make), make(40)


@pytest.mark.parametrize(
    ("pattern", "text"), [("^/([!-~]+/)*$", "/" * 40), (r"(?:- +)*[^:]*:", "- " * 20), ("[a-z]+:", "a")]
)
def test_what_is_not_linear(pattern: str, text: str) -> None:
    """Exponential and quadratic patterns are detected by such texts."""
    compiled = re.compile(pattern)
    assert any(not is_linear(lambda text: compiled.sub("", text), make) for make in hostile(pattern)), text


def test_every_pattern_is_seen() -> None:
    """The collected patterns include those of the schema and of the code, counted in a different way."""
    text = (ROOT / "specs/schema.json").read_text()
    assert len([name for name in PATTERNS if name.startswith("schema")]) == len(
        set(re.findall(r'"pattern": ("[^\n]*")', text))
    )
    assert any("syntax.py" in name for name in PATTERNS)
    assert any("message.py" in name and free for name, (_, free) in PATTERNS.items())
