"""Mutants: `python -m tests.mutants [--seed S] [--number N|all] [PATH ...]`, or `make mutants`.

Changes one thing at a time in a copy of the code that decides about credentials. Then runs the tests that cover the
changed line and need no engine. A mutant that no test detects survives: a test is missing, or the change has no effect.
The working tree stays unchanged.
The exit code is 0 if at least 95% of the tried mutants were killed. It is 1 if fewer were killed or none was tried.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from tests.mutants.covering import Covering, cover
from tests.mutants.mutations import Mutant, find_mutants
from tests.mutants.trying import SURVIVED, TIMED_OUT, copy_tree, start_server, try_tests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.context import ForkServerContext

ROOT = Path(__file__).resolve().parent.parent.parent
MUTATED = (
    "iamcreds/aws",
    "iamcreds/pulumi_engine",
    "iamcreds/planning",
    "iamcreds/drift",
    "iamcreds/pull_request/gate.py",
    "dynamic_providers",
)
TESTS = (
    "tests/aws",
    "tests/commands/test_list.py",
    "tests/commands/test_permissions.py",
    "tests/planning",
    "tests/drift",
    "tests/pull_request",
    "tests/providers",
    "--deselect=tests/drift/test_scale.py",  # measures speed
)
GOAL = 0.95


def main() -> int:
    """Try the selected mutants, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--seed", default="1", help="seed of the sample")
    parser.add_argument("--number", default="100", metavar="N", help="number of mutants, or all")
    parser.add_argument("--minutes", type=float, default=10, help="time limit; the results so far count")
    parser.add_argument("--jobs", type=int, default=2, help="number of processes")
    parser.add_argument("paths", nargs="*", default=MUTATED, metavar="PATH", help="only in these files and folders")
    options = parser.parse_args()
    started = time.monotonic()
    mutants = [mutant for path in find_sources(options.paths) for mutant in find_mutants(ROOT, path)]
    chosen = choose(mutants, options.number, options.seed)
    outcomes = []
    with tempfile.TemporaryDirectory() as name:
        copies = [Path(name, str(number)) for number in range(options.jobs)]
        for copy in copies:
            copy_tree(ROOT, copy)
        covering = cover(copies[0], TESTS)
        end = started + options.minutes * 60 if options.number != "all" else None
        for mutant, verdict in try_all(chosen, covering, copies, end):
            print_mutant(mutant, verdict)
            outcomes.append(verdict)
    killed = len(outcomes) - outcomes.count("survived")
    sys.stdout.write(
        f"seed {options.seed}: {len(outcomes)} of {len(mutants)} mutants tried, {killed} killed,"
        f" {len(outcomes) - killed} survived, in {time.monotonic() - started:.0f} seconds\n"
    )
    return 0 if outcomes and killed >= GOAL * len(outcomes) else 1


def find_sources(paths: Sequence[str]) -> Iterator[Path]:
    """Yield the modules below these paths, relative to the root, in sorted order."""
    for path in paths:
        found = sorted((ROOT / path).rglob("*.py")) if (ROOT / path).is_dir() else [ROOT / path]
        yield from (module.relative_to(ROOT) for module in found)


def choose(mutants: Sequence[Mutant], number: str, seed: str) -> list[Mutant]:
    """Return all mutants, or a random sample, which is the same for the same seed and code."""
    if number == "all":
        return list(mutants)
    return random.Random(seed).sample(mutants, min(int(number), len(mutants)))  # noqa: S311 - a sample


def try_all(
    mutants: Sequence[Mutant], covering: Covering, copies: Sequence[Path], end: float | None
) -> Iterator[tuple[Mutant, str]]:
    """Yield each mutant with `killed`, `killed by time` or `survived`, until the end (monotonic clock)."""
    context = start_server()
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def judge(mutant: Mutant) -> str | None:
        if end is not None and time.monotonic() > end:
            return None
        copy = free.get()
        try:
            return try_mutant(context, copy, mutant, covering)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        for mutant, verdict in zip(mutants, pool.map(judge, mutants), strict=True):
            if verdict is not None:
                yield mutant, verdict


def try_mutant(context: ForkServerContext, copy: Path, mutant: Mutant, covering: Covering) -> str:
    """Return `survived` if no test that covers the line fails, and otherwise how the mutant was killed."""
    tests = covering.tests_of(mutant)
    if not tests:
        return "survived"
    with changed(copy / mutant.path, mutant.make_source()):
        code = try_tests(context, copy, tests, covering.limit(tests))
    return {SURVIVED: "survived", TIMED_OUT: "killed by time"}.get(code, "killed")


@contextmanager
def changed(path: Path, source: str) -> Iterator[None]:
    """Replace the content of the file temporarily."""
    before = path.read_text()
    path.write_text(source)
    try:
        yield
    finally:
        path.write_text(before)


def print_mutant(mutant: Mutant, verdict: str) -> None:
    """Print one line with the verdict, the source location and the change."""
    sys.stdout.write(f"{verdict}  {mutant.path}:{mutant.line}  {mutant.before}  =>  {mutant.after}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
