"""The kinds of faults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from signal import SIGINT, SIGKILL, SIGTERM, Signals
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.faults.fault import When

    Arm = Callable[[Controls, int], None]

LAG = 30
"""Seconds by which lists lag."""

STORM = 3
"""The number of throttled calls in a row; each costs the product seconds of waiting."""

SILENCE = 30
"""Seconds without a response, which exceed the read timeout of an impatient process."""


class Victim(Enum):
    """A process that receives a signal."""

    PROVIDER = "provider"
    ENGINE = "engine"


@dataclass(frozen=True)
class Kind:
    """A kind of fault.

    Attributes:
        name: the second part of a case's id.
        arm: schedules the fault for the nth call from now on.
        victims: the processes that receive signals while that call is held.
        signals: the signals in their order.
        goes_on: True if the held call continues afterwards; otherwise its connection breaks.
        is_impatient: True if the product waits for one second instead of a minute.
        everywhere: True if the fault affects all calls, so that it has one case and not one for each call.
    """

    name: str
    arm: Arm
    victims: tuple[Victim, ...] = ()
    signals: tuple[Signals, ...] = (SIGKILL,)
    goes_on: bool = True
    is_impatient: bool = False
    everywhere: bool = False


def _pause(when: When, controls: Controls, call: int) -> None:
    controls.pause("*", when=when, call=call)


def _lose(when: When, controls: Controls, call: int) -> None:
    controls.drop("*", when=when, call=call)


def _fail(when: When, controls: Controls, call: int) -> None:
    controls.fail("*", when=when, call=call)


def _be_silent(when: When, controls: Controls, call: int) -> None:
    controls.hang("*", SILENCE, when=when, call=call)


def _cut(controls: Controls, call: int) -> None:
    controls.cut("*", 0.5, call=call)


def _storm(controls: Controls, call: int) -> None:
    controls.throttle("*", call=call, times=STORM)


def _deny(controls: Controls, call: int) -> None:
    controls.deny("*", call=call)


def _lag(controls: Controls, _: int) -> None:
    controls.set(list_lag=LAG)


def _lag_and_lose(controls: Controls, call: int) -> None:
    _lag(controls, call)
    _lose("after", controls, call)


def _lag_and_pause(controls: Controls, call: int) -> None:
    _lag(controls, call)
    _pause("after", controls, call)


def _ends(how: str, *victims: Victim, signals: tuple[Signals, ...] = (SIGKILL,)) -> tuple[Kind, Kind]:
    name = f"{how}-{'-and-'.join(victim.value for victim in victims)}"
    # The call of a surviving provider always continues: only the death of the provider prevents a call.
    goes_on = Victim.PROVIDER not in victims
    return (
        Kind(f"{name}-before", partial(_pause, "before"), victims, signals, goes_on=goes_on),
        Kind(f"{name}-after", partial(_pause, "after"), victims, signals),
    )


KINDS = (
    Kind("lost-call", partial(_lose, "before")),
    Kind("lost-answer", partial(_lose, "after")),
    Kind("cut-answer", _cut),
    Kind("500-before", partial(_fail, "before")),
    Kind("500-after", partial(_fail, "after")),
    Kind("silence-before", partial(_be_silent, "before"), is_impatient=True),
    Kind("silence-after", partial(_be_silent, "after"), is_impatient=True),
    Kind("storm", _storm),
    Kind("denied", _deny),
    Kind("lag", _lag, everywhere=True),
    Kind("lag-and-lost-answer", _lag_and_lose),
    *_ends("kill", Victim.PROVIDER),
    *_ends("kill", Victim.ENGINE),
    *_ends("kill", Victim.ENGINE, Victim.PROVIDER),
    *_ends("interrupt", Victim.ENGINE, signals=(SIGINT,)),
    *_ends("interrupt-twice", Victim.ENGINE, signals=(SIGINT, SIGINT)),
    *_ends("terminate", Victim.ENGINE, Victim.PROVIDER, signals=(SIGTERM,)),
    Kind("lag-and-kill-provider-after", _lag_and_pause, (Victim.PROVIDER,)),
    Kind("lag-and-kill-engine-after", _lag_and_pause, (Victim.ENGINE,)),
)
