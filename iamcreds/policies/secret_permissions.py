"""The statements that permit the operations of runs on secret stores; none permits reading the value of a secret.

Source of resources and conditions: the Service Authorization Reference of AWS Secrets Manager and Systems Manager.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from iamcreds.delivery import CREDENTIAL_TAG, fill_name
from iamcreds.policies.documents import make_policy, make_statement
from iamcreds.policies.store_operations import DESCRIBE_KEY, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.delivery import Delivery
    from iamcreds.desired import Desired, DesiredCredential
    from iamcreds.policies.documents import Owner
    from iamcreds.policies.store_operations import StoreOperations

MAX_PATTERNS = 15
"""The number of names with wildcards that fit into one policy."""


@dataclass(frozen=True, order=True)
class DeclaredSecret:
    """A declared secret; an asterisk in region or name is a wildcard.

    Attributes:
        store: one of the stores.
        region: the region.
        name: the name in the store.
        key: the declared KMS key, empty without one.
        has_policy: True if a resource policy is declared.
        is_managed: True if changes are limited to secrets with the tag of iamcreds.
    """

    store: str
    region: str
    name: str
    key: str = ""
    has_policy: bool = False
    is_managed: bool = False


def list_secrets(desired: Desired, owner: Owner) -> list[DeclaredSecret]:
    """Return the declared secrets, sorted."""
    return sorted(_make_secret(delivery, owner) for _, delivery in _find_deliveries(desired))


def widen_secrets(desired: Desired, owner: Owner) -> list[DeclaredSecret]:
    """Return fewer declared secrets, sorted: users in their names are wildcards; too many names are one wildcard."""
    secrets = {
        replace(_make_secret(delivery, owner), name=name, is_managed=True)
        for credential, delivery in _find_deliveries(desired)
        for name in (fill_name(delivery.name, {"account": owner.account or "*"}).replace(credential.user, "*"),)
    }
    if len({secret.name for secret in secrets}) > MAX_PATTERNS:
        secrets = {replace(secret, name="*") for secret in secrets}
    return sorted(secrets)


def _find_deliveries(desired: Desired) -> Iterator[tuple[DesiredCredential, Delivery]]:
    credentials = (credential for user in desired.users for credential in user.credentials)
    yield from ((each, each.deliver) for each in credentials if each.deliver is not None)


def _make_secret(delivery: Delivery, owner: Owner) -> DeclaredSecret:
    name = fill_name(delivery.name, {"account": owner.account or "*"})
    key, has_policy = delivery.kms_key_id or "", delivery.resource_policy is not None
    return DeclaredSecret(delivery.store, delivery.region or "*", name, key, has_policy)


def read_statements(desired: Desired) -> list[dict[str, Any]]:
    """Return the statements for the reads of a run with these specs, which cannot be limited to a part of a store."""
    deliveries = [delivery for _, delivery in _find_deliveries(desired)]
    reads = {operation for delivery in deliveries for operation in OPERATIONS[delivery.store].reads}
    reads |= {DESCRIBE_KEY for delivery in deliveries if delivery.kms_key_id is not None}
    return [make_statement("ReadStores", reads, "*")] if reads else []


def fixed_statements(desired: Desired, owner: Owner) -> list[dict[str, Any]]:
    """Return the statements that do not depend on names: reads, and deletions, as removed secrets are not declared."""
    deleting = sorted({delivery.store for _, delivery in _find_deliveries(desired) if delivery.delete_secret})
    return [*read_statements(desired), *(_make_deletion(OPERATIONS[store], owner) for store in deleting)]


def _make_deletion(operations: StoreOperations, owner: Owner) -> dict[str, Any]:
    every = operations.list_arns("*", "*", owner)[0]
    return make_statement(f"Delete{operations.noun}", operations.deletes, every, _require_tag())


def _require_tag() -> dict[str, Any]:
    return {"Null": {f"aws:ResourceTag/{CREDENTIAL_TAG}": "false"}}


def store_statements(stores: Iterable[str], owner: Owner, *, is_update: bool) -> list[dict[str, Any]]:
    """Return the statements for stores without specs, which limit changes of existing secrets to managed ones."""
    every = [_permit_whole_store(store) for store in sorted(set(stores))]
    if not every:
        return []
    reads = make_statement("ReadStores", [name for each in every for name in OPERATIONS[each.store].reads], "*")
    if not is_update:
        return [reads]
    deletions = (_make_deletion(OPERATIONS[secret.store], owner) for secret in every)
    return [reads, *deletions, *write_statements(every, owner)]


def _permit_whole_store(store: str) -> DeclaredSecret:
    return DeclaredSecret(store, "*", "*", has_policy=bool(OPERATIONS[store].policies), is_managed=True)


def write_statements(secrets: Sequence[DeclaredSecret], owner: Owner) -> Iterator[dict[str, Any]]:
    """Yield the statements for changes of declared secrets, with the use of their KMS keys."""
    for store, group in groupby(secrets, key=lambda secret: secret.store):
        yield from _write_store(OPERATIONS[store], list(group), owner)
    keys = sorted({(secret.key, secret.store, secret.region) for secret in secrets if secret.key})
    for number, (key, store, region) in enumerate(keys, 1):
        operations = OPERATIONS[store]
        yield _use_key(f"UseKey{number}", operations.keys, key, f"{operations.service}.{region}", owner)


def _write_store(
    operations: StoreOperations, secrets: Sequence[DeclaredSecret], owner: Owner
) -> Iterator[dict[str, Any]]:
    noun, tag = operations.noun, _require_tag() if secrets[0].is_managed else None
    arns = _list_arns(operations, secrets, owner)
    if tag is None:
        yield make_statement(f"Write{noun}", [*operations.creates, *operations.changes], arns)
    else:
        yield make_statement(f"Create{noun}", operations.creates, arns)
        if operations.changes:
            yield make_statement(f"Change{noun}", operations.changes, arns, tag)
    with_policy = [secret for secret in secrets if secret.has_policy]
    if with_policy:
        private = (tag or {}) | {"Bool": {"secretsmanager:BlockPublicPolicy": "true"}}
        yield make_statement("SetPolicies", operations.policies, _list_arns(operations, with_policy, owner), private)


def _list_arns(operations: StoreOperations, secrets: Iterable[DeclaredSecret], owner: Owner) -> list[str]:
    arns = (arn for secret in secrets for arn in operations.list_arns(secret.region, secret.name, owner))
    return list(dict.fromkeys(arns))


def _use_key(name: str, operations: Iterable[str], key: str, service: str, owner: Owner) -> dict[str, Any]:
    """Return the statement for a KMS key, which only the store may use (KMS Developer Guide, condition keys).

    Policies name keys by their ARNs; an alias is a condition.
    """
    region = service.partition(".")[2]
    via: dict[str, Any] = {"StringLike": {"kms:ViaService": f"{service}.amazonaws.com*"}}
    if key.startswith("arn:"):
        *start, resource = key.split(":", 5)
    else:
        start, resource = owner.arn("kms", region, "").split(":", 5)[:5], key if "/" in key else f"key/{key}"
    if resource.startswith("alias/"):
        via |= {"ForAnyValue:StringEquals": {"kms:ResourceAliases": resource}}
        resource = "key/*"
    return make_statement(name, operations, ":".join([*start, resource]), via)


def reader_policy(delivery: Delivery, owner: Owner) -> dict[str, Any]:
    """Return the policy of a consumer, which permits reading the value of one secret."""
    secret, operations = _make_secret(delivery, owner), OPERATIONS[delivery.store]
    arn = operations.list_arns(secret.region, secret.name, owner)[-1]
    statements = [make_statement("ReadSecret", [operations.value], arn)]
    if secret.key:
        service = f"{operations.service}.{secret.region}"
        statements.append(_use_key("DecryptSecret", ["kms:Decrypt"], secret.key, service, owner))
    return make_policy(*statements)
