"""The cost of a drift run compared with a full preview: a part of `make bench`.

It measures a preview without changes, and a drift run that also checks an access key of every user. The accounts have
1,000 and 5,000 credentials, half as many users, and a latency of 50 ms for each call. The stack is filled without
checkpoints, because the file backend would rewrite the whole state at each step.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from iamcreds.emulator.server import Emulator
from tests.bench.bench import SECONDS, SERVICES, USERS_A_FILE, Measured, measure, spec
from tests.drift.accounts import fill, names, write_specs
from tests.e2e.stack import Stack, create_stack, find_engine

LATENCY = 0.05
PAIRS = {1_000: 3, 5_000: 1}
POLICY = "{max: 1, maxAgeDays: 90, maxIdleDays: 30}"
FILLING = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}


def main() -> None:
    """Measure everything, and print one table."""
    table = Table("credentials", "drift s", "preview s", "preview : drift", "IAM calls of drift", "of preview")
    with tempfile.TemporaryDirectory(prefix="iamcreds-bench-") as folder:
        for credentials, pairs in PAIRS.items():
            table.add_row(f"{credentials:,}", *compare(Path(folder) / str(credentials), credentials, pairs))
    Console(width=100).print(table)


def compare(location: Path, credentials: int, pairs: int) -> tuple[str, ...]:
    """Return the cells of one size: medians, the median ratio of the pairs, and exact calls."""
    users = names(credentials // len(SERVICES))
    location.mkdir()
    with Emulator() as emulator:
        fill(users, services=(), access_keys=1)
        stack = filled(location, emulator.url, users)
        watched = write_specs(location / "watched", users, SERVICES, policy=POLICY)
        emulator.controls.set(latency=LATENCY)
        measured = [
            (measure(emulator, stack.assert_no_changes), measure(emulator, lambda: drift(stack, watched)))
            for _ in range(pairs)
        ]
    return cells(measured)


def filled(location: Path, url: str, users: list[str]) -> Stack:
    """Return a stack whose resources all exist."""
    stack = create_stack(location, find_engine(), url)
    stack.seconds = SECONDS
    parts = [users[start : start + USERS_A_FILE] for start in range(0, len(users), USERS_A_FILE)]
    stack.write_specs(**{f"team-{number:03}": spec(part) for number, part in enumerate(parts)})
    stack.succeed("up", "--yes", "--skip-preview", **FILLING)
    return stack


def drift(stack: Stack, specs: Path) -> None:
    """Run a drift detection that finds nothing."""
    command = ["iamcreds", "drift", str(specs)]
    subprocess.run(command, env=stack.env, check=True, timeout=SECONDS, stdout=subprocess.DEVNULL)


def cells(measured: list[tuple[Measured, Measured]]) -> tuple[str, ...]:
    """Return the cells of a row for pairs of a preview and a drift run."""
    previews, drifts = zip(*measured, strict=True)
    walls = (statistics.median(one.seconds for one in runs) for runs in (drifts, previews))
    ratio = statistics.median(preview.seconds / run.seconds for preview, run in measured)
    calls = ("/".join(str(count) for count in sorted({one.calls for one in runs})) for runs in (drifts, previews))
    return (*(f"{seconds:.1f}" for seconds in walls), f"{ratio:.1f}", *calls)


if __name__ == "__main__":
    main()
