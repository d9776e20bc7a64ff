"""A virtual clock and its tasks, which sleep in virtual time and never run in parallel.

A task is a greenlet. It yields only when it sleeps or waits for a lock. A seed fixes the duration of every call, and
with it the whole interleaving.
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
"""The start time of every history."""

STEPS = 20_000
"""The maximum number of steps of the tasks; more steps mean an endless loop."""


class EndlessError(Exception):
    """The tasks do not end."""


class Task(greenlet):
    """A task in progress; `run_of` is the engine run that it belongs to."""

    def __init__(self, work: Callable[[], None], hub: greenlet, run_of: Run | None) -> None:
        super().__init__(work, hub)
        self.hub = hub
        self.run_of = run_of

    def give_way(self) -> None:
        """Yield to other tasks until one of them wakes this one."""
        self.hub.switch()


class Clock:
    """Virtual time in seconds since `START`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._waiting: list[tuple[float, int, Task]] = []
        self._number = 0

    def now(self) -> datetime:
        """Return the current time."""
        return START + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        """Yield to other tasks, and continue after that time."""
        task = current_task()
        self.wake(task, seconds)
        task.give_way()
        if task.run_of is not None and task.run_of.dead:
            raise GreenletExit

    def wake(self, task: Task, seconds: float = 0.0) -> None:
        """Schedule the task to continue after that time."""
        self._number += 1
        heapq.heappush(self._waiting, (self.seconds + seconds, self._number, task))

    def spawn(self, work: Callable[[], None], run_of: Run | None = None, after: float = 0.0) -> Task:
        """Start a new task after that time."""
        current = getcurrent()
        task = Task(work, current.hub if isinstance(current, Task) else current, run_of)
        self.wake(task, after)
        return task

    def play(self) -> None:
        """Run until every task has ended; tasks of dead runs are dropped.

        Raises:
            EndlessError: the tasks do not end.
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
        """Run all of them concurrently, and return after the last one ends."""
        group = Group(self, run_of)
        for work in works:
            group.add(work)
        group.wait()


class Group:
    """A group of tasks to wait for."""

    def __init__(self, clock: Clock, run_of: Run | None) -> None:
        self._clock = clock
        self._run_of = run_of
        self._left = 0
        self._waiter: Task | None = None

    def add(self, work: Callable[[], None]) -> None:
        """Start a task."""
        self._left += 1

        def task() -> None:
            work()
            self._left -= 1
            if self._left == 0 and self._waiter is not None:
                self._clock.wake(self._waiter)

        self._clock.spawn(task, self._run_of)

    def wait(self) -> None:
        """Yield to other tasks until all tasks of the group have ended."""
        while self._left:
            self._waiter = current_task()
            self._waiter.give_way()


def current_task() -> Task:
    """Return the current task."""
    task = getcurrent()
    assert isinstance(task, Task), "waiting is impossible outside of a task"
    return task


def current_run() -> Run:
    """Return the run of the current task."""
    run = current_task().run_of
    assert run is not None, "this task belongs to no run"
    return run
