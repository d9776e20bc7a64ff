"""The field `credentialPolicy`: its rules that a schema cannot express, and the policy that it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.desired import CredentialPolicy
from iamcreds.model import Problem
from iamcreds.services import Family, service_alias, service_family, service_name
from iamcreds.specs.known_services import check_service
from iamcreds.specs.nodes import Block, Items, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.specs.nodes import Plain, Tree

_FIELD = "credentialPolicy"
_LISTS = ("requireExpiry", "services")


def check_policies(tree: Tree) -> Iterator[Problem]:
    """Yield every problem of the services in the credential policies of a file."""
    users = tree.values.get("users")
    declaring: list[Plain] = [tree.values.get("defaults"), *(users.values() if isinstance(users, Block) else ())]
    for fields in declaring:
        policy = fields.get(_FIELD) if isinstance(fields, Block) else None
        if isinstance(policy, Block):
            for name in _LISTS:
                yield from _check_services(tree, name, policy.get(name))


def make_credential_policy(fields: Mapping[str, Any]) -> CredentialPolicy | None:
    """Return the policy with these valid fields, or None without fields."""
    if not fields:
        return None
    max_age, max_lifetime = (
        None if fields.get(limit) is None else int(fields[limit]) for limit in ("maxAgeDays", "maxLifetimeDays")
    )
    required, allowed = (tuple(sorted(map(service_name, fields.get(name, ())))) for name in _LISTS)
    return CredentialPolicy(max_age, max_lifetime, required, allowed, enforce=fields.get("enforce", False))


def _check_services(tree: Tree, field: str, services: Plain) -> Iterator[Problem]:
    if not isinstance(services, Items):
        return
    first: dict[str, str] = {}
    for service, mark in zip(services, services.marks, strict=True):
        if not isinstance(service, str):
            continue
        location, before = tree.location(mark), first.setdefault(service_name(service), service)
        if before != service:
            message = f"{quoted(service)} is the same service as {quoted(before)}: remove one of them"
            yield Problem(location, message, "wrong-value")
        if field == "requireExpiry" and service_family(service) is Family.PASSWORD:
            message = f'"requireExpiry" is for API keys only, and {service_alias(service)} has passwords'
            yield Problem(location, message, "expiry-on-password-service")
        yield from check_service(service, location)
