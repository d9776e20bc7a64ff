"""The digest of specs, equal if they declare the same; pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from iamcreds.model import SourceLocation

if TYPE_CHECKING:
    from dataclasses import Field

    from iamcreds.desired import Desired


_ALWAYS = frozenset(
    {
        "access_keys", "adopt", "credentials", "enforce", "existing", "iam_user", "is_imported", "judges_credentials",
        "max", "max_age_days", "max_idle_days", "name", "path", "permissions_boundary", "policy_arns", "protect",
        "releases_iam_user", "reset", "retain_on_delete", "service", "status", "tags", "unmanaged", "user", "user_was",
        "was",
    }
)  # fmt: skip
"""The fields that the digest has even with their defaults. Never add one: that would change the digest of all specs."""


def compute_digest(desired: Desired) -> str:
    """Return the SHA-256 of the declared account and users, as 64 hexadecimal digits.

    File names, order, comments and layout do not change it. A default is equal to the same explicit value. A field that
    the digest has not always had changes it only if it is declared, so that approved plans outlive an upgrade.
    """
    facts: list[Any] = [desired.account, desired.users]
    facts += [] if desired.max_rotations is None else [{"max_rotations": desired.max_rotations}]
    declared = json.dumps(facts, default=_list_fields, sort_keys=True)
    return hashlib.sha256(declared.encode()).hexdigest()


def _list_fields(declared: Any) -> dict[str, Any] | str:  # noqa: ANN401 - a dataclass of the model, or a time
    if isinstance(declared, datetime):
        return declared.isoformat()
    values = ((field, getattr(declared, field.name)) for field in fields(declared))
    return {
        field.name: value
        for field, value in values
        if not isinstance(value, SourceLocation) and (field.name in _ALWAYS or value != _find_default(field))
    }


def _find_default(field: Field[Any]) -> Any:  # noqa: ANN401 - any value of a field
    return field.default if field.default_factory is MISSING else field.default_factory()
