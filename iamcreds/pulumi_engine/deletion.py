"""The deletion of a credential, and of its secret in a store if that is declared."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from iamcreds.delivery import DeliveredSecret
from iamcreds.errors import AccountError
from iamcreds.pulumi_engine.delivering import find_recorded_delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.aws import Account
    from iamcreds.stores.deliveries import Deliveries

_NOT_DELETED = "{error}; credential {credential_id} is deleted, but {title} still has {arn}. Delete the secret manually"


def delete_credential(account: Account, deliveries: Deliveries, olds: Mapping[str, Any], *, is_replaced: bool) -> None:
    """Delete a credential with these recorded outputs; one that no longer exists counts as deleted.

    Its secret is deleted first. A refresh after a killed run drops a credential that is gone from the state, so no
    later run would delete the secret. The deletion of the credential does not depend on the store.

    Args:
        account: the account.
        deliveries: the secret stores of the run.
        olds: the recorded outputs.
        is_replaced: True if this run replaces the credential, whose secret stays.

    Raises:
        AccountError: as AWS responds; the secret may be left.
    """
    errors: list[AccountError] = []

    def delete_secret() -> None:
        try:
            _delete_secret(deliveries, olds)
        except AccountError as error:
            errors.append(error)

    created = datetime.fromisoformat(olds["create_date"])
    before = None if is_replaced else delete_secret
    account.credentials.delete(olds["user"], olds["credential_id"], created, before)
    for error in errors:
        raise error


def _delete_secret(deliveries: Deliveries, olds: Mapping[str, Any]) -> None:
    """Delete the secret if that is declared and the secret is still the credential's own."""
    declared, delivered = find_recorded_delivery(olds), DeliveredSecret.find(olds)
    if declared is None or delivered is None or not declared.delete_secret:
        return
    store = deliveries.open_store(declared.store, delivered.region)
    try:
        stored = store.describe(delivered.arn)
        if stored is not None and stored.deleted is None and stored.version == delivered.version:
            store.delete(stored)
    except AccountError as error:
        raise AccountError(_NOT_DELETED.format(error=error, arn=delivered.arn, title=store.title, **olds)) from error
