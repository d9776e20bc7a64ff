"""The cost of credentials with the real engine, compared with its floor: a part of `make bench`.

The floor is the plain SDK with the same number of resources, components and stack outputs, and a provider that does
nothing. Both run with the IAM emulator. Compared runs alternate, and ratios are computed pair by pair, because the
speed of a machine may change. The IAM emulator counts the calls exactly.

    python -m tests.bench.bench                 everything, at 1,000 credentials
    python -m tests.bench.bench preview state   some parts
    python -m tests.bench.bench up --size 200   a smaller size
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from rich.console import Console
from rich.table import Table

from iamcreds.emulator.server import Emulator
from tests.e2e.stack import ROOT, WITHOUT_CHECKPOINTS, Stack, create_stack, find_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

PARTS = ("filling", "preview", "throttled", "state", "up")
SERVICES = ("codecommit", "bedrock")
USERS_A_FILE = 50
SECONDS = 1200
RATE = 20
"""The number of calls per second that IAM allows in the throttled preview."""

FLOOR = """
import pulumi

from tests.bench.nothing import Nothing

parts = [pulumi.ComponentResource("bench:index:Part", f"part-{{number}}") for number in range({parts})]
made = {{name: Nothing(name, parts[number % {parts}]) for number in range({count}) for name in [f"nothing-{{number}}"]}}
shown = {{name: {{"id": one.id, "user_name": one.user, "status": one.service}} for name, one in made.items()}}
pulumi.export("credentials", shown)
pulumi.export("secrets", {{name: one.user for name, one in made.items()}})
"""
"""A program with the same number of resources, components and stack outputs as ours."""


@dataclass(frozen=True)
class Measured:
    """The wall time of a run, in seconds, and the number of its calls."""

    seconds: float
    calls: int


@dataclass(frozen=True)
class Row:
    """A row of the table: a measure, its value, the compared value, their ratio, and the goal."""

    measure: str
    ours: str
    beside: str
    ratio: str
    goal: str
    calls: str = ""


def main() -> None:
    """Measure the selected parts, and print one table."""
    parser = argparse.ArgumentParser(description="Measure credentials with the real engine, compared with its floor.")
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS), help="parts to measure, by default all")
    parser.add_argument("--size", type=int, default=1000, help="number of credentials")
    parser.add_argument("--pairs", type=int, default=3, help="number of previews of each kind")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    table = Table(f"{options.size:,} credentials", "ours", "compared with", "ratio", "goal", "IAM calls")
    with Emulator() as emulator, tempfile.TemporaryDirectory(prefix="iamcreds-bench-") as folder:
        for row in run_parts(emulator, Path(folder), options.parts or PARTS, options.size, options.pairs):
            table.add_row(row.measure, row.ours, row.beside, row.ratio, row.goal, row.calls)
    Console(width=120).print(table)


def run_parts(emulator: Emulator, folder: Path, parts: Collection[str], size: int, pairs: int) -> Iterator[Row]:
    """Yield the rows of the selected parts."""
    if set(parts) - {"up"}:
        yield from run_filled(emulator, folder / "filled", parts, size, pairs)
    if "up" in parts:
        emulator.controls.reset()
        ours, floor = create_stacks(emulator, folder / "up", size)
        runs = [(measure(emulator, ours.up), measure(emulator, floor.up))]
        yield compare("up, every step a checkpoint", runs, "the floor", 0.8)


def run_filled(emulator: Emulator, folder: Path, parts: Collection[str], size: int, pairs: int) -> Iterator[Row]:
    """Yield the rows of stacks that were filled without checkpoints."""
    ours, floor = create_stacks(emulator, folder, size)
    filling, _ = (measure(emulator, partial(fill, stack)) for stack in (ours, floor))
    previews = [
        (measure(emulator, ours.assert_no_changes), measure(emulator, floor.assert_no_changes)) for _ in range(pairs)
    ]
    if "filling" in parts:
        beside = [(filling, preview) for preview, _ in previews]
        yield compare("up without checkpoints", beside, "a preview", 1.3)
    if "preview" in parts:
        yield compare("preview, no changes", previews, "the floor", 0.8)
    if "throttled" in parts:
        throttled = [preview_throttled(emulator, ours) for _ in range(pairs)]
        yield compare(f"preview at {RATE} calls a second", throttled, "unthrottled", 1.2)
    if "state" in parts:
        alone, whole = ([measured / size for measured in map(read, (ours, floor))] for read in (sum_sizes, read_size))
        yield Row("bytes of state each, resource only", f"{alone[0]:,.0f}", f"{alone[1]:,.0f} the floor", "", "1,800")
        yield Row("bytes of state each, in total", f"{whole[0]:,.0f}", f"{whole[1]:,.0f} the floor", "", "")


def preview_throttled(emulator: Emulator, stack: Stack) -> tuple[Measured, Measured]:
    """Measure a preview with a limited rate of IAM calls, and one without a limit."""
    emulator.controls.set(rate=RATE)
    throttled = measure(emulator, stack.assert_no_changes)
    emulator.controls.set(rate=None)
    return throttled, measure(emulator, stack.assert_no_changes)


def fill(stack: Stack) -> None:
    """Create everything, without checkpoints, because the file backend would rewrite the whole state at each step."""
    stack.succeed("up", "--yes", "--skip-preview", **WITHOUT_CHECKPOINTS)


def sum_sizes(stack: Stack) -> int:
    """Return the size of the resources in bytes, as the backend writes them, without the stack's outputs."""
    return sum(len(json.dumps(resource, separators=(",", ":"))) for resource in stack.read_resources().values())


def read_size(stack: Stack) -> int:
    """Return the size of the whole state in the file backend, in bytes."""
    backend = stack.folder.parent / "backend"
    return sum(file.stat().st_size for file in backend.glob(".pulumi/stacks/**/*.json"))


def create_stacks(emulator: Emulator, folder: Path, size: int) -> tuple[Stack, Stack]:
    """Create a stack with specs for that many credentials, and one with as many resources that do nothing."""
    users = create_users(emulator.url, size // len(SERVICES))
    for name in ("ours", "floor"):
        (folder / name).mkdir(parents=True)
    ours, floor = (create_stack(folder / name, find_engine(), emulator.url) for name in ("ours", "floor"))
    ours.seconds = floor.seconds = SECONDS
    parts = [users[start : start + USERS_A_FILE] for start in range(0, len(users), USERS_A_FILE)]
    ours.write_specs(**{f"team-{number:03}": spec(part) for number, part in enumerate(parts)})
    floor.write_program(FLOOR.format(count=size, parts=len(parts)))
    floor.env["PYTHONPATH"] = str(ROOT)
    return ours, floor


def create_users(url: str, count: int) -> list[str]:
    """Create that many IAM users on the endpoint, and return their names."""
    iam = boto3.client(
        "iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )  # fmt: skip
    users = [f"user-{number:05}" for number in range(count)]
    for user in users:
        iam.create_user(UserName=user)
    return users


def spec(users: list[str]) -> str:
    """Return a spec file with a credential for each of the users and services."""
    credentials = ", ".join(f"{{service: {service}}}" for service in SERVICES)
    return "users:\n" + "".join(f"  {user}: {{credentials: [{credentials}]}}\n" for user in users)


def measure(emulator: Emulator, run: Callable[[], object], services: tuple[str, ...] = ("iam:",)) -> Measured:
    """Run the function once, and measure it and its calls to these services."""
    emulator.controls.clear_counts()
    started = time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    calls = sum(count for name, count in emulator.controls.counts().items() if name.startswith(services))
    return Measured(seconds, calls)


def compare(name: str, pairs: list[tuple[Measured, Measured]], beside: str, goal: float) -> Row:
    """Return the medians of both, and the median of the ratios of the pairs."""
    ratio = statistics.median(one.seconds / other.seconds for one, other in pairs)
    ours, others = (statistics.median(measured.seconds for measured in side) for side in zip(*pairs, strict=True))
    calls = "/".join(str(count) for count in sorted({one.calls for one, _ in pairs}))
    return Row(name, f"{ours:.1f} s", f"{others:.1f} s {beside}", f"{ratio:.2f}", f"{goal}", calls)


if __name__ == "__main__":
    main()
