"""The cost of importing a whole account: a part of `make bench`.

The account has 5,000 existing credentials of half as many users. The steps are `iamcreds dump`, a first `pulumi up`
with its output, a preview, and drift against the state. The first `up` must change nothing in AWS, and the preview must
be clean. The stack is filled without checkpoints, because the file backend would rewrite the whole state at each step.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from iamcreds.emulator.server import Emulator
from tests.bench.bench import SECONDS
from tests.bench.drift import FILLING
from tests.drift.accounts import fill, names
from tests.e2e.stack import Stack, create_stack, find_engine

if TYPE_CHECKING:
    from collections.abc import Callable

CREDENTIALS = 5_000
MEGABYTES = 300
WRITES = ("Create", "Reset", "Update", "Delete")


def main() -> None:
    """Measure everything, and print one table."""
    table = Table("step", "s", "calls to IAM", "writes", "MB")
    with tempfile.TemporaryDirectory(prefix="iamcreds-bench-") as folder, Emulator() as emulator:
        fill(names(CREDENTIALS // 2))
        stack = create_stack(Path(folder), find_engine(), emulator.url)
        stack.seconds = SECONDS
        state = Path(folder) / "state.json"
        dump = ["iamcreds", "dump", "--to", "specs"]
        drift = ["iamcreds", "drift", "specs", "--state", str(state)]
        steps: dict[str, Callable[[], int]] = {
            "dump": lambda: run(stack, dump),
            "validate": lambda: run(stack, ["iamcreds", "validate", "specs"]),
            "up, adopting": lambda: pulumi(stack, "up", "--yes", "--skip-preview"),
            "preview": lambda: pulumi(stack, "preview", "--expect-no-changes"),
            "stack export": lambda: pulumi(stack, "stack", "export", "--file", str(state)),
            "drift --state": lambda: run(stack, drift),
        }
        for name, step in steps.items():
            emulator.controls.clear_counts()
            started = time.monotonic()
            memory = step()
            seconds = time.monotonic() - started
            counts = emulator.controls.counts()
            writes = sum(counts.get(f"iam:{write}ServiceSpecificCredential", 0) for write in WRITES)
            calls = sum(number for operation, number in counts.items() if operation.startswith("iam:"))
            table.add_row(name, f"{seconds:.1f}", str(calls), str(writes), str(memory or ""))
            assert writes == 0, f"{name} wrote"
            assert memory < MEGABYTES, f"{name} took {memory} MB"
    Console(width=100).print(table)


def run(stack: Stack, command: list[str]) -> int:
    """Run a command, which must succeed, and return its peak memory in MB."""
    measured = ["/usr/bin/env", "python3", "-c", _MEASURE, *command]
    done = subprocess.run(
        measured, cwd=stack.folder, env=stack.env, check=True, timeout=SECONDS, stdout=subprocess.PIPE, text=True
    )
    return int(done.stdout.splitlines()[-1]) // 1024


_MEASURE = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def pulumi(stack: Stack, *arguments: str) -> int:
    """Run the engine, which must succeed; its memory is not measured."""
    stack.succeed(*arguments, **FILLING)
    return 0


if __name__ == "__main__":
    main()
