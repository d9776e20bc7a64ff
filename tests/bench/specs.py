"""The cost of loading specs compared with reading their YAML: the part of `make bench` without the engine.

It loads 5,000 users with 10,000 credentials from 100 files, from text to desired state: syntax, schema, rules. libyaml
composes the same files to nodes without interpreting them. Both alternate, and ratios are computed pair by pair,
because the speed of a machine may change.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from rich.console import Console
from rich.table import Table

from iamcreds.specs import load

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = 100
USERS_PER_FILE = 50
ROUNDS = 15

USER = """\
  user-{number:04}:
    credentials:
      - service: codecommit
        reset: "2026-11-01 laptop {number}"
      - {{service: bedrock, status: Active}}
    accessKeys: {{max: 1, maxAgeDays: 90}}
"""


def main() -> None:
    """Measure everything, and print one table."""
    with tempfile.TemporaryDirectory(prefix="iamcreds-bench-") as folder:
        files = write_specs(Path(folder))
        load(Path(folder))  # import and compile everything before the measurement
        pairs = [(measure(lambda: load(Path(folder))), measure(lambda: compose(files))) for _ in range(ROUNDS)]
    loading, composing = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    ratio = statistics.median(loaded / composed for loaded, composed in pairs)
    table = Table("files", "users", "load s", "yaml.compose with libyaml s", "ratio")
    table.add_row(f"{FILES}", f"{FILES * USERS_PER_FILE:,}", f"{loading:.2f}", f"{composing:.2f}", f"{ratio:.2f}")
    Console(width=100).print(table)


def write_specs(folder: Path) -> list[Path]:
    """Write the spec files, and return their paths."""
    files = [folder / f"team-{number:03}.yaml" for number in range(FILES)]
    for index, file in enumerate(files):
        numbers = range(index * USERS_PER_FILE, (index + 1) * USERS_PER_FILE)
        users = "".join(USER.format(number=number) for number in numbers)
        file.write_text(f'account: "123456789012"\nusers:\n{users}', "utf-8")
    return files


def compose(files: list[Path]) -> None:
    """Parse the files as YAML only."""
    for file in files:
        yaml.compose(file.read_text("utf-8"), Loader=yaml.CSafeLoader)


def measure(function: Callable[[], object]) -> float:
    """Return the wall time of a call, in seconds."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
