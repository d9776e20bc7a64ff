"""The field `deliver`: its rules that a schema cannot express, and the delivery that it declares; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iamcreds.delivery import STORE_FIELDS, Delivery, fill_name
from iamcreds.model import Problem
from iamcreds.specs.nodes import Block, quoted
from iamcreds.specs.secret_names import (
    PARAMETER_STORE_RULES,
    SECRETS_MANAGER_RULES,
    check_name,
    check_tags,
    resolve_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.model import SourceLocation
    from iamcreds.specs.rules import Declared

_RULES = {"secretsManager": SECRETS_MANAGER_RULES, "ssm": PARAMETER_STORE_RULES}


@dataclass(frozen=True)
class DeclaredSecret:
    """A secret in a store to which a spec delivers.

    Attributes:
        store: the field of the store.
        region: the declared region, None for that of the environment.
        name: the name, in which `{account}` may be left.
        location: the source location of the name.
    """

    store: str
    region: str | None
    name: str
    location: SourceLocation

    def identify(self, account: str | None) -> tuple[str, str]:
        """Return equal values for one name in a store (User Guide of Systems Manager: `/a` and `a` are not unique)."""
        name = fill_name(self.name, {} if account is None else {"account": account})
        return self.store, name.lstrip("/") if self.store == "ssm" else name

    def may_share_region(self, other: DeclaredSecret) -> bool:
        """Return True if both may be in one region: without `region`, the environment decides."""
        return None in (self.region, other.region) or self.region == other.region


def check_delivery(credential: Declared) -> Iterator[Problem]:
    """Yield every violation of a rule about the delivery of a credential."""
    for store, fields in _find_stores(credential):
        yield from check_name(credential, fields, _RULES[store])
        yield from check_tags(credential, fields, _RULES[store])


def find_secrets(credentials: Iterable[Declared]) -> Iterator[DeclaredSecret]:
    """Yield the secrets of credentials, also in specs with errors."""
    for credential in credentials:
        for store, fields in _find_stores(credential):
            name, region = fields.get("name"), fields.get("region")
            if isinstance(name, str) and (region is None or isinstance(region, str)):
                location = credential.tree.location(fields.marks["name"])
                yield DeclaredSecret(store, region, resolve_name(credential, name), location)


def check_secrets(secrets: Iterable[DeclaredSecret], account: str | None) -> Iterator[Problem]:
    """Yield the secrets of all files that are declared twice; `account` is the account of the specs."""
    named: dict[tuple[str, str], list[DeclaredSecret]] = defaultdict(list)
    for secret in secrets:
        others = named[secret.identify(account)]
        before = next((other for other in others if secret.may_share_region(other)), None)
        if before is not None:
            message = (
                f"{_RULES[secret.store].title} secret {quoted(secret.name)} is already declared at {before.location}:"
                " give each credential a secret with a different name, or both of them a different region"
            )
            yield Problem(secret.location, message, "duplicate-secret")
        others.append(secret)


def _find_stores(credential: Declared) -> Iterator[tuple[str, Block]]:
    deliver = credential.fields.get("deliver")
    if isinstance(deliver, Block):
        yield from ((store, fields) for store in STORE_FIELDS if isinstance(fields := deliver.get(store), Block))


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
