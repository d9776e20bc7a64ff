"""A virtual clock, and the tasks that live in it: whoever waits sleeps in virtual time, and nothing runs at once.

A task is a greenlet. It gives way where it sleeps or waits for a lock and nowhere else, so a seed that fixes how long
every call takes fixes the whole interleaving.
"""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from greenlet import GreenletExit, getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.simulation.engine import Run

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
"""When every history begins."""

STEPS = 20_000
"""No history takes so many steps between two quiet moments: one that does goes in circles."""


class EndlessError(Exception):
    """The tasks went on and on."""


class Task(greenlet):
    """Something under way; `run_of` is the run of the engine that it belongs to."""

    def __init__(self, work: Callable[[], None], hub: greenlet, run_of: Run | None) -> None:
        super().__init__(work, hub)
        self.hub = hub
        self.run_of = run_of

    def give_way(self) -> None:
        """Let others go on; somebody has to wake this one."""
        self.hub.switch()


class Clock:
    """Virtual time in seconds since `START`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._waiting: list[tuple[float, int, Task]] = []
        self._number = 0

    def now(self) -> datetime:
        """The present."""
        return START + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        """Give way, and go on so much later."""
        task = current_task()
        self.wake(task, seconds)
        task.give_way()
        if task.run_of is not None and task.run_of.dead:
            raise GreenletExit

    def wake(self, task: Task, seconds: float = 0.0) -> None:
        """Have the task go on so much later."""
        self._number += 1
        heapq.heappush(self._waiting, (self.seconds + seconds, self._number, task))

    def spawn(self, work: Callable[[], None], run_of: Run | None = None, after: float = 0.0) -> Task:
        """A new task, which starts so much later."""
        current = getcurrent()
        task = Task(work, current.hub if isinstance(current, Task) else current, run_of)
        self.wake(task, after)
        return task

    def play(self) -> None:
        """Go on until every task has ended; those of dead runs are dropped.

        Raises:
            EndlessError
        """
        for _ in range(STEPS):
            if not self._waiting:
                return
            when, _number, task = heapq.heappop(self._waiting)
            if task.run_of is not None and not task.run_of.lives():
                continue
            self.seconds = max(self.seconds, when)
            task.switch()
        self._waiting.clear()
        raise EndlessError(f"more than {STEPS} steps")

    def gather(self, works: Iterable[Callable[[], None]], run_of: Run | None) -> None:
        """Do all of it at once, and return when all of it is done."""
        group = Group(self, run_of)
        for work in works:
            group.add(work)
        group.wait()


class Group:
    """Tasks that somebody waits for."""

    def __init__(self, clock: Clock, run_of: Run | None) -> None:
        self._clock = clock
        self._run_of = run_of
        self._left = 0
        self._waiter: Task | None = None

    def add(self, work: Callable[[], None]) -> None:
        """Start one."""
        self._left += 1

        def task() -> None:
            work()
            self._left -= 1
            if self._left == 0 and self._waiter is not None:
                self._clock.wake(self._waiter)

        self._clock.spawn(task, self._run_of)

    def wait(self) -> None:
        """Give way until all have ended."""
        while self._left:
            self._waiter = current_task()
            self._waiter.give_way()


def current_task() -> Task:
    """The task that runs."""
    task = getcurrent()
    assert isinstance(task, Task), "outside of a task nobody can wait"
    return task


def current_run() -> Run:
    """The run whose task it is that runs."""
    run = current_task().run_of
    assert run is not None, "this task belongs to no run"
    return run
