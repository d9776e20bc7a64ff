"""Parallel calls, limited by the number of connections."""

from __future__ import annotations

import threading

import pytest

from iamcreds.aws.client import POOL
from iamcreds.aws.threads import call_all


def test_at_once() -> None:
    """The number of parallel calls is the number of connections."""
    running: list[int] = []
    waiting = threading.Barrier(POOL, timeout=20)

    def call(item: int) -> int:
        running.append(item)
        waiting.wait()
        assert len(running) <= POOL
        waiting.wait()
        running.remove(item)
        waiting.wait()
        return -item

    assert call_all(call, range(2 * POOL), "waiting") == {number: -number for number in range(2 * POOL)}


def test_once_each() -> None:
    """Each item is processed once, in the given order, and the progress is reported."""
    told: list[tuple[str, int, int | None]] = []
    done: list[str] = []

    def call(item: str) -> str:
        done.append(item)
        return item.upper()

    answers = call_all(
        call, ["b", "a", "b"], "shouting", lambda doing, number, total=None: told.append((doing, number, total))
    )
    assert list(answers.items()) == [("b", "B"), ("a", "A")]
    assert sorted(done) == ["a", "b"]
    assert told == [("shouting", 1, 2), ("shouting", 2, 2)]


def test_first_error() -> None:
    """An error ends all calls."""
    with pytest.raises(ZeroDivisionError):
        call_all(lambda number: 1 // number, [1, 0], "dividing")
