"""What `ServiceSpecificCredential` accepts: inputs in their one form, and what IAM would refuse; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure

from dynamic_providers.resource import known
from iamcreds.model import Status
from iamcreds.services import MAX_PER_SERVICE, service_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)  # the IAM model's userNameType, in the 64 that a user may have
_SERVICE = re.compile(r"[a-z0-9.-]+")  # IAM refuses other characters in a service's name, and lowers these
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_AGE_DAYS = range(1, 36601)  # the IAM model's credentialAgeDays


def normal(news: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs in their one form: full service name, whole numbers, reset trigger as text, nothing that is None."""
    return {name: _normal(name, value) for name, value in news.items() if value is not None}


def _normal(name: str, value: Any) -> Any:  # noqa: ANN401 - any property value
    match name:
        case "service" if isinstance(value, str) and known(value):
            return service_name(value)
        case "age_days" | "declared" if isinstance(value, float) and value.is_integer():
            return int(value)
        case "reset" if not isinstance(value, str):
            return str(value)
        case _:
            return value


def failures(inputs: Mapping[str, Any]) -> Iterator[CheckFailure]:
    """Everything wrong with inputs that are known; an output of a resource yet to be made is looked at later."""
    for name, (accepts, expected) in _RULES.items():
        value = inputs.get(name)
        wrong = name in _REQUIRED if value is None else known(value) and not accepts(value)
        if wrong:
            yield CheckFailure(name, f"expected {expected}")


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_REQUIRED = ("user", "service")

_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "user": (lambda value: _matches(_USER, value), "an IAM user name: 1 to 64 letters, digits or _+=,.@-"),
    "service": (lambda value: _matches(_SERVICE, value), "codecommit, keyspaces, bedrock, logs or a full service name"),
    "status": (lambda value: value in (Status.ACTIVE, Status.INACTIVE), "Active or Inactive"),
    "age_days": (lambda value: value in _AGE_DAYS, "a whole number of days from 1 to 36600"),
    "existing": (lambda value: value == "fail", "fail, the only way there is so far"),
    "declared": (lambda value: value in range(1, MAX_PER_SERVICE + 1), "1 or 2, as many as IAM allows"),
    "account": (lambda value: _matches(_ACCOUNT, value), "an account number of 12 digits"),
}
