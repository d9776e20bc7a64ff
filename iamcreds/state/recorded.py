"""A recorded credential from the outputs of its resource, without its secret; pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from iamcreds.errors import StateError
from iamcreds.model import RecordedCredential, Status
from iamcreds.text.names import CREDENTIAL_ID, SERVICE_NAME, USER_NAME

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

OUTPUTS = (
    "account_id",
    "age_days",
    "create_date",
    "credential_id",
    "deactivated",
    "desired_status",
    "expiration_date",
    "issued_at",
    "reset",
    "rotation",
    "service",
    "status",
    "user",
)
"""The outputs that a recorded credential is read from."""


def read_recorded(resource: str, outputs: Mapping[str, Any]) -> RecordedCredential:
    """Return the credential that a resource with these outputs manages.

    Raises:
        StateError: user, service or id is ciphertext or not a valid name.
        LookupError, TypeError, ValueError: the outputs are not those of a credential.
    """
    age_days = outputs.get("age_days")
    recorded = RecordedCredential(
        resource=resource,
        id=read_name(outputs, "credential_id", CREDENTIAL_ID),
        user=read_name(outputs, "user", USER_NAME),
        service=read_name(outputs, "service", SERVICE_NAME),
        created=datetime.fromisoformat(outputs["create_date"]),
        account=_read_text(outputs, "account_id"),
        reset=_read_text(outputs, "reset"),
        rotation=int(outputs.get("rotation") or 0),
        issued=_read_date(outputs, "issued_at"),
        expires=_read_date(outputs, "expiration_date"),
        age_days=None if age_days is None else int(age_days),
        is_enforced=outputs.get("desired_status") is not None,
        is_retired=outputs.get("desired_status") == Status.INACTIVE,
        is_deactivated=outputs.get("deactivated") is True,
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


def _read_text(outputs: Mapping[str, Any], name: str) -> str | None:
    value = outputs.get(name)
    return value if isinstance(value, str) else None


def _read_date(outputs: Mapping[str, Any], name: str) -> datetime | None:
    text = _read_text(outputs, name)
    return None if text is None else datetime.fromisoformat(text)
