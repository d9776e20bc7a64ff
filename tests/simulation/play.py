"""Playback of a history: edits of specs, manual changes, runs of the engine, and then a period of rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.simulation.clock import Clock, EndlessError
from tests.simulation.engine import Run
from tests.simulation.history import (
    STACKS,
    Adopt,
    Change,
    Configure,
    Declare,
    Drop,
    Guard,
    Human,
    Limit,
    Rename,
    Restore,
    Start,
    Swap,
    Taint,
    Unmanaged,
    Wait,
    Weather,
    Work,
)
from tests.simulation.humans import act, find_live
from tests.simulation.machine import Machine
from tests.simulation.process import new_process, stage
from tests.simulation.program import Program
from tests.simulation.rest import Rest
from tests.simulation.rules import Record, Violation
from tests.simulation.state import Stack
from tests.simulation.world import USERS, Conditions, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.simulation.history import Edit, Step
    from tests.simulation.program import Declared

LAG = 60.0
"""Seconds after which every list shows a change."""

AGE_OF_USERS = 3600.0
"""Age of the users, in seconds, at the start of a history."""

NOBODYS = "ACCANOBODYS0000000000"
"""An id that does not exist."""


def play(history: Iterable[Step], *, tell: Callable[[str], None] = lambda _line: None) -> list[Violation]:
    """Play a history, and return the first violation of each rule."""
    with stage():
        player = Player(tell)
        try:
            for step in history:
                player.step(step)
            player.rest()
        except EndlessError as error:
            player.record.broken("endless", str(error))
    first = {violation.rule: violation for violation in reversed(player.record.violations)}
    return list(reversed(first.values()))


class Player:
    """The account, the stacks and the clock of a history.

    Args:
        tell: receives a line about each event.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.clock = Clock()
        self.record = Record()
        self.machine = Machine()
        self.world = World(self.clock)
        self.elsewhere = World(self.clock, "999999999999")
        for world in (self.world, self.elsewhere):
            for user in USERS:
                world.add_user(user)
        self.clock.seconds += AGE_OF_USERS
        self.stacks = [Stack(name, Program(is_yaml=name == STACKS[0])) for name in STACKS]

    def step(self, step: Step) -> None:
        """Play a step; a step without an applicable target does nothing."""
        self.tell(f"- {step}")
        match step:
            case Human():
                act(step, self.world, self.record)
            case Weather():
                self.world.conditions = step.conditions
            case Wait():
                self.clock.seconds += step.seconds
            case Work():
                self._work(step)
            case _:
                self._edit(step, self.stacks[step.stack])

    def _edit(self, step: Edit, stack: Stack) -> None:  # noqa: C901 - a case for each kind
        match step:
            case Declare():
                stack.program.declare(step.declared)
            case Adopt():
                stack.program.declare(self._adopting(step))
            case Unmanaged():
                stack.program.unmanaged[step.user] = step.action
            case Drop():
                stack.program.drop(step.name)
            case Rename():
                stack.program.rename(step.name, step.new, was=step.was)
            case Swap():
                stack.program.swap(step.user, step.service)
            case Change():
                stack.program.change(step.name, dict(step.fields))
            case Taint():
                stack.taint(step.name)
            case Configure():
                stack.config_changed = True
            case Guard():
                stack.program.account = self.world.account
            case Limit():
                stack.program.max_rotations = step.number
            case Restore():
                stack.restore(step.runs)
                self.record.restored(stack, self.world)
        self.record.find_leaked(stack, self.world)

    def _adopting(self, step: Adopt) -> Declared:
        found = find_live(self.world, step.user, step.service, step.nth)
        if found is None:
            return replace(step.declared, adopt=NOBODYS)
        return replace(step.declared, adopt=found.id, password=self.world.secrets[found.id] if step.knows else None)

    def _work(self, step: Work) -> None:
        self.record.quiet = self._is_quiet(step)
        self.record.forget_touches(self.clock.seconds - LAG)
        machine = None if step.apart else self.machine
        runs = [self._run(start, step.seed + number, machine) for number, start in enumerate(step.runs)]
        for start, run in zip(step.runs, runs, strict=True):
            run.start(start.after)
        for after, human in step.humans:
            self.clock.spawn(lambda human=human: act(human, self.world, self.record), after=after)  # type: ignore[misc]
        self.clock.play()
        for run in runs:
            self._end(run)

    def _is_quiet(self, step: Work) -> bool:
        """Return True if only the specs can make a run fail."""
        noisy = any(run.faults or run.kill or run.elsewhere or run.options.narrowed for run in step.runs)
        return self.world.conditions == Conditions() and not step.humans and len(step.runs) == 1 and not noisy

    def _run(self, start: Start, seed: int, machine: Machine | None) -> Run:
        return Run(
            self.stacks[start.stack],
            self.elsewhere if start.elsewhere else self.world,
            start.options,
            self.record,
            faults=start.faults,
            kill=start.kill,
            seed=seed,
            new_process=new_process,
            machine=machine,
        )

    def _end(self, run: Run) -> None:
        self.record.judge(run)
        self.record.judge_stacks(self.world, self.stacks)
        for line in self._told(run):
            self.tell(f"    {run.stack.name} {line}")

    def _told(self, run: Run) -> Iterator[str]:
        yield from (f"{change}s" for change in run.changes)
        yield from (f"warns: {text}" for text in run.warnings)
        yield from (f"fails: {text}" for text in run.errors)
        if run.dead:
            yield "is killed"
        yield f"has {', '.join(map(str, run.stack.state)) or 'nothing'}"
        existing = run.world.existing().values()
        shown = (f"{found.id} ({found.user}, {found.service}, {found.stored_status.value})" for found in existing)
        yield f"existing credentials: {', '.join(shown) or 'nothing'}"

    def rest(self) -> None:
        """Play the final part, in which all runs are quiet."""
        Rest(
            clock=self.clock,
            worlds=(self.world, self.elsewhere),
            stacks=self.stacks,
            record=self.record,
            end=self._end,
            tell=self.tell,
        ).play()
