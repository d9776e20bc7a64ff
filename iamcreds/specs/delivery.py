"""The field `deliver`: the delivery that it declares; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.delivery import PARAMETER_STORE, SECRETS_MANAGER, Delivery, fill_name
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.specs.rules import Declared

STORE_FIELDS = {"secretsManager": SECRETS_MANAGER, "ssm": PARAMETER_STORE}
"""The stores by their fields in specs."""


def make_delivery(declared: Declared) -> Delivery | None:
    """Return the delivery of a valid credential, or None without one; only `{account}` stays in the name."""
    values: Mapping[str, Any] = declared.fields
    deliver: Mapping[str, Any] = values.get("deliver") or {}
    if not deliver:
        return None
    field, store = next((field, store) for field, store in STORE_FIELDS.items() if field in deliver)
    fields: Mapping[str, Any] = deliver[field]
    return Delivery(
        store=store,
        name=resolve_name(declared, fields["name"]),
        region=fields.get("region"),
        kms_key_id=fields.get("kmsKeyId"),
        tags=dict(fields.get("tags", {})),
        resource_policy=fields.get("resourcePolicy"),
        delete_secret=fields.get("deleteSecret", False),
        keep_in_state=deliver.get("keepInState", False),
    )


def resolve_name(declared: Declared, name: str) -> str:
    """Replace the placeholders of a name in the store, except `{account}`, which specs may not know."""
    values = {"user": declared.user, "service": service_alias(declared.service), "name": declared.name}
    return fill_name(name, values)
