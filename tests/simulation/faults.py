"""Faults of calls to AWS, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CREATE, LIST, UPDATE, RESET, DELETE = "Create", "List", "Update", "Reset", "Delete"
OPERATIONS = (CREATE, LIST, UPDATE, RESET, DELETE)
"""The operations that have faults, without the words that all five share."""


class Kind(StrEnum):
    """A kind of fault."""

    LOST = "response lost"
    CUT = "response truncated"
    BROKEN = "500 before"
    BROKEN_AFTER = "500 after"
    THROTTLED = "throttled"
    DENIED = "denied"
    UNSENT = "connection lost before"
    SLOW = "time-out"
    SLOW_UNSENT = "time-out before"


AFTER = frozenset({Kind.LOST, Kind.CUT, Kind.BROKEN_AFTER, Kind.SLOW})
"""The faults that occur after the call has had its effect."""


@dataclass(frozen=True)
class Fault:
    """A fault of the `call`-th call of an operation in a run, and of the next ones if `times` is above 1."""

    operation: str
    kind: Kind
    call: int = 1
    times: int = 1

    def __str__(self) -> str:
        more = f", {self.times} times" if self.times > 1 else ""
        return f"{self.operation} {self.call}: {self.kind}{more}"
