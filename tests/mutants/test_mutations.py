"""Tests of the mutated code, the omitted code, and the selection of tests."""

from __future__ import annotations

from pathlib import Path

from tests.mutants.__main__ import choose, find_sources
from tests.mutants.covering import Covering
from tests.mutants.mutations import find_mutants

SOURCE = '''"""What this is."""
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    LIMIT = 4

Either: TypeAlias = int | str
Item = TypeVar("Item")
__all__ = ["is_full"]
LIMIT = 2


def is_full(number: "int | None") -> bool:
    if number is None:
        raise ValueError("it is not known")
    return number >= LIMIT
'''


def test_find_mutants(tmp_path: Path) -> None:
    """Executable code is mutated, one change at a time; types, imports, documentation and sentences are not."""
    (tmp_path / "places.py").write_text(SOURCE)
    found = [(mutant.line, mutant.before, mutant.after) for mutant in find_mutants(tmp_path, Path("places.py"))]
    assert found == [
        (10, "LIMIT = 2", "LIMIT = None"),
        (10, "2", "3"),
        (14, "is", "is not"),
        (15, 'ValueError("it is not known")', "ValueError(None)"),
        (16, ">= LIMIT", "> LIMIT"),
    ]


def test_source_of_a_mutant(tmp_path: Path) -> None:
    """The source of a mutant is the whole file with one change."""
    (tmp_path / "places.py").write_text(SOURCE)
    *_, last = find_mutants(tmp_path, Path("places.py"))
    assert last.make_source() == SOURCE.replace(">=", ">")


def test_tests_of_a_mutant(tmp_path: Path) -> None:
    """Tests that cover the line run, fastest first; for code that runs at import, all tests that cover the file run."""
    (tmp_path / "places.py").write_text(SOURCE)
    covering = Covering({"a": 2.0, "b": 1.0, "c": 3.0}, {"places.py": {"15": ["c"], "16": ["a", "b"]}})
    first, *_, last = find_mutants(tmp_path, Path("places.py"))
    assert covering.tests_of(last) == ["b", "a"]
    assert covering.tests_of(first) == ["b", "a", "c"]
    assert Covering({}, {}).tests_of(last) == []


def test_choose(tmp_path: Path) -> None:
    """The same seed chooses the same mutants, a different seed chooses different ones, and `all` chooses all."""
    (tmp_path / "places.py").write_text(SOURCE)
    mutants = list(find_mutants(tmp_path, Path("places.py")))
    assert choose(mutants, "3", "1") == choose(mutants, "3", "1")
    assert choose(mutants, "3", "1") != choose(mutants, "3", "2")
    assert choose(mutants, "all", "1") == mutants
    assert set(choose(mutants, "9", "1")) == set(mutants)


def test_find_sources() -> None:
    """A folder selects the modules in it."""
    assert list(find_sources(["iamcreds/pull_request/gate.py"])) == [Path("iamcreds/pull_request/gate.py")]
    assert Path("iamcreds/aws/credentials.py") in set(find_sources(["iamcreds/aws"]))
