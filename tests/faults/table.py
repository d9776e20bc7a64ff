"""The printed report of a campaign."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.faults.cases import Case
    from tests.faults.playing import Outcome

CONSOLE = Console(width=140, highlight=False)
COLUMNS = (
    "fault",
    "injected",
    "not reached",
    "extra ups",
    "cancels",
    "commands executed",
    "orphans",
    "lost passwords",
    "leaks",
    "failed",
)


def print_case(case: Case, outcome: Outcome, *, said: bool) -> None:
    """Print a line for a case, and the reasons of a failure, optionally with the engine's output."""
    verdict = "good" if outcome.is_good else "FAILED"
    CONSOLE.print(f"{case.id} ({case.operation}): {verdict}, {outcome.ups} ups, {outcome.seconds:.0f} s", markup=False)
    for reason in _list_reasons(outcome):
        CONSOLE.print(f"    {reason}", markup=False)
    if said and not outcome.is_good:
        CONSOLE.print(outcome.said, markup=False, soft_wrap=True)


def print_failure(scenario: str, error: BaseException) -> None:
    """Print the reason why a scenario cannot be played."""
    CONSOLE.print(f"{scenario}: FAILED without a fault: {error}", markup=False)


def print_table(outcomes: Sequence[tuple[Case, Outcome]]) -> None:
    """Print the table with a row for each kind of fault, and the ids of failed cases."""
    table = Table(*COLUMNS)
    ordered = sorted(outcomes, key=lambda played: played[0].kind.name)
    for name, played in groupby(ordered, key=lambda played: played[0].kind.name):
        table.add_row(name, *_count([outcome for _, outcome in played]))
    table.add_section()
    table.add_row("all", *_count([outcome for _, outcome in ordered]))
    CONSOLE.print(table)
    for case, outcome in ordered:
        if not outcome.is_good:
            CONSOLE.print(f"failed: {case.id}", markup=False)


def _count(outcomes: Sequence[Outcome]) -> Iterable[str]:
    ups = [outcome.ups for outcome in outcomes]
    yield str(len(outcomes))
    yield str(sum(not outcome.is_met for outcome in outcomes))
    yield f"{sum(ups)}, at most {max(ups, default=0)}"
    for number in (
        sum(outcome.cancels for outcome in outcomes),
        sum(len(outcome.ways_out) for outcome in outcomes),
        sum(len(outcome.orphans) for outcome in outcomes),
        sum(len(outcome.lost) for outcome in outcomes),
        sum(outcome.leaks for outcome in outcomes),
        sum(not outcome.is_good for outcome in outcomes),
    ):
        yield str(number)


def _list_reasons(outcome: Outcome) -> Iterable[str]:
    yield from (f"orphan: {credential_id}" for credential_id in outcome.orphans)
    yield from (f"lost password: {credential_id}" for credential_id in outcome.lost)
    yield from (f"leaks: {outcome.leaks}" for _ in range(min(1, outcome.leaks)))
    yield from outcome.problems
