"""`python -m tests.bench.drift`: wall time and calls of a drift run at 1,000 and 5,000 credentials, 50 ms a call."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from iamcreds.emulator.controls import Settings
from iamcreds.emulator.server import Emulator
from tests.drift.accounts import fill, names, write_specs

LATENCY = 0.05
SIZES = (1_000, 5_000)
SECONDS = 300
POLICY = "{max: 1, maxAgeDays: 90}"
# As the `iamcreds drift` of a shell, in a process of its own.
PROGRAM = "from iamcreds.commands.drift import command; command()"


@dataclass(frozen=True)
class Measured:
    """A drift run: how many credentials, seconds of wall time, and calls of each operation."""

    credentials: int
    seconds: float
    calls: dict[str, int]

    def __str__(self) -> str:
        iam = sum(number for name, number in self.calls.items() if name.startswith("iam:"))
        each = ", ".join(f"{name.removeprefix('iam:')} {number}" for name, number in self.calls.items())
        return f"drift, {self.credentials:,} credentials: {self.seconds:.1f} s, {iam} calls to IAM ({each})"


def measure(credentials: int, latency: float = LATENCY) -> Measured:
    """One drift run over so many credentials, two for each user, where nothing differs."""
    users = names(credentials // 2)
    with Emulator(settings=Settings(latency=latency)) as emulator, tempfile.TemporaryDirectory() as folder:
        fill(users, access_keys=1)
        specs = write_specs(Path(folder) / "specs", users, policy=POLICY)
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(specs)],
            env=_environment(emulator.url), check=True, timeout=SECONDS, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return Measured(credentials, time.monotonic() - began, emulator.controls.counts())


def _environment(url: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return {
        **kept,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def main() -> None:
    """Measure and print every size."""
    for size in SIZES:
        print(measure(size), flush=True)  # noqa: T201 - what a benchmark is for


if __name__ == "__main__":
    main()
