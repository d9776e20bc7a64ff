"""Replacements of thread locks in virtual time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Self

from greenlet import getcurrent

from tests.simulation.clock import current_run, current_task

if TYPE_CHECKING:
    from greenlet import greenlet

    from tests.simulation.clock import Clock, Task


class Slots:
    """A semaphore: a limited number of tasks at once, in the order of arrival."""

    def __init__(self, clock: Clock, free: int) -> None:
        self._clock = clock
        self._free = free
        self._queue: deque[Task] = deque()

    def __enter__(self) -> Self:
        while not self._free:
            task = current_task()
            self._queue.append(task)
            task.give_way()
        self._free -= 1
        return self

    def __exit__(self, *_: object) -> None:
        self._free += 1
        if self._queue:
            self._clock.wake(self._queue.popleft())


class Lock:
    """A replacement of `threading.Lock` and `threading.RLock`; both are reentrant here."""

    def __init__(self) -> None:
        self._owner: greenlet | None = None
        self._taken = 0
        self._queue: deque[Task] = deque()

    def acquire(self) -> bool:
        """Wait until the lock is free, and acquire it."""
        me = getcurrent()
        while self._owner not in (None, me):
            task = current_task()
            self._queue.append(task)
            task.give_way()
        self._owner = me
        self._taken += 1
        return True

    def release(self) -> None:
        """Release the lock for the next task."""
        self._taken -= 1
        if self._taken == 0:
            self._owner = None
            if self._queue:
                current_run().clock.wake(self._queue.popleft())

    def locked(self) -> bool:
        """Return True if the lock is held."""
        return self._owner is not None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
