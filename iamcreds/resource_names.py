"""The resource names of credentials in every state, and their parts; pure."""

from __future__ import annotations

from iamcreds.services import service_alias

_SLOT_2 = "~2"


def resource_name(user: str, service: str, name: str) -> str:
    """Return the Pulumi resource name of a credential: `user/alias`, and `/name` unless the name is the alias."""
    alias = service_alias(service)
    return f"{user}/{alias}" if name == alias else f"{user}/{alias}/{name}"


def slot_name(name: str, slot: int) -> str:
    """Return the resource name of a slot: that of slot 2 ends with `~2`. No user, service or name contains `~`."""
    return f"{name}{_SLOT_2}" if slot > 1 else name


def split_slot(resource: str) -> tuple[str, int]:
    """Return the declared name and the slot of a resource name; see `slot_name`."""
    name = resource.removesuffix(_SLOT_2)
    return name, 1 if name == resource else 2


def credential_name(resource: str, user: str, service: str) -> str | None:
    """Return the name in a credential's resource name, or None if user or service (full name) do not match."""
    alias = service_alias(service)
    if resource == f"{user}/{alias}":
        return alias
    prefix = f"{user}/{alias}/"
    return resource.removeprefix(prefix) or None if resource.startswith(prefix) else None
