"""Playback of histories by seed, with a report of the broken rules, each with its shortest history."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.play import play
from tests.simulation.seeds import make_history
from tests.simulation.shrink import shrink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tests.simulation.history import Step
    from tests.simulation.rules import Violation


@dataclass(frozen=True)
class Failure:
    """A seed whose history breaks a rule, and the shortest history that breaks it."""

    seed: int
    violation: Violation
    shortest: tuple[Step, ...]

    def __str__(self) -> str:
        steps = "".join(f"\n  - {step}" for step in self.shortest)
        return f"seed {self.seed}: {self.violation}{steps}"


def play_seeds(seeds: Iterable[int], *, known: Iterable[str] = ()) -> Iterator[Failure]:
    """Play the history of every seed, and yield the first failure of each rule that is not known to be broken."""
    seen = set(known)
    for seed in seeds:
        history = make_history(seed)
        for violation in play(history):
            if violation.rule not in seen:
                seen.add(violation.rule)
                yield _shortest(seed, history, violation)


def _shortest(seed: int, history: Sequence[Step], violation: Violation) -> Failure:
    found = [violation]

    def breaks(candidate: Sequence[Step]) -> bool:
        broken = [other for other in play(candidate) if other.rule == violation.rule]
        found.extend(broken)
        return bool(broken)

    shortest = shrink(history, breaks)
    return Failure(seed, found[-1], tuple(shortest))


def run(count: int, first: int, known: Iterable[str], write: Callable[[str], None]) -> bool:
    """Play that many histories from the first seed, print the results, and return True if no rule was broken."""
    started = time.monotonic()
    failures = 0
    for failure in play_seeds(range(first, first + count), known=known):
        failures += 1
        write(f"{failure}\n")
    seconds = time.monotonic() - started
    write(f"{count} histories, seeds {first} to {first + count - 1}, in {seconds:.0f} s: {failures} rules broken")
    return not failures
