"""The state behind the switches: what makes the embedded IAM slow, late, busy or broken, and what it counts."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from iamcreds.emulator.faults.fault import ExpectedFault, Fault
from iamcreds.emulator.faults.pauses import Pauses
from iamcreds.emulator.faults.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


def read_clock() -> datetime:
    """This machine's clock, in UTC."""
    return datetime.now(UTC)


class Switches:
    """The state of the controls; safe to use from several threads.

    Attributes:
        clock: the time, in UTC, before the account's clock is shifted; set it for a time of your own.
        sleep: waits so many seconds of that time.
        pauses: the calls that are held.
    """

    def __init__(self) -> None:
        self.clock: Callable[[], datetime] = read_clock
        self.sleep: Callable[[float], None] = time.sleep
        self.pauses = Pauses()
        self._lock = threading.Lock()
        self.reset()

    def reset(self, settings: Settings | None = None) -> None:
        """Forget everything: settings as given or by default, no faults, nothing held, nothing counted, no secrets."""
        self.pauses.release(go_on=False)
        with self._lock:
            self.settings = settings or Settings()
            self._calls: list[str] = []
            self._faults: list[ExpectedFault] = []
            self._buckets: dict[str, tuple[float, datetime]] = {}
            self._secrets: list[str] = []

    def set(self, settings: Settings) -> None:
        """Behave so from now on; token buckets are full again."""
        with self._lock:
            self.settings = settings
            self._buckets = {}

    def now(self) -> datetime:
        """The account's clock, in UTC."""
        return self.clock() + timedelta(seconds=self.settings.clock_shift)

    def add_fault(self, fault: Fault) -> None:
        """Expect a fault; its calls count from here."""
        with self._lock:
            self._faults.append(ExpectedFault(fault))

    def clear_faults(self) -> None:
        """Expect no faults any more."""
        with self._lock:
            self._faults = []

    def count_call(self, operation: str) -> Fault | None:
        """Count a call; the fault that it is to meet, if any."""
        with self._lock:
            self._calls.append(operation)
            # A list, because every expected fault has to see the call.
            met = [expected.fault for expected in self._faults if expected.count(operation)]
            return met[0] if met else None

    def take_token(self, operation: str) -> bool:
        """Take a token out of the operation's bucket; whether there was one."""
        rate, burst = self.settings.rate, self.settings.burst
        if rate is None:
            return True
        size = burst or max(1, math.ceil(rate))
        with self._lock:
            now = self.clock()
            tokens, filled = self._buckets.get(operation, (size, now))
            tokens = min(size, tokens + (now - filled).total_seconds() * rate)
            self._buckets[operation] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1

    def calls(self) -> list[str]:
        """The operation of each call since the last reset, in the order of their coming, refused ones included."""
        with self._lock:
            return list(self._calls)

    def counts(self) -> dict[str, int]:
        """Calls of each operation since the last reset, refused ones included."""
        return dict(sorted(Counter(self.calls()).items()))

    def clear_counts(self) -> None:
        """Count from zero."""
        with self._lock:
            self._calls.clear()

    def remember(self, secret: str) -> str:
        """Note a secret that is about to be handed out."""
        with self._lock:
            self._secrets.append(secret)
        return secret

    def secrets(self) -> list[str]:
        """Every password, API key and secret access key ever issued, to look for where none may be."""
        with self._lock:
            return list(self._secrets)
