"""The coverage of each test, from one run of all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest

from tests.mutants.trying import enter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from tests.mutants.mutations import Mutant


@dataclass(frozen=True)
class Covering:
    """The covered lines of each test.

    Attributes:
        seconds: the duration by test.
        lines: the tests by file and line.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[str, list[str]]]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the relevant tests, fastest first; for code that runs at import, all tests that cover the file."""
        by_line = self.lines.get(str(mutant.path), {})
        lines = [str(mutant.line)] if mutant.is_within_function else list(by_line)
        tests = {test for line in lines for test in by_line.get(line, [])}
        return sorted(tests, key=lambda test: (self.seconds[test], test))

    def limit(self, tests: Iterable[str]) -> float:
        """Return the time limit of the tests in seconds."""
        return 30 + 5 * sum(self.seconds[test] for test in tests)


def cover(copy: Path, tests: Sequence[str]) -> Covering:
    """Run the tests, and return their coverage.

    Raises:
        RuntimeError: the tests fail without a mutation.
    """
    out = copy / ".covering.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants.covering", str(copy), str(out), *tests],
        check=False, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError("the tests fail without any mutation")
    return Covering(**json.loads(out.read_text()))


class _Watching:
    """A plugin of pytest that separates the coverage of the tests and measures their durations."""

    def __init__(self, measuring: coverage.Coverage) -> None:
        self.seconds: dict[str, float] = {}
        self._measuring = measuring

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Attribute the coverage from here on to this test."""
        self._measuring.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up the durations of setup, call and teardown."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration


def _main() -> int:
    copy, out, *tests = sys.argv[1:]
    enter(copy)
    measuring = coverage.Coverage(data_file=None, include=[f"{copy}/iamcreds/*", f"{copy}/dynamic_providers/*"])
    watching = _Watching(measuring)
    measuring.start()
    code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests], plugins=[watching])
    measuring.stop()
    data = measuring.get_data()
    lines = {
        str(Path(name).relative_to(copy)): {
            str(line): [context for context in contexts if context]
            for line, contexts in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }
    Path(out).write_text(json.dumps({"seconds": watching.seconds, "lines": lines}))
    return int(code)


if __name__ == "__main__":
    sys.exit(_main())
