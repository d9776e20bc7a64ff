"""The cost of delivered credentials compared with plain ones: a part of `make bench`.

One stack delivers each password to Secrets Manager, and a second stack keeps each password in its state. Both have one
credential per user, each in an account of its own. Their previews alternate, and the ratio is computed pair by pair.

    python -m tests.bench.delivery              1,000 delivered credentials
    python -m tests.bench.delivery --size 100   a smaller size
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from iamcreds.emulator.server import Emulator
from tests.bench.bench import Row, compare, fill, measure, read_size, sum_sizes
from tests.bench.rotation import create_with_users, start_emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.bench import Measured
    from tests.e2e.stack import Stack

PREVIEW_GOAL, UP_GOAL = 1.15, 1.6
BYTES = 100
REGION = "eu-west-1"
CALLS = ("iam:", "secretsmanager:")
PLAIN = "{service: codecommit}"
DELIVERED = '{service: codecommit, deliver: {secretsManager: {name: "{service}/{user}"}}}'


def main() -> None:
    """Measure previews, updates and states, and print one table."""
    parser = argparse.ArgumentParser(description="Measure delivered credentials, compared with plain ones.")
    parser.add_argument("--size", type=int, default=1000, help="number of delivered credentials")
    parser.add_argument("--pairs", type=int, default=3, help="number of previews of each kind")
    options = parser.parse_args()
    table = Table(f"{options.size:,} credentials", "delivered", "compared with", "ratio", "goal", "AWS calls")
    temporary = tempfile.TemporaryDirectory(prefix="iamcreds-bench-")
    with Emulator() as emulator, start_emulator() as other, temporary as folder:
        for row in run(emulator, other, Path(folder), options.size, options.pairs):
            table.add_row(row.measure, row.ours, row.beside, row.ratio, row.goal, row.calls)
    Console(width=120).print(table)


def run(emulator: Emulator, other: str, folder: Path, size: int, pairs: int) -> Iterator[Row]:
    """Yield the rows; the stack with plain credentials uses the other emulator."""
    delivered = create(emulator.url, folder / "delivered", size, DELIVERED)
    plain = create(other, folder / "plain", size, PLAIN)

    def measure_both(run_one: Callable[[Stack], object]) -> tuple[Measured, Measured]:
        ours, one = (measure(emulator, partial(run_one, stack), CALLS) for stack in (delivered, plain))
        return ours, one

    yield compare("up without checkpoints", [measure_both(fill)], "plain ones", UP_GOAL)
    previews = [measure_both(lambda stack: stack.assert_no_changes()) for _ in range(pairs)]
    yield compare("preview, no changes", previews, "plain ones", PREVIEW_GOAL)
    for measured, read in (("resources only", sum_sizes), ("in total", read_size)):
        ours, one = read(delivered) / size, read(plain) / size
        more = f"{ours - one:,.0f} more"
        yield Row(f"bytes of state each, {measured}", f"{ours:,.0f}", f"{one:,.0f} a plain one", more, f"{BYTES:,}")


def create(url: str, folder: Path, size: int, credential: str) -> Stack:
    """Create a stack with specs that declare this credential for each of that many users; nothing is applied."""
    stack, parts = create_with_users(url, folder, size)
    stack.env["AWS_REGION"] = REGION
    lines = {name: [f"  {user}: {{credentials: [{credential}]}}\n" for user in users] for name, users in parts.items()}
    stack.write_specs(**{name: "users:\n" + "".join(each) for name, each in lines.items()})
    return stack


if __name__ == "__main__":
    main()
