"""Settings of the IAM emulator."""

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
    """Settings of the IAM emulator; the defaults have no faults.

    Attributes:
        latency: additional seconds for each call.
        rate: calls per second of each operation before IAM returns Throttling; None disables the limit.
        burst: number of calls at once before the rate applies; None permits the calls of one second.
        clock_shift: seconds by which the account's clock and every Date header are ahead (negative: behind).
        list_lag: seconds by which ListServiceSpecificCredentials, ListSecrets and DescribeParameters lag behind writes.
        all_users: True if ListServiceSpecificCredentials supports the parameter AllUsers.
        hidden_users: users omitted from lists with AllUsers, although lists with UserName find them.
        page_limit: maximum number of items per page, regardless of MaxItems or MaxResults; None follows them.
        report_time: seconds to generate a credential report.
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
        """Read settings from a JSON document; omitted ones get their defaults.

        Raises:
            ControlError: a key is unknown or a value is not valid.
        """
        values = read_object(document, {field.name for field in fields(cls)})
        for name, value in values.items():
            constraint, is_valid = _RULES[name]
            if not is_valid(value):
                raise ControlError(f"{name} must be {constraint}")
        return cls(**values | {"hidden_users": tuple(values.get("hidden_users", ()))})


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_RULES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "latency": ("a number of seconds from 0 to 60", lambda value: is_between(value, 0, LONGEST_LATENCY)),
    "rate": (
        "null or a number of calls per second greater than 0",
        lambda value: value is None or (is_between(value, 0, HIGHEST_RATE) and value != 0),
    ),
    "burst": ("null or an integer of 1 or more", lambda value: value is None or is_count(value)),
    "clock_shift": (
        "a number of seconds, equal to at most 100 years in either direction",
        lambda value: is_between(value, -LONGEST_SHIFT, LONGEST_SHIFT),
    ),
    "list_lag": ("a number of seconds of 0 or more", lambda value: is_between(value, 0, LONGEST_SHIFT)),
    "all_users": ("true or false", lambda value: isinstance(value, bool)),
    "hidden_users": ("a list of user names", _is_texts),
    "page_limit": ("null or an integer of 1 or more", lambda value: value is None or is_count(value)),
    "report_time": ("a number of seconds of 0 or more", lambda value: is_between(value, 0, LONGEST_SHIFT)),
}
