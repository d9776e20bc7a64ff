"""How the names are written that people give; `schema.json` says the same, and a test holds it against this.

Patterns are of the whole text (`fullmatch`); the words follow "is not" or "must be".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

USER_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
USER_NAME_WORDS = "a user name of IAM: 1 to 64 letters, digits and characters of _+=,.@-"

SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
SERVICE_NAME_WORDS = "the name of a service: letters, digits, dots and hyphens"

ACCOUNT_ID = re.compile(r"[0-9]{12}")
ACCOUNT_ID_WORDS = "an AWS account id of 12 digits"

CREDENTIAL_ID = re.compile(r"[A-Za-z0-9_]{20,128}")
CREDENTIAL_ID_WORDS = "the id of a credential: 20 to 128 letters, digits and underscores"


def find_case_variant(name: str, names: Iterable[str]) -> str | None:
    """Return the name that differs from a user name by case only, None if there is none.

    IAM allows one of them (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html).
    """
    lower = name.lower()
    return next((other for other in names if other != name and other.lower() == lower), None)
