"""How far a run is, told to whoever waits for it."""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc
import pulumi
from pulumi.runtime.proto.engine_pb2 import INFO, LogRequest
from pulumi.runtime.settings import get_engine

from iamcreds.text.durations import format_duration
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_BETWEEN = 5
"""At least this long between two messages, so that what they cost cannot be measured, nor fill the log of a CI run."""

_PACE = 7  # messages: the pace is that of the last half minute, for what is unchanged is through at once


class RunProgress:
    """Counts the credentials that the engine is through with, and tells it every few seconds until the last one."""

    def __init__(self, total: int, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._tell, self._clock = total, tell, clock
        self._done = self._failed = 0
        self._told: deque[tuple[float, int]] = deque(maxlen=_PACE)

    def count(self, *, failed: bool) -> None:
        """The engine is through with one more."""
        self._done += 1
        self._failed += failed
        now = self._clock()
        if not self._told:  # what came before the first answer says nothing of the pace
            self._told.append((now, self._done))
        elif now - self._told[-1][0] >= SECONDS_BETWEEN and self._done < self._total:
            self._tell(self._word(now))
            self._told.append((now, self._done))

    def _word(self, now: float) -> str:
        """The numbers come first: a narrow terminal shows no more."""
        since, done_then = self._told[0]
        left = timedelta(seconds=math.ceil((self._total - self._done) * (now - since) / (self._done - done_then)))
        failed = f", {self._failed:,} failed" if self._failed else ""
        return (
            f"{self._done:,} of {format_count(self._total, 'credential')}{failed}, about {format_duration(left)} left"
        )


def tell_engine(message: str) -> None:
    """Have the engine show a message while the run lasts; its summary and a preview as JSON do not have it.

    It stands in the row of the provider, which the engine's tree shows last: that is where a terminal is scrolled to,
    while the stack's own row is out of sight as soon as there are more rows than lines.
    """
    engine = get_engine()
    urn = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::pulumi:providers:pulumi-python::default"
    if engine is not None:
        with suppress(grpc.RpcError):  # an engine that is shutting down
            engine.Log(LogRequest(severity=INFO, urn=urn, message=message, ephemeral=True))
