"""The deletion of a credential with `delete_secret`: its secret first, and never without the credential's approval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iamcreds.errors import AccountError, NotApprovedError
from tests.providers.conftest import new_process
from tests.providers.requests import create
from tests.providers.test_approved import approve, file
from tests.providers.test_delivered import NAME, store

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

__all__ = ["file", "store"]

DELIVER = {"secrets_manager": {"name": NAME, "delete_secret": True}}
DELETE = "secretsmanager:DeleteSecret"


def test_secret_first(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """A run that is killed between both deletions leaves the credential in the state, so the next run deletes it."""
    key, outs = create(provider, deliver=DELIVER)
    emulator.controls.deny("iam:DeleteServiceSpecificCredential")
    with pytest.raises(AccountError, match="AccessDenied"):
        new_process().delete(key, outs)
    assert "DeletedDate" in store.describe_secret(SecretId=NAME)
    emulator.controls.clear_faults()
    new_process().delete(key, outs)
    assert emulator.controls.passwords() == {}


def test_denied_store(
    provider: ServiceSpecificCredentialProvider, store: SecretsManagerClient, emulator: Emulator
) -> None:
    """If the store rejects the deletion, the credential is deleted, and the error names the secret that is left."""
    key, outs = create(provider, deliver=DELIVER)
    emulator.controls.deny(DELETE)
    with pytest.raises(AccountError, match=f"credential {key} is deleted, but Secrets Manager still has arn:.*{NAME}"):
        new_process().delete(key, outs)
    assert emulator.controls.passwords() == {}
    assert "DeletedDate" not in store.describe_secret(SecretId=NAME)


def test_not_approved(file: Path, store: SecretsManagerClient, emulator: Emulator) -> None:
    """A deletion that is not approved deletes neither."""
    key, outs = create(approve(file), deliver=DELIVER)
    with pytest.raises(NotApprovedError):
        new_process().delete(key, outs)
    assert key in emulator.controls.passwords()
    assert "DeletedDate" not in store.describe_secret(SecretId=NAME)
