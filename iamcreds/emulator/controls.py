"""Switches for tests and demonstrations: what makes the embedded IAM slow, late, busy or broken, and what it counts."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from iamcreds.emulator.exceptions import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_LATENCY = 60
LONGEST_SHIFT = 100 * 365 * 86_400
HIGHEST_RATE = 1e9
DROP = "drop"
"""The answer that is none: the connection breaks."""


class ControlError(Exception):
    """What was asked of the controls makes no sense; the message says why."""


@dataclass(frozen=True)
class Settings:
    """How the endpoint behaves; the defaults are a good day.

    Attributes:
        latency: seconds that every call takes longer.
        rate: calls per second of each operation before IAM answers Throttling; None never does.
        burst: calls that may come at once before the rate counts; None is a second's worth.
        clock_shift: seconds that the account's clock is ahead, negative behind.
        list_lag: seconds that ListServiceSpecificCredentials lags behind writes.
        all_users: whether ListServiceSpecificCredentials knows the parameter AllUsers.
        page_limit: items of a page at most, whatever MaxItems says; None keeps to MaxItems.
        report_time: seconds that it takes to make a credential report.
    """

    latency: float = 0
    rate: float | None = None
    burst: int | None = None
    clock_shift: float = 0
    list_lag: float = 0
    all_users: bool = True
    page_limit: int | None = None
    report_time: float = 0

    @classmethod
    def read(cls, document: object) -> Self:
        """Settings from JSON; what is left out is as by default.

        Raises:
            ControlError: a key is unknown or a value makes no sense.
        """
        given = read_object(document, {field.name for field in fields(cls)})
        for name, value in given.items():
            meaning, allows = _RULES[name]
            if not allows(value):
                raise ControlError(f"{name} must be {meaning}")
        return cls(**given)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with an operation, from its `call`-th call on (1: the next), so many `times`.

    Attributes:
        operation: such as `iam:CreateServiceSpecificCredential`.
        when: `before` the operation has an effect, or `after`.
        answer: the error to answer with, or None to break the connection.
    """

    operation: str
    when: str
    answer: AwsError | None
    call: int = 1
    times: int = 1

    @classmethod
    def read(cls, document: object) -> Self:
        """A fault from JSON.

        Raises:
            ControlError: a key is unknown or missing, or a value makes no sense.
        """
        given: dict[str, Any] = {"when": "before", "call": 1, "times": 1, "answer": DROP}
        given |= read_object(document, {"operation", *given})
        if not isinstance(given.get("operation"), str):
            raise ControlError("operation must be a text such as iam:ListUsers")
        if given["when"] not in {"before", "after"}:
            raise ControlError("when must be before or after")
        if not (_is_count(given["call"]) and _is_count(given["times"])):
            raise ControlError("call and times must be whole numbers, 1 or more")
        return cls(**{**given, "answer": _answer(given["answer"])})


@dataclass
class _Expected:
    """A fault and how many calls of its operation it has seen."""

    fault: Fault
    calls: int = 0

    def meets(self, operation: str) -> bool:
        """See a call; whether it is to go wrong."""
        if operation != self.fault.operation:
            return False
        self.calls += 1
        return self.fault.call <= self.calls < self.fault.call + self.fault.times


class Switches:
    """The state of the controls; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self, settings: Settings | None = None) -> None:
        """Forget everything: settings as given or by default, no faults, nothing counted, no secrets."""
        with self._lock:
            self.settings = settings or Settings()
            self._counts: Counter[str] = Counter()
            self._faults: list[_Expected] = []
            self._buckets: dict[str, tuple[float, float]] = {}
            self._secrets: list[str] = []

    def set(self, settings: Settings) -> None:
        """Behave so from now on; token buckets are full again."""
        with self._lock:
            self.settings = settings
            self._buckets = {}

    def now(self) -> datetime:
        """The account's clock, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.settings.clock_shift)

    def add_fault(self, fault: Fault) -> None:
        """Expect a fault; its calls count from here."""
        with self._lock:
            self._faults.append(_Expected(fault))

    def clear_faults(self) -> None:
        """Expect no faults any more."""
        with self._lock:
            self._faults = []

    def arrive(self, operation: str) -> Fault | None:
        """Count a call; the fault that it is to meet, if any."""
        with self._lock:
            self._counts[operation] += 1
            # A list, because every expected fault has to see the call.
            met = [expected.fault for expected in self._faults if expected.meets(operation)]
            return met[0] if met else None

    def admit(self, operation: str) -> bool:
        """Whether the operation's token bucket has a token left for this call."""
        rate, burst = self.settings.rate, self.settings.burst
        if rate is None:
            return True
        size = burst or max(1, math.ceil(rate))
        with self._lock:
            now = time.monotonic()
            tokens, filled = self._buckets.get(operation, (size, now))
            tokens = min(size, tokens + (now - filled) * rate)
            self._buckets[operation] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1

    def counts(self) -> dict[str, int]:
        """Calls of each operation since the last reset, refused ones included."""
        with self._lock:
            return dict(sorted(self._counts.items()))

    def clear_counts(self) -> None:
        """Count from zero."""
        with self._lock:
            self._counts.clear()

    def remember(self, secret: str) -> str:
        """Note a secret that is about to be handed out."""
        with self._lock:
            self._secrets.append(secret)
        return secret

    def secrets(self) -> list[str]:
        """Every password, API key and secret access key ever issued, to look for where none may be."""
        with self._lock:
            return list(self._secrets)


def read_object(document: object, keys: set[str]) -> dict[str, Any]:
    """A JSON object that has no other keys.

    Raises:
        ControlError: it is something else.
    """
    if not isinstance(document, dict):
        raise ControlError("a JSON object is wanted")
    unknown = sorted(set(document) - keys)
    if unknown:
        raise ControlError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(keys))}")
    return document


def _answer(document: object) -> AwsError | None:
    if document == DROP:
        return None
    given = read_object(document, {"status", "code", "message"})
    status, code, message = given.get("status"), given.get("code"), given.get("message")
    if not (_is_between(status, 400, 599) and isinstance(status, int) and isinstance(code, str) and code):
        raise ControlError("answer must be drop, or have a status from 400 to 599, a code and a message")
    if not isinstance(message, str):
        raise ControlError("the answer's message must be a text")
    return AwsError(message, code, status)


def _is_between(value: object, low: float, high: float) -> bool:
    # bool is an int to Python, and NaN a number to its JSON.
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


_RULES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "latency": ("a number of seconds from 0 to 60", lambda value: _is_between(value, 0, LONGEST_LATENCY)),
    "rate": (
        "null or a number of calls per second, above 0",
        lambda value: value is None or (_is_between(value, 0, HIGHEST_RATE) and value != 0),
    ),
    "burst": ("null or a whole number, 1 or more", lambda value: value is None or _is_count(value)),
    "clock_shift": (
        "a number of seconds, at most 100 years either way",
        lambda value: _is_between(value, -LONGEST_SHIFT, LONGEST_SHIFT),
    ),
    "list_lag": ("a number of seconds, 0 or more", lambda value: _is_between(value, 0, LONGEST_SHIFT)),
    "all_users": ("true or false", lambda value: isinstance(value, bool)),
    "page_limit": ("null or a whole number, 1 or more", lambda value: value is None or _is_count(value)),
    "report_time": ("a number of seconds, 0 or more", lambda value: _is_between(value, 0, LONGEST_SHIFT)),
}
