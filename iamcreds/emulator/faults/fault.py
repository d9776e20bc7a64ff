"""Faults: their effects, and the calls that they affect."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, Self

from iamcreds.emulator.exceptions import AwsError
from iamcreds.emulator.faults.documents import ControlError, is_between, is_count, read_object

LONGEST_HANG = 600

When = Literal["before", "after"]


@dataclass(frozen=True)
class Pause:
    """The call is held until it is released, and then continues as usual."""


@dataclass(frozen=True)
class Hang:
    """The connection breaks after a number of seconds (0 or more) without a response."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """The response is truncated.

    Attributes:
        share: the sent share of the body, from 0 to less than 1.
        whole_length: True if Content-Length is the length of the whole body; otherwise that of the sent part.
    """

    share: float
    whole_length: bool


Effect = AwsError | Pause | Hang | Cut


@dataclass(frozen=True)
class Fault:
    """A fault of an operation.

    Attributes:
        operation: name such as `iam:CreateServiceSpecificCredential`; `*` is a wildcard.
        when: `before` or `after` the operation takes effect.
        effect: the replacement of the response.
        call: number of the first affected call; 1 is the next matching call.
        times: number of affected calls; None affects every later call.
    """

    operation: str
    when: When
    effect: Effect
    call: int = 1
    times: int | None = 1

    @classmethod
    def read(cls, document: object) -> Self:
        """Read a fault from a JSON document.

        Raises:
            ControlError: a key is unknown or missing, or a value is not valid.
        """
        fields: dict[str, Any] = {"when": "before", "call": 1, "times": 1, "answer": "drop"}
        fields |= read_object(document, {"operation", *fields})
        if not isinstance(fields.get("operation"), str):
            raise ControlError("operation must be a string such as iam:ListUsers or iam:*")
        if fields["when"] not in {"before", "after"}:
            raise ControlError("when must be before or after")
        if not (is_count(fields["call"]) and (fields["times"] is None or is_count(fields["times"]))):
            raise ControlError("call and times must be integers of 1 or more (times: or null)")
        fault = cls(effect=_read_effect(fields.pop("answer")), **fields)
        if isinstance(fault.effect, Cut) and fault.when == "before":
            raise ControlError("cut requires `when` to be after, because it truncates the operation's response")
        return fault


@dataclass
class ExpectedFault:
    """A fault, and the number of matching calls so far."""

    fault: Fault
    calls: int = 0

    def count(self, operation: str) -> bool:
        """Count a matching call; return True if the fault affects it."""
        if not fnmatchcase(operation, self.fault.operation):
            return False
        self.calls += 1
        times = self.fault.times
        return self.fault.call <= self.calls and (times is None or self.calls < self.fault.call + times)


def _read_effect(document: object) -> Effect:
    match document:
        case "drop":
            return Hang(0)
        case "pause":
            return Pause()
        case {"hang": seconds, **rest} if not rest:
            if not is_between(seconds, 0, LONGEST_HANG):
                raise ControlError(f"hang must be a number of seconds from 0 to {LONGEST_HANG}")
            return Hang(float(str(seconds)))
        case {"cut": share, **rest}:
            return _read_cut(share, rest)
        case _:
            return _read_error(document)


def _read_cut(share: object, rest: object) -> Cut:
    whole_length = read_object(rest, {"whole_length"}).get("whole_length", True)
    if not is_between(share, 0, 1) or share == 1 or not isinstance(whole_length, bool):
        raise ControlError("cut must be a number from 0 to less than 1, and whole_length true or false")
    return Cut(float(str(share)), whole_length)


def _read_error(document: object) -> AwsError:
    fields = read_object(document, {"status", "code", "message"})
    status, code, message = fields.get("status"), fields.get("code"), fields.get("message")
    if not (isinstance(status, int) and is_between(status, 400, 599) and isinstance(code, str) and code):
        raise ControlError(
            "`answer` must be drop, pause, hang, cut, or an error with a status from 400 to 599, a code and a message"
        )
    if not isinstance(message, str):
        raise ControlError("the message of an error must be a string")
    return AwsError(message, code, status)
