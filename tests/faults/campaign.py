"""Concurrent playback of cases: a pool of processes, each with its own IAM emulator."""

from __future__ import annotations

import subprocess
import tempfile
from concurrent.futures import as_completed
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from iamcreds.emulator.server import Emulator
from tests.faults.account import open_account
from tests.faults.playing import Outcome, Prepared, play, prepare
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.table import print_failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    from tests.faults.cases import Case


def prepare_scenario(scenario: Scenario, folder: Path, binaries: str) -> Prepared:
    """Prepare a scenario, in a process of the pool."""
    with Emulator() as emulator:
        return prepare(scenario, folder / scenario.name, binaries, open_account(emulator))


def play_case(case: Case, prepared: Prepared, folder: Path, binaries: str) -> Outcome:
    """Play a case, in a process of the pool. A failed step of the recovery is a problem of the case."""
    with tempfile.TemporaryDirectory(dir=folder) as home, Emulator() as emulator:
        try:
            return play(case, prepared, Path(home) / "case", binaries, open_account(emulator))
        except (AssertionError, subprocess.SubprocessError) as failure:
            return Outcome(problems=[f"the recovery fails: {failure}"])


def prepare_all(pool: Executor, folder: Path, binaries: str, ids: Sequence[str]) -> dict[str, Prepared]:
    """Prepare every scenario of the ids, and report each that fails without a fault."""
    started = {
        scenario.name: pool.submit(prepare_scenario, scenario, folder, binaries) for scenario in list_scenarios(ids)
    }
    for name, ended in started.items():
        if error := ended.exception():
            print_failure(name, error)
    return {name: ended.result() for name, ended in started.items() if not ended.exception()}


def list_scenarios(ids: Sequence[str]) -> list[Scenario]:
    """List the scenarios of the ids."""
    patterns = [case_id.partition(":")[0] for case_id in ids]
    return [scenario for scenario in SCENARIOS if any(fnmatchcase(scenario.name, pattern) for pattern in patterns)]


def play_all(
    pool: Executor, cases: Sequence[Case], prepared: dict[str, Prepared], folder: Path, binaries: str
) -> Iterator[tuple[Case, Outcome]]:
    """Play the cases, and yield each with its outcome when it ends."""
    started = {pool.submit(play_case, case, prepared[case.scenario.name], folder, binaries): case for case in cases}
    return ((started[ended], ended.result()) for ended in as_completed(started))
