"""What can go wrong with a call to AWS, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CREATE, LIST, UPDATE, RESET, DELETE = "Create", "List", "Update", "Reset", "Delete"
OPERATIONS = (CREATE, LIST, UPDATE, RESET, DELETE)
"""The operations that faults are made for, without the words that all five have."""


class Kind(StrEnum):
    """What can go wrong with a call."""

    LOST = "answer lost"
    CUT = "answer cut"
    BROKEN = "500 before"
    BROKEN_AFTER = "500 after"
    THROTTLED = "throttled"
    DENIED = "denied"
    UNSENT = "connection lost before"
    SLOW = "time-out"
    SLOW_UNSENT = "time-out before"


AFTER = frozenset({Kind.LOST, Kind.CUT, Kind.BROKEN_AFTER, Kind.SLOW})
"""What goes wrong after the call has had its effect."""


@dataclass(frozen=True)
class Fault:
    """The `call`-th call of the operation in a run goes wrong, and as many after it."""

    operation: str
    kind: Kind
    call: int = 1
    times: int = 1

    def __str__(self) -> str:
        more = f", {self.times} times" if self.times > 1 else ""
        return f"{self.operation} {self.call}: {self.kind}{more}"
