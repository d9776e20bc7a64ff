"""The inputs of `ServiceSpecificCredential`, and those that IAM would reject; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import pulumi
from pulumi.dynamic import CheckFailure

from iamcreds.delivery import Delivery, find_mistake
from iamcreds.model import Existing, Status, count_whole_days
from iamcreds.planning.group import Member
from iamcreds.services import MAX_PER_SERVICE, Family, service_alias, service_aliases, service_family, service_name
from iamcreds.text.names import (
    CREDENTIAL_ID,
    CREDENTIAL_ID_WORDS,
    SERVICE_NAME,
    USER_NAME,
    USER_NAME_WORDS,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

    from iamcreds.desired import DesiredCredential

_MAX_ROTATION = 1_000_000
_AGE_DAYS = range(1, 36601)  # the IAM model's credentialAgeDays


@dataclass(frozen=True)
class CredentialInputs:
    """The inputs of a credential; a value that a preview does not know yet stays as it is.

    Attributes:
        user: the IAM user's name.
        service: the service's full name.
        status: `Active` or `Inactive`; None enforces nothing.
        reset: the reset trigger.
        age_days: days until it expires, None for never.
        existing: `fail` (None is the same) or `adopt`.
        declared: number of credentials that the program declares with this user and service, None for one.
        account: 12 digits, None for any.
        adopt: the id of the existing credential to import, None for a new one; only the create reads it.
        password: the password or API key of that credential, if known; a secret, and only the create reads it.
        rotation: the number of predecessors of the credential, None for none. A greater one requires a new password.
        trigger: the text whose change rotates the credential once; it is only recorded.
        deliver: the store of its secret, see `iamcreds.delivery.Delivery`; None for the state.
    """

    user: Any = None
    service: Any = None
    status: Any = None
    reset: Any = None
    age_days: Any = None
    existing: Any = None
    declared: Any = None
    account: Any = None
    adopt: Any = None
    password: Any = None
    rotation: Any = None
    trigger: Any = None
    deliver: Any = None

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Self:
        """Read the engine's properties: numbers become whole, triggers text, and services full names."""
        return cls(**{name: _normalize(name, properties.get(name)) for name in INPUTS})

    @classmethod
    def declare(
        cls, credential: DesiredCredential, *, declared: int, account: str | None, password: object = None
    ) -> Self:
        """Return the inputs of a credential in a spec; `declared` counts those of its user and service."""
        return cls(
            user=credential.user,
            service=credential.service,
            status=credential.status,
            reset=credential.reset,
            age_days=credential.expire_after_days,
            existing=None if credential.existing is Existing.FAIL else credential.existing,
            declared=declared if declared > 1 else None,
            account=account,
            adopt=credential.adopt,
            password=password,
            rotation=credential.rotation,
            trigger=credential.trigger,
            deliver=None if credential.deliver is None else credential.deliver.properties(),
        )

    def properties(self) -> dict[str, Any]:
        """Return the inputs as the engine has them, without those that are None."""
        return {name: getattr(self, name) for name in INPUTS if getattr(self, name) is not None}

    def in_group(self) -> dict[str, Any]:
        """Return the inputs for the run context that concern other credentials of the same user and service."""
        names = ("status", "existing", "age_days", "declared", "adopt")
        return {name: value for name, value in self.properties().items() if name in names}

    def without_import(self) -> Self:
        """Return the inputs without those that are for the first create only."""
        return replace(self, adopt=None, password=None)

    @property
    def delivery(self) -> Delivery | None:
        """Return the delivery; None without one, if a preview does not know all of it, or if it is not valid."""
        return Delivery.find(self.deliver) if is_known(self.deliver) else None

    @property
    def target(self) -> Status | None:
        """Return the enforced status, or None. The input must be known."""
        return None if self.status is None else Status(self.status)

    def member(self) -> Member:
        """Return this credential as a member of its group.

        Values that a preview does not know yet become values that cause no rejection. A preview rejects a resource only
        if `up` is sure to reject it.
        """
        days = self.age_days if is_known(self.age_days) else None
        return Member(
            declared=(self.declared or 1) if is_known(self.declared) else MAX_PER_SERVICE,
            existing=Existing(self.existing or Existing.FAIL) if is_known(self.existing) else Existing.ADOPT,
            status=(self.target or Status.ACTIVE) if is_known(self.status) else Status.ACTIVE,
            lifetime=None if days is None else timedelta(days=days),
            adopt=self.adopt if is_known(self.adopt) else None,
            is_lifetime_known=is_known(self.age_days),
        )


INPUTS = tuple(field.name for field in fields(CredentialInputs))
"""The names of the inputs in every state."""

REPLACING = ("user", "service", "age_days")
"""The inputs that only a replacement can change."""


def find_replace_reasons(olds: Mapping[str, Any], inputs: CredentialInputs, *, is_successor: bool = False) -> list[str]:
    """Return the inputs that only a replacement can change, and the status of an expired credential.

    An imported credential may have an expiry that its inputs did not declare. One that was deactivated manually before
    it expired is replaced only if the specs require a new secret. For `is_successor`, see `list_changed`.
    """
    changed = list_changed(olds, inputs, count_days(olds), is_successor=is_successor)
    is_expired = olds.get("status") == Status.EXPIRED
    return changed + (["status"] if is_expired and is_replaced_after_expiry(olds, inputs) else [])


def list_changed(
    olds: Mapping[str, Any], inputs: CredentialInputs, days: int | None, *, is_successor: bool = False
) -> list[str]:
    """Return the changed inputs that only a replacement can apply.

    A greater `rotation` replaces a credential with an age, because no source records that a reset moves the expiry.
    With a changed `reset`, only a successor is replaced, because the current credential is reset in place.

    Args:
        olds: recorded outputs.
        inputs: the inputs.
        days: the lifetime of the existing credential, None without an expiry.
        is_successor: True if the credential becomes the successor of a different one in this run.
    """
    names = [name for name in REPLACING if olds.get(name) != getattr(inputs, name)]
    changed = [name for name in names if name != "age_days" or inputs.age_days is None or inputs.age_days != days]
    is_new = inputs.age_days is not None and is_rotated(olds, inputs)
    is_renewed = is_new and (is_successor or not is_reset(olds, inputs))
    return changed + (["rotation"] if is_renewed else [])


def is_replaced_after_expiry(olds: Mapping[str, Any], inputs: CredentialInputs) -> bool:
    """Return True if the credential is replaced after its expiry; `olds` has `deactivated` if it was not in use."""
    is_required = inputs.status is not None or is_reset(olds, inputs) or is_rotated(olds, inputs)
    return is_required or olds.get("deactivated") is not True


def is_reset(olds: Mapping[str, Any], inputs: CredentialInputs) -> bool:
    """Return True if the declared trigger differs from the recorded one."""
    return inputs.reset is not None and inputs.reset != olds.get("reset")


def is_rotated(olds: Mapping[str, Any], inputs: CredentialInputs) -> bool:
    """Return True if the program requires a newer password than the recorded one."""
    return (inputs.rotation or 0) > (olds.get("rotation") or 0)


def count_days(olds: Mapping[str, Any]) -> int | None:
    """Return the recorded lifetime in whole days, None without an expiry."""
    if not olds.get("expiration_date"):
        return None
    return count_whole_days(
        datetime.fromisoformat(olds["expiration_date"]) - datetime.fromisoformat(olds["create_date"])
    )


def find_failures(inputs: CredentialInputs) -> Iterator[CheckFailure]:
    """Find the invalid inputs except `account`, which all providers check.

    A value that a preview does not know yet is checked later.
    """
    for name, (accepts, expected) in _RULES.items():
        value = getattr(inputs, name)
        wrong = name in _REQUIRED if value is None else is_known(value) and not accepts(value)
        if wrong:
            yield CheckFailure(name, f"expected {expected}")
    mistake = None if inputs.deliver is None or not is_known(inputs.deliver) else find_mistake(inputs.deliver)
    if mistake is not None:
        yield CheckFailure("deliver", f"expected {mistake}")
    has_passwords = isinstance(inputs.service, str) and service_family(inputs.service) is Family.PASSWORD
    if isinstance(inputs.age_days, int) and has_passwords:
        yield CheckFailure(
            "age_days", f"only API keys expire, but {service_alias(inputs.service)} credentials are passwords"
        )


def is_known(value: object) -> bool:
    """Return True if a property value and all its parts are known: a preview does not know outputs of new resources.

    A provider receives an unknown value as an object of the SDK or as the engine's own placeholder.
    """
    match value:
        case pulumi.output.Unknown():
            return False
        case Mapping():
            return all(map(is_known, value.values()))
        case list():
            return all(map(is_known, value))
        case _:
            return bool(value != pulumi.runtime.rpc.UNKNOWN)


def _normalize(name: str, value: Any) -> Any:  # noqa: ANN401 - any property value
    if value is None or not is_known(value):
        return value
    match name:
        case "service" if isinstance(value, str):
            return service_name(value)
        case "age_days" | "declared" | "rotation" if isinstance(value, float) and value.is_integer():
            return int(value)  # the engine makes every number a float
        case "reset" | "trigger":
            return str(value)
        case _:
            return value


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_number(value: object) -> bool:
    return not isinstance(value, bool)  # which Python counts as 0 and 1


_REQUIRED = ("user", "service")

_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "user": (lambda value: _matches(USER_NAME, value), USER_NAME_WORDS),
    "service": (lambda value: _matches(SERVICE_NAME, value), f"{', '.join(service_aliases())} or a full service name"),
    "status": (lambda value: value in (Status.ACTIVE, Status.INACTIVE), "Active or Inactive"),
    "age_days": (lambda value: _is_number(value) and value in _AGE_DAYS, "a whole number of days from 1 to 36600"),
    "existing": (lambda value: value in list(Existing), "fail or adopt"),
    "declared": (
        lambda value: _is_number(value) and value in range(1, MAX_PER_SERVICE + 1),
        "1 or 2, because IAM allows two",
    ),
    "adopt": (lambda value: _matches(CREDENTIAL_ID, value), CREDENTIAL_ID_WORDS),
    "rotation": (lambda value: _is_number(value) and value in range(_MAX_ROTATION + 1), "a whole number from 0"),
    "trigger": (lambda value: isinstance(value, str) and value != "", "text that is not empty"),
    "password": (lambda value: isinstance(value, str) and value != "", "a password or an API key"),
}
