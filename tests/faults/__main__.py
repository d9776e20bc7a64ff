"""The fault suite: `python -m tests.faults [--sample] [--jobs N] [ID ...]`.

Every kind of fault at every call of every write path, with the real engine against the embedded IAM. A case's id, such
as `create:lost-answer:4`, is scenario, kind and call; `*` in it stands for anything. Exit code 0: all is as it has to
be; 1: it is not.
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
    """Play what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--sample",
        action="store_true",
        help="a part: every change of every scenario, every operation, every kind of fault",
    )
    parser.add_argument("--operation", default="*", help="only at calls of these, such as 'iam:Create*'")
    parser.add_argument("--list", action="store_true", help="print the ids and play nothing")
    parser.add_argument("--jobs", type=int, default=4, help="processes; a case waits about as long as it works")
    parser.add_argument("--said", action="store_true", help="print what the engine said in the cases that failed")
    parser.add_argument("ids", nargs="*", metavar="ID", help="such as create:lost-answer:4 or 'reset:*'")
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
