"""The words of attempts, and the tokens that name delivered versions; pure except for the random part of a word."""

from __future__ import annotations

import re
import secrets
import uuid
from datetime import UTC, datetime

_NAMESPACE = uuid.UUID("2f0c1e0e-63c1-5c0f-9d5e-0f2d3a1b7c44")
_ATTEMPT = re.compile(r"([0-9]{8}T[0-9]{6})Z-[0-9a-f]{16}")
_TIME = "%Y%m%dT%H%M%S"


def make_attempt(now: datetime) -> str:
    """Return the word of a new attempt: its server time, by which a later run knows when it took place, and chance."""
    return f"{now.astimezone(UTC):{_TIME}}Z-{secrets.token_hex(8)}"


def read_time(attempt: str) -> datetime | None:
    """Return the server time of an attempt, None if the word is not one of iamcreds."""
    match = _ATTEMPT.fullmatch(attempt)
    try:
        return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def make_token(credential_id: str, rotation: int, reset: str | None, attempt: str) -> str:
    """Return the token of the version with the password that an attempt has issued.

    Args:
        credential_id: id of the credential.
        rotation: the number of its predecessors.
        reset: the applied reset trigger, None without one.
        attempt: the word of the attempt.
    """
    text = "\n".join([credential_id, str(rotation), repr(reset), attempt])
    return str(uuid.uuid5(_NAMESPACE, text))
