"""A parameter of Parameter Store; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SECURE = "SecureString"


@dataclass(frozen=True)
class Parameter:
    """A parameter with its current version.

    Attributes:
        name: the name.
        arn: the ARN.
        type: String, StringList or SecureString.
        value: the current value.
        version: the number of the current version; the first one is 1.
        changed: the time of its last version.
        user: ARN of the caller that wrote it.
        description: the description, empty without one.
        kms_key_id: the KMS key of a SecureString.
        tags: the tags.
    """

    name: str
    arn: str
    type: str
    value: str
    version: int
    changed: datetime
    user: str
    description: str = ""
    kms_key_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def make_key(name: str) -> str:
    """Return the name by which a parameter is found: `/name` is `name` unless it is a path."""
    return name.removeprefix("/") if "/" not in name.removeprefix("/") else name


def describe(parameter: Parameter) -> dict[str, Any]:
    """Describe a parameter as DescribeParameters does, without its value and tags."""
    fields: dict[str, Any] = {
        "Name": parameter.name,
        "ARN": parameter.arn,
        "Type": parameter.type,
        "KeyId": parameter.kms_key_id,
        "LastModifiedDate": parameter.changed,
        "LastModifiedUser": parameter.user,
        "Description": parameter.description or None,
        "Version": parameter.version,
        "Tier": "Standard",
        "Policies": [],
        "DataType": "text",
    }
    return {name: value for name, value in fields.items() if value is not None}
