"""The fault suite: `python -m tests.faults [--sample] [--jobs N] [ID ...]`.

Tests every kind of fault at every call of every write path, with the real engine and the IAM emulator. The id of a
case, such as `create:lost-answer:4`, consists of scenario, kind and call; `*` in it matches any text. The exit code is
0 if every case passes, and 1 otherwise.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

from tests.e2e.stack import find_engine
from tests.faults.campaign import list_scenarios, play_all, prepare_all
from tests.faults.cases import make_cases, sample, select
from tests.faults.table import print_case, print_table


def main() -> int:
    """Play the selected cases, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--sample",
        action="store_true",
        help="a sample with every change of every scenario, every operation and every kind of fault",
    )
    parser.add_argument("--operation", default="*", help="only at calls of matching operations, such as 'iam:Create*'")
    parser.add_argument("--list", action="store_true", help="print the ids without playing the cases")
    parser.add_argument("--jobs", type=int, default=4, help="number of processes; a case waits about half of its time")
    parser.add_argument("--said", action="store_true", help="print the engine's output of failed cases")
    parser.add_argument("ids", nargs="*", metavar="ID", help="id or pattern, such as create:lost-answer:4 or 'reset:*'")
    options = parser.parse_args()
    ids = options.ids or ["*"]
    binaries = find_engine()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        prepared = prepare_all(pool, Path(name), binaries, ids)
        every = make_cases({scenario: found.calls for scenario, found in prepared.items()})
        cases = [case for case in every if fnmatchcase(case.operation, options.operation)]
        chosen = list(sample(cases) if options.sample else select(cases, ids))
        if options.list:
            sys.stdout.writelines(f"{case.id}  {case.operation}\n" for case in chosen)
            return 0
        outcomes = []
        for case, outcome in play_all(pool, chosen, prepared, Path(name), binaries):
            print_case(case, outcome, said=options.said)
            outcomes.append((case, outcome))
    print_table(outcomes)
    is_good = len(prepared) == len(list_scenarios(ids)) and all(outcome.is_good for _, outcome in outcomes)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
