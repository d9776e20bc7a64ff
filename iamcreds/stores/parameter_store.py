"""Parameter Store (AWS Systems Manager) as a secret store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.aws import Account
    from iamcreds.delivery import DeliveredSecret
    from iamcreds.stores.store import SecretSettings, StoredSecret


class ParameterStore:
    """Parameter Store in one region; see `Store`."""

    title = "Parameter Store"

    def __init__(self, account: Account, region: str) -> None:
        self.region = region
        self._account = account

    def list_secrets(self) -> Mapping[str, StoredSecret]:
        """Return the parameters with `CREDENTIAL_TAG` by name."""
        raise NotImplementedError

    def describe(self, name: str) -> StoredSecret | None:
        """Return a parameter."""
        raise NotImplementedError

    def require_key(self, kms_key_id: str) -> None:
        """Require that a KMS key can encrypt secrets."""
        raise NotImplementedError

    def tag_attempt(self, stored: StoredSecret, attempt: str) -> None:
        """Write the word of an attempt."""
        raise NotImplementedError

    def put(
        self, name: str, stored: StoredSecret | None, value: str, token: str, settings: SecretSettings
    ) -> DeliveredSecret:
        """Write a value."""
        raise NotImplementedError

    def configure(self, stored: StoredSecret, settings: SecretSettings) -> None:
        """Apply settings."""
        raise NotImplementedError

    def delete(self, stored: StoredSecret) -> None:
        """Delete a parameter."""
        raise NotImplementedError

    def read(self, name: str) -> str:
        """Return the value."""
        raise NotImplementedError
