"""Which tests run which lines, by a run of all of them under coverage."""

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
    """What the tests run.

    Attributes:
        seconds: by test, in what time it runs.
        lines: by file and line, the tests that run it.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[str, list[str]]]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that could notice, fastest first; of what runs at import those that run anything of the file."""
        by_line = self.lines.get(str(mutant.path), {})
        lines = [str(mutant.line)] if mutant.is_within_function else list(by_line)
        tests = {test for line in lines for test in by_line.get(line, [])}
        return sorted(tests, key=lambda test: (self.seconds[test], test))

    def limit(self, tests: Iterable[str]) -> float:
        """Seconds after which they are taken to hang."""
        return 30 + 5 * sum(self.seconds[test] for test in tests)


def cover(copy: Path, tests: Sequence[str]) -> Covering:
    """Run the tests.

    Raises:
        RuntimeError: they fail as it is.
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
    """A plugin of pytest that has coverage tell the tests apart, and measures them."""

    def __init__(self, measuring: coverage.Coverage) -> None:
        self.seconds: dict[str, float] = {}
        self._measuring = measuring

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Everything from here on is run by this test."""
        self._measuring.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up setting up, calling and tearing down."""
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
