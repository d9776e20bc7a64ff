"""What the provider costs beside the engine: `make bench`.

Creates 100 and 1,000 credentials on the real engine against the embedded IAM, then previews them, without and with
50 ms a call, and does the same with a provider that does nothing, the engine's floor: as many resources, components and
stack outputs. Previews of both alternate, and ratios are taken pair by pair, for the machine's speed may drift. Calls
are counted by the embedded IAM and are exact.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from rich.console import Console
from rich.table import Table

from iamcreds.emulator.server import Emulator
from tests.e2e.stack import ROOT, Stack, create_stack, find_engine

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (100, 1000)
LATENCIES = (0.0, 0.05)
PREVIEWS = 5
SERVICES = ("codecommit", "bedrock")
USERS_A_FILE = 50
SECONDS = 1200

FLOOR = """
import pulumi

from tests.bench.nothing import Nothing

parts = [pulumi.ComponentResource("bench:index:Part", f"part-{{number}}") for number in range({parts})]
made = {{name: Nothing(name, parts[number % {parts}]) for number in range({count}) for name in [f"nothing-{{number}}"]}}
shown = {{name: {{"id": one.id, "user_name": one.user, "status": one.service}} for name, one in made.items()}}
pulumi.export("credentials", shown)
pulumi.export("secrets", {{name: one.user for name, one in made.items()}})
"""
"""The same number of resources, components and stack outputs as ours."""


@dataclass(frozen=True)
class Measured:
    """Wall time of a run, in seconds, and the IAM calls it made."""

    seconds: float
    calls: int


def main() -> None:
    """Measure, and print one table."""
    table = Table("credentials", "ms a call", "run", "wall s", "floor s", "ratio", "IAM calls")
    engine = find_engine()
    with Emulator() as emulator, tempfile.TemporaryDirectory(prefix="iamcreds-bench-") as folder:
        for size in SIZES:
            for latency in LATENCIES:
                place = Path(folder) / f"{size}-{latency}"
                for row in compare(place, engine, emulator, size, latency):
                    table.add_row(f"{size:,}", f"{latency * 1000:.0f}", *row)
    Console(width=100).print(table)


def compare(place: Path, engine: str, emulator: Emulator, size: int, latency: float) -> list[tuple[str, ...]]:
    """The rows of one size and latency."""
    emulator.controls.reset()
    users = create_users(emulator, size // len(SERVICES))
    ours, floor = stacks(place, engine, emulator.url, users, size)
    emulator.controls.set(latency=latency)
    rows = [row("up", [measure(emulator, ours.up)], [measure(emulator, floor.up)])]
    pairs = [
        (measure(emulator, ours.assert_no_changes), measure(emulator, floor.assert_no_changes)) for _ in range(PREVIEWS)
    ]
    return [*rows, row("preview, no changes", [pair[0] for pair in pairs], [pair[1] for pair in pairs])]


def stacks(place: Path, engine: str, url: str, users: list[str], size: int) -> tuple[Stack, Stack]:
    """A stack of ours with specs for the users, and one of as many resources that do nothing."""
    for name in ("ours", "floor"):
        (place / name).mkdir(parents=True)
    ours, floor = (create_stack(place / name, engine, url) for name in ("ours", "floor"))
    ours.seconds = floor.seconds = SECONDS
    ours.write_specs(
        **{f"team-{start}": spec(users[start : start + USERS_A_FILE]) for start in range(0, len(users), USERS_A_FILE)}
    )
    floor.write_program(FLOOR.format(count=size, parts=-(-len(users) // USERS_A_FILE)))
    floor.env["PYTHONPATH"] = str(ROOT)
    return ours, floor


def create_users(emulator: Emulator, count: int) -> list[str]:
    """Create so many IAM users; their names."""
    iam = boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )  # fmt: skip
    users = [f"user-{number:05}" for number in range(count)]
    for user in users:
        iam.create_user(UserName=user)
    return users


def spec(users: list[str]) -> str:
    """A spec file that gives each of the users a credential for every service."""
    credentials = ", ".join(f"{{service: {service}}}" for service in SERVICES)
    return "users:\n" + "".join(f"  {user}: {{credentials: [{credentials}]}}\n" for user in users)


def measure(emulator: Emulator, run: Callable[[], object]) -> Measured:
    """Run it once."""
    emulator.controls.clear_counts()
    started = time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    return Measured(
        seconds, sum(count for name, count in emulator.controls.counts().items() if name.startswith("iam:"))
    )


def row(name: str, ours: list[Measured], floor: list[Measured]) -> tuple[str, ...]:
    """Medians of both, and the median of the ratios of the pairs."""
    ratio = statistics.median(one.seconds / other.seconds for one, other in zip(ours, floor, strict=True))
    wall, bare = (statistics.median(one.seconds for one in runs) for runs in (ours, floor))
    calls = "/".join(str(count) for count in sorted({one.calls for one in ours}))
    return name, f"{wall:.1f}", f"{bare:.1f}", f"{ratio:.2f}", calls


if __name__ == "__main__":
    main()
