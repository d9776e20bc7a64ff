"""Patterns of the names in specs and options. A test compares them with `schema.json`.

Patterns match the whole text (`fullmatch`). Their descriptions follow "is not" or "must be".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

USER_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
USER_NAME_WORDS = "an IAM user name: 1 to 64 letters, digits and characters of _+=,.@-"

SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
SERVICE_NAME_WORDS = "a service name: letters, digits, dots and hyphens"

ACCOUNT_ID = re.compile(r"[0-9]{12}")
ACCOUNT_ID_WORDS = "a 12-digit AWS account ID"

CREDENTIAL_ID = re.compile(r"[A-Za-z0-9_]{20,128}")
CREDENTIAL_ID_WORDS = "a credential ID: 20 to 128 letters, digits and underscores"


def find_case_variant(name: str, names: Iterable[str]) -> str | None:
    """Return the name that differs from a user name by case only, None if there is none.

    IAM allows one of them (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html).
    """
    lower = name.lower()
    return next((other for other in names if other != name and other.lower() == lower), None)
