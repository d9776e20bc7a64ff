"""What can go wrong with a call, and with which one."""

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
    """The call is held until it is released, and then goes on as if nothing had been."""


@dataclass(frozen=True)
class Hang:
    """No answer for so many seconds, maybe 0, after which the connection breaks."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """The answer breaks off.

    Attributes:
        share: how much of the body is sent, from 0 to below 1.
        whole_length: whether Content-Length is the whole body's; otherwise it is that of what is sent.
    """

    share: float
    whole_length: bool


Answer = AwsError | Pause | Hang | Cut


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with an operation, from its `call`-th call on (1: the next), so many `times`.

    Attributes:
        operation: such as `iam:CreateServiceSpecificCredential`; `*` in it stands for anything.
        when: `before` the operation has an effect, or `after`.
        answer: what comes instead of the answer.
        call: the first of the matching calls that it meets.
        times: how many it meets; None is every one from then on.
    """

    operation: str
    when: When
    answer: Answer
    call: int = 1
    times: int | None = 1

    @classmethod
    def read(cls, document: object) -> Self:
        """A fault from JSON.

        Raises:
            ControlError: a key is unknown or missing, or a value makes no sense.
        """
        given: dict[str, Any] = {"when": "before", "call": 1, "times": 1, "answer": "drop"}
        given |= read_object(document, {"operation", *given})
        if not isinstance(given.get("operation"), str):
            raise ControlError("operation must be a text such as iam:ListUsers or iam:*")
        if given["when"] not in {"before", "after"}:
            raise ControlError("when must be before or after")
        if not (is_count(given["call"]) and (given["times"] is None or is_count(given["times"]))):
            raise ControlError("call and times must be whole numbers, 1 or more (times: or null, for all that follow)")
        fault = cls(**{**given, "answer": _read_answer(given["answer"])})
        if isinstance(fault.answer, Cut) and fault.when == "before":
            raise ControlError("an answer is cut after the operation's effect: before it there is none")
        return fault


@dataclass
class ExpectedFault:
    """A fault, and how many of the calls that it is about have come."""

    fault: Fault
    calls: int = 0

    def count(self, operation: str) -> bool:
        """Count a call if it is about that; whether it is to go wrong."""
        if not fnmatchcase(operation, self.fault.operation):
            return False
        self.calls += 1
        times = self.fault.times
        return self.fault.call <= self.calls and (times is None or self.calls < self.fault.call + times)


def _read_answer(document: object) -> Answer:
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
        raise ControlError("cut must be a share from 0 to below 1, and whole_length true or false")
    return Cut(float(str(share)), whole_length)


def _read_error(document: object) -> AwsError:
    given = read_object(document, {"status", "code", "message"})
    status, code, message = given.get("status"), given.get("code"), given.get("message")
    if not (isinstance(status, int) and is_between(status, 400, 599) and isinstance(code, str) and code):
        raise ControlError(
            "answer must be drop, pause, a hang, a cut, or have a status from 400 to 599, a code and a message"
        )
    if not isinstance(message, str):
        raise ControlError("the answer's message must be a text")
    return AwsError(message, code, status)
