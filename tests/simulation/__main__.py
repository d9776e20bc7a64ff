"""`python -m tests.simulation N` plays N histories, and exits with code 1 if one of them breaks a rule."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.play import play
from tests.simulation.run import run
from tests.simulation.seeds import make_history


def main() -> int:
    """Parse the arguments and play the histories."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Play histories by seed.")
    parser.add_argument("count", type=int, nargs="?", default=2000, help="number of histories")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--known", action="append", default=[], help="a rule to ignore")
    parser.add_argument("--tell", action="store_true", help="play only this seed and print every event")
    arguments = parser.parse_args()
    if arguments.tell:
        broken = play(make_history(arguments.seed), tell=_write)
        _write("".join(f"BROKEN {violation}\n" for violation in broken))
        return 1 if broken else 0
    return 0 if run(arguments.count, arguments.seed, arguments.known, _write) else 1


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
