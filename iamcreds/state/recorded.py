"""A recorded credential from the outputs of its resource, without its secret; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from iamcreds.delivery import DeliveredSecret, Delivery
from iamcreds.errors import StateError
from iamcreds.model import RecordedCredential, Status
from iamcreds.services import SECRET_OUTPUTS
from iamcreds.text.names import CREDENTIAL_ID, SERVICE_NAME, USER_NAME
from iamcreds.text.numbers import parse_whole_number

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

OUTPUTS = (
    "account_id",
    "age_days",
    "create_date",
    "credential_id",
    "deactivated",
    "deliver",
    "delivery",
    "desired_status",
    "expiration_date",
    "issued_at",
    "reset",
    "rotation",
    "service",
    "status",
    "trigger",
    "user",
    *SECRET_OUTPUTS.values(),
)
"""The outputs that a recorded credential is read from; of a secret, only the presence matters."""


def read_recorded(resource: str, outputs: Mapping[str, Any]) -> RecordedCredential:
    """Return the credential that a resource with these outputs manages.

    Raises:
        StateError: user, service or id is ciphertext or not a valid name, or a number is not a whole number.
        LookupError, TypeError, ValueError: the outputs are not those of a credential.
    """
    recorded = RecordedCredential(
        resource=resource,
        id=read_name(outputs, "credential_id", CREDENTIAL_ID),
        user=read_name(outputs, "user", USER_NAME),
        service=read_name(outputs, "service", SERVICE_NAME),
        created=_parse_date(outputs["create_date"]),
        account=_read_text(outputs, "account_id"),
        reset=_read_text(outputs, "reset"),
        trigger=_read_text(outputs, "trigger"),
        rotation=read_rotation(outputs),
        issued=_read_date(outputs, "issued_at"),
        expires=_read_date(outputs, "expiration_date"),
        age_days=_read_number(outputs, "age_days"),
        is_enforced=outputs.get("desired_status") is not None,
        is_retired=outputs.get("desired_status") == Status.INACTIVE,
        is_deactivated=outputs.get("deactivated") is True,
        deliver=Delivery.find(outputs.get("deliver")),
        delivered=DeliveredSecret.find(outputs),
        has_secret=any(outputs.get(name) is not None for name in SECRET_OUTPUTS.values()),
    )
    status = _read_text(outputs, "status")
    return recorded if status is None else replace(recorded, status=Status(status))


def read_name(properties: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    """Return a name as IAM has it; a program may have made it a secret, which is ciphertext here.

    Raises:
        StateError: it is ciphertext, or not a valid name.
    """
    value = properties[name]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise StateError(f"the state has a credential whose property `{name}` is a secret, or not a valid name in IAM")
    return value


def read_rotation(outputs: Mapping[str, Any]) -> int:
    """Return the number of predecessors, 0 without one.

    Raises:
        StateError: it is not a whole number.
    """
    return _read_number(outputs, "rotation") or 0


def _read_number(outputs: Mapping[str, Any], name: str) -> int | None:
    value = outputs.get(name)
    number = parse_whole_number(value)
    if number is None and value is not None:
        raise StateError(f"the state has a credential whose property `{name}` is not a whole number")
    return number


def _read_text(outputs: Mapping[str, Any], name: str) -> str | None:
    value = outputs.get(name)
    return value if isinstance(value, str) else None


def _read_date(outputs: Mapping[str, Any], name: str) -> datetime | None:
    text = _read_text(outputs, name)
    return None if text is None else _parse_date(text)


def find_date(outputs: Mapping[str, Any], name: str) -> datetime | None:
    """Return the date of an output, None if it is absent or not valid."""
    try:
        return _read_date(outputs, name)
    except ValueError:
        return None


def _parse_date(text: str) -> datetime:
    """Parse an ISO 8601 date; one without an offset, which iamcreds does not write, is in UTC."""
    date = datetime.fromisoformat(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)
