"""The state of the controls: settings, faults, held calls, counts and secrets of the IAM emulator."""

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
    """Return this machine's time, in UTC."""
    return datetime.now(UTC)


class Switches:
    """The state of the controls; safe to use from several threads.

    Attributes:
        clock: returns the time, in UTC, without the shift of the account's clock. Replace it to control time.
        sleep: waits for a number of seconds of that time.
        pauses: the held calls.
    """

    def __init__(self) -> None:
        self.clock: Callable[[], datetime] = read_clock
        self.sleep: Callable[[float], None] = time.sleep
        self.pauses = Pauses()
        self._lock = threading.Lock()
        self.reset()

    def reset(self, settings: Settings | None = None) -> None:
        """Apply the settings (default: `Settings()`), release held calls, and clear faults, counts and secrets."""
        self.pauses.release(go_on=False)
        with self._lock:
            self.settings = settings or Settings()
            self._calls: list[str] = []
            self._faults: list[ExpectedFault] = []
            self._buckets: dict[str, tuple[float, datetime]] = {}
            self._secrets: list[str] = []

    def set(self, settings: Settings) -> None:
        """Apply settings, and refill the token buckets."""
        with self._lock:
            self.settings = settings
            self._buckets = {}

    def now(self) -> datetime:
        """Return the account's time, in UTC."""
        return self.clock() + timedelta(seconds=self.settings.clock_shift)

    def add_fault(self, fault: Fault) -> None:
        """Add a fault; its calls are counted from now on."""
        with self._lock:
            self._faults.append(ExpectedFault(fault))

    def clear_faults(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults = []

    def count_call(self, operation: str) -> Fault | None:
        """Count a call, and return the fault that affects it, if any."""
        with self._lock:
            self._calls.append(operation)
            # A list, because every fault has to count the call.
            faults = [expected.fault for expected in self._faults if expected.count(operation)]
            return faults[0] if faults else None

    def take_token(self, operation: str) -> bool:
        """Take a token from the operation's bucket; return False if it is empty."""
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
        """Return the operation of each call since the last reset, oldest first, including rejected calls."""
        with self._lock:
            return list(self._calls)

    def counts(self) -> dict[str, int]:
        """Return the number of calls of each operation since the last reset, including rejected calls."""
        return dict(sorted(Counter(self.calls()).items()))

    def clear_counts(self) -> None:
        """Reset the counts and the calls."""
        with self._lock:
            self._calls.clear()

    def remember(self, secret: str) -> str:
        """Record a secret before it is returned."""
        with self._lock:
            self._secrets.append(secret)
        return secret

    def secrets(self) -> list[str]:
        """Return every password, API key and secret access key ever issued, to search for leaked secrets."""
        with self._lock:
            return list(self._secrets)
