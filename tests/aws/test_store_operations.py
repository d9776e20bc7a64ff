"""The operations on secret stores that are called are those in the policies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest

from iamcreds.delivery import SECRETS_MANAGER, Delivery
from iamcreds.policies.store_operations import DESCRIBE_KEY, OPERATIONS
from iamcreds.stores.deliveries import Deliveries

if TYPE_CHECKING:
    from iamcreds.aws import Account
    from iamcreds.emulator.server import Emulator

TOKENS = ("00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000001")
DELIVERY = Delivery(SECRETS_MANAGER, "keys/{user}", "us-east-1", resource_policy="user", delete_secret=True)


@pytest.mark.parametrize("store", [SECRETS_MANAGER])
@pytest.mark.usefixtures("iam")
def test_only_declared_operations(account: Account, emulator: Emulator, store: str) -> None:
    """A store calls every operation that the policies permit, and no other one, except for its value."""
    operations, deliveries = OPERATIONS[store], Deliveries(account)
    keys = boto3.client("kms", endpoint_url=emulator.url, region_name="us-east-1")
    first, second = (
        keys.create_key(KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
        for _ in range(2)
    )
    declared = replace(DELIVERY, store=store, kms_key_id=first)
    target = deliveries.find_target(declared, "jane", "cassandra.amazonaws.com")
    emulator.controls.clear_counts()
    deliveries.list_secrets(store, "us-east-1")
    stored = deliveries.find(target, None)
    deliveries.require_usable(target, stored, None)
    reads = {name for name in emulator.controls.counts() if not name.startswith("sts:")}
    settings = deliveries.with_policy(target)
    for token in TOKENS:
        value = json.dumps({"password": token})
        target.store.put(target.name, deliveries.find(target, None), value, token, settings)
    written = deliveries.find(target, None)
    assert written is not None
    target.store.tag_attempt(written, "word")
    target.store.configure(written, replace(settings, kms_key_id=second, tags={**settings.tags, "team": "a"}))
    target.store.delete(written)
    called = {name for name in emulator.controls.counts() if not name.startswith("sts:")}
    assert reads <= {*operations.reads, DESCRIBE_KEY}
    changes = [operations.creates, operations.changes, operations.policies, operations.deletes]
    permitted = {*operations.reads, DESCRIBE_KEY, "iam:GetUser"}.union(*changes)
    assert called == permitted


@pytest.mark.usefixtures("iam")
def test_value(account: Account, emulator: Emulator) -> None:
    """A consumer calls the operation of its policy only."""
    deliveries = Deliveries(account)
    target = deliveries.find_target(DELIVERY, "jane", "cassandra.amazonaws.com")
    target.store.put(target.name, None, "{}", TOKENS[0], target.settings)
    emulator.controls.clear_counts()
    assert target.store.read(target.name) == "{}"
    assert set(emulator.controls.counts()) == {OPERATIONS[SECRETS_MANAGER].value}
