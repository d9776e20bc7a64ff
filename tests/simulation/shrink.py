"""Reduction of a history that breaks a rule: steps are removed or simplified while it still breaks the rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from tests.simulation.history import Adopt, Declare, Start, Wait, Weather, Work
from tests.simulation.state import Options
from tests.simulation.world import Conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.simulation.history import Step

Item = TypeVar("Item")

TRIES = 1500
"""The maximum number of histories played for one reduction."""

SEEDS = 4
"""The interleavings that are tried for a simplified step, because it may need a different one."""

LAGGING = Conditions(lag=30.0)
SHORT_WAIT = 61.0
"""Seconds after which no credential is young."""


def shrink(history: Sequence[Step], breaks: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """Return the shortest history found that still `breaks` the rule."""
    shortest = list(history)
    tries = iter(range(TRIES))
    while True:
        for candidate in _shorter(shortest):
            if next(tries, None) is None:
                return shortest
            if breaks(candidate):
                shortest = candidate
                break
        else:
            return shortest


def _shorter(history: list[Step]) -> Iterator[list[Step]]:
    """Yield histories with one step less, then with one step simplified. Each is smaller, so the reduction ends."""
    for index in reversed(range(len(history))):
        yield history[:index] + history[index + 1 :]
    for index, step in enumerate(history):
        for simpler in _simpler(step):
            yield [*history[:index], simpler, *history[index + 1 :]]


def _simpler(step: Step) -> Iterator[Step]:
    match step:
        case Work():
            if step.seed >= SEEDS:
                yield from _seeded(step)
            for simpler in _simpler_work(step):
                yield from _seeded(simpler)
        case Declare():
            yield from _declaring_less(step)
        case Adopt():
            yield from _declaring_less(step)
            yield Declare(step.stack, step.declared)
            if step.knows:
                yield replace(step, knows=False)
        case Weather(conditions) if conditions not in (Conditions(), LAGGING):
            yield Weather(LAGGING)
        case Wait(seconds) if seconds > SHORT_WAIT:
            yield Wait(SHORT_WAIT)


def _declaring_less(step: Declare | Adopt) -> Iterator[Step]:
    for name, plain in _PLAIN.items():
        if getattr(step.declared, name) is not plain:
            yield replace(step, declared=_without(step.declared, **{name: plain}))


_PLAIN: Mapping[str, object] = {
    "status": None,
    "reset": None,
    "age_days": None,
    "renew_before_hours": None,
    "rotate": None,
    "trigger": None,
    "existing": None,
    "protect": False,
}


def _seeded(work: Work) -> Iterator[Work]:
    for seed in range(SEEDS):
        yield replace(work, seed=seed)


def _simpler_work(work: Work) -> Iterator[Work]:
    if len(work.runs) > 1:
        yield from (replace(work, runs=runs) for runs in _fewer(work.runs))
    yield from (replace(work, humans=humans) for humans in _fewer(work.humans))
    if work.apart:
        yield replace(work, apart=False)
    for index, start in enumerate(work.runs):
        for simpler in _simpler_start(start):
            yield replace(work, runs=(*work.runs[:index], simpler, *work.runs[index + 1 :]))


def _simpler_start(start: Start) -> Iterator[Start]:
    plain = {"kill": None, "after": 0.0, "elsewhere": False, "options": Options()}
    yield from (_without(start, **{name: value}) for name, value in plain.items() if getattr(start, name) != value)
    for name, value in {"preview": False, "go_on": False, "targets": None, "refresh": True}.items():
        if getattr(start.options, name) != value:
            yield replace(start, options=_without(start.options, **{name: value}))
    yield from (replace(start, faults=faults) for faults in _fewer(start.faults))
    for index, fault in enumerate(start.faults):
        if fault.times > 1:
            once = replace(fault, times=1)
            yield replace(start, faults=(*start.faults[:index], once, *start.faults[index + 1 :]))


def _fewer(items: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
    for index in range(len(items)):
        yield items[:index] + items[index + 1 :]


def _without(item: Any, **plain: object) -> Any:  # noqa: ANN401 - any dataclass of a history
    return replace(item, **plain)
