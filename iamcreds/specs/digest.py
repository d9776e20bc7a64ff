"""The digest of specs, equal if they declare the same; pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from iamcreds.model import SourceLocation

if TYPE_CHECKING:
    from iamcreds.model import Desired


def compute_digest(desired: Desired) -> str:
    """Return the SHA-256 of the declared account and users, as 64 hexadecimal digits.

    File names, order, comments and layout do not change it. A default is equal to the same explicit value.
    """
    declared = json.dumps([desired.account, desired.users], default=_list_fields, sort_keys=True)
    return hashlib.sha256(declared.encode()).hexdigest()


def _list_fields(declared: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass of the model
    values = ((field.name, getattr(declared, field.name)) for field in fields(declared))
    return {name: value for name, value in values if not isinstance(value, SourceLocation)}
