"""The cost of rotating credentials compared with plain ones: a part of `make bench`.

One stack has 1,000 rotating credentials with two slots each. A second stack has 1,000 users with two plain credentials.
Both have 2,000 resources, each in an account of its own. Their previews alternate, and the ratio is computed pair by
pair. A changed trigger rotates at once, so filling the stack costs two creates per credential.

    python -m tests.bench.rotation              1,000 rotating credentials
    python -m tests.bench.rotation --size 100   a smaller size
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from iamcreds.emulator.server import Emulator
from tests.bench.bench import (
    SECONDS,
    SERVICES,
    USERS_A_FILE,
    Row,
    compare,
    create_users,
    fill,
    measure,
    read_size,
    spec,
    sum_sizes,
)
from tests.e2e.stack import ROOT, Stack, create_stack, find_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOAL = 1.1
BYTES = 2_800
ROTATING = "{{credentials: [{{service: codecommit, rotate: {{every: 90d, trigger: '{trigger}', overlap: 7d}}}}]}}"
PREVIOUS = "previous"


def main() -> None:
    """Measure previews and states, and print one table."""
    parser = argparse.ArgumentParser(description="Measure rotating credentials, compared with plain ones.")
    parser.add_argument("--size", type=int, default=1000, help="number of rotating credentials")
    parser.add_argument("--pairs", type=int, default=3, help="number of previews of each kind")
    options = parser.parse_args()
    table = Table(f"{options.size:,} credentials", "rotating", "compared with", "ratio", "goal", "IAM calls")
    temporary = tempfile.TemporaryDirectory(prefix="iamcreds-bench-")
    with Emulator() as emulator, start_emulator() as other, temporary as folder:
        for row in run(emulator, other, Path(folder), options.size, options.pairs):
            table.add_row(row.measure, row.ours, row.beside, row.ratio, row.goal, row.calls)
    Console(width=120).print(table)


def run(emulator: Emulator, other: str, folder: Path, size: int, pairs: int) -> Iterator[Row]:
    """Yield the rows; the stack with plain credentials uses the other emulator."""
    rotating = create_filled(emulator.url, folder / "rotating", size, spec_rotating("1"), spec_rotating("2"))
    plain = create_filled(other, folder / "plain", size, spec)
    require_pairs(rotating, size)
    previews = [
        (measure(emulator, rotating.assert_no_changes), measure(emulator, plain.assert_no_changes))
        for _ in range(pairs)
    ]
    yield compare("preview, no changes", previews, "users with two plain ones", GOAL)
    for measured, read in (("resources only", sum_sizes), ("in total", read_size)):
        ours, one = read(rotating) / size, read(plain) / size / len(SERVICES)
        more = f"{ours - one:,.0f} more"
        yield Row(f"bytes of state each, {measured}", f"{ours:,.0f}", f"{one:,.0f} a plain one", more, f"{BYTES:,}")


@contextmanager
def start_emulator() -> Iterator[str]:
    """Start an IAM emulator in a process of its own, which has a second account, and yield its URL."""
    command = [str(Path(sys.executable).with_name("iamcreds")), "emulator", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            printed = "" if process.stdout is None else process.stdout.readline()
            yield re.findall(r"http://[0-9.:]+", printed)[0]
        finally:
            process.terminate()


def create_filled(url: str, folder: Path, size: int, *specs: Callable[[list[str]], str]) -> Stack:
    """Create a stack for that many users, and apply one version of its specs after the other."""
    stack, parts = create_with_users(url, folder, size)
    for write in specs:
        stack.write_specs(**{name: write(users) for name, users in parts.items()})
        fill(stack)
    return stack


def create_with_users(url: str, folder: Path, size: int) -> tuple[Stack, dict[str, list[str]]]:
    """Create a stack and that many users; return the users of each of its spec files, too."""
    users = create_users(url, size)
    folder.mkdir()
    stack = create_stack(folder, find_engine(), url)
    stack.seconds = SECONDS
    starts = range(0, len(users), USERS_A_FILE)
    return stack, {f"team-{start:05}": users[start : start + USERS_A_FILE] for start in starts}


def spec_rotating(trigger: str) -> Callable[[list[str]], str]:
    """Return a function that writes a spec file with a rotating credential for each of the users."""
    credentials = ROTATING.format(trigger=trigger)
    return lambda users: "users:\n" + "".join(f"  {user}: {credentials}\n" for user in users)


def require_pairs(stack: Stack, size: int) -> None:
    """Require that each credential was rotated, so that both slots exist."""
    credentials = stack.read_outputs()["credentials"].values()
    rotated = sum(PREVIOUS in each for each in credentials)
    if rotated != size:
        raise SystemExit(f"{rotated} of {size} credentials were rotated")


if __name__ == "__main__":
    main()
