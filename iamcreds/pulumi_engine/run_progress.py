"""The progress of a run, shown by the engine."""

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
"""The minimum time between two messages, so that they neither slow down a run nor fill the log of a CI job."""

_PACE = 7  # messages: the pace is that of the last half minute, because unchanged resources complete at once


class RunProgress:
    """The number of completed credentials, shown every few seconds until the last one."""

    def __init__(self, total: int, show: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._show, self._clock = total, show, clock
        self._done = self._failed = 0
        self._shown: deque[tuple[float, int]] = deque(maxlen=_PACE)

    def count(self, *, failed: bool) -> None:
        """Count one more completed credential."""
        self._done += 1
        self._failed += failed
        now = self._clock()
        if not self._shown:  # the time before the first response is not part of the pace
            self._shown.append((now, self._done))
        elif now - self._shown[-1][0] >= SECONDS_BETWEEN and self._done < self._total:
            self._show(self._format(now))
            self._shown.append((now, self._done))

    def _format(self, now: float) -> str:
        """Return the message; the numbers come first, because a narrow terminal shows no more."""
        since, done_then = self._shown[0]
        left = timedelta(seconds=math.ceil((self._total - self._done) * (now - since) / (self._done - done_then)))
        failed = f", {self._failed:,} failed" if self._failed else ""
        return (
            f"{self._done:,} of {format_count(self._total, 'credential')}{failed}, about {format_duration(left)} left"
        )


def show_progress(message: str) -> None:
    """Let the engine show a message during the run; its summary and a preview as JSON do not have it.

    The message is in the row of the provider, which the engine's tree shows last. A terminal scrolls to that row, but
    hides the stack's own row if there are more rows than lines.
    """
    engine = get_engine()
    urn = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::pulumi:providers:pulumi-python::default"
    if engine is not None:
        with suppress(grpc.RpcError):  # an engine that is shutting down
            engine.Log(LogRequest(severity=INFO, urn=urn, message=message, ephemeral=True))
