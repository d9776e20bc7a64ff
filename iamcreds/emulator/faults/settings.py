"""How the embedded IAM behaves as long as nobody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from iamcreds.emulator.faults.documents import ControlError, is_between, is_count, read_object

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_LATENCY = 60
LONGEST_SHIFT = 100 * 365 * 86_400
HIGHEST_RATE = 1e9


@dataclass(frozen=True)
class Settings:
    """How the endpoint behaves; the defaults are a good day.

    Attributes:
        latency: seconds that every call takes longer.
        rate: calls per second of each operation before IAM answers Throttling; None never does.
        burst: calls that may come at once before the rate counts; None is a second's worth.
        clock_shift: seconds that the account's clock is ahead, negative behind; the Date header of every answer is it.
        list_lag: seconds that ListServiceSpecificCredentials lags behind writes.
        all_users: whether ListServiceSpecificCredentials knows the parameter AllUsers.
        hidden_users: users whom a list with AllUsers leaves out without a word, although one with UserName finds them.
        page_limit: items of a page at most, whatever MaxItems says; None keeps to MaxItems.
        report_time: seconds that it takes to make a credential report.
    """

    latency: float = 0
    rate: float | None = None
    burst: int | None = None
    clock_shift: float = 0
    list_lag: float = 0
    all_users: bool = True
    hidden_users: tuple[str, ...] = ()
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
            meaning, is_allowed = _RULES[name]
            if not is_allowed(value):
                raise ControlError(f"{name} must be {meaning}")
        return cls(**given | {"hidden_users": tuple(given.get("hidden_users", ()))})


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_RULES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "latency": ("a number of seconds from 0 to 60", lambda value: is_between(value, 0, LONGEST_LATENCY)),
    "rate": (
        "null or a number of calls per second, above 0",
        lambda value: value is None or (is_between(value, 0, HIGHEST_RATE) and value != 0),
    ),
    "burst": ("null or a whole number, 1 or more", lambda value: value is None or is_count(value)),
    "clock_shift": (
        "a number of seconds, at most 100 years either way",
        lambda value: is_between(value, -LONGEST_SHIFT, LONGEST_SHIFT),
    ),
    "list_lag": ("a number of seconds, 0 or more", lambda value: is_between(value, 0, LONGEST_SHIFT)),
    "all_users": ("true or false", lambda value: isinstance(value, bool)),
    "hidden_users": ("a list of user names", _is_texts),
    "page_limit": ("null or a whole number, 1 or more", lambda value: value is None or is_count(value)),
    "report_time": ("a number of seconds, 0 or more", lambda value: is_between(value, 0, LONGEST_SHIFT)),
}
