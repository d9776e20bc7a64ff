"""Parameter Store (AWS Systems Manager) as a secret store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.stores.store import HOW_TO_READ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_ssm import SSMClient

    from iamcreds.aws import Account
    from iamcreds.delivery import DeliveredSecret
    from iamcreds.stores.store import SecretSettings, StoredSecret


class ParameterStore:
    """Parameter Store in one region; see `Store`."""

    title = "Parameter Store"

    def __init__(self, account: Account, region: str) -> None:
        self.region = region
        self._parameters: SSMClient = account.open_client("ssm", region)

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
        """Return the value of the current version, by name or ARN."""
        if_denied = HOW_TO_READ.format(action="ssm:GetParameter")
        with translate_errors(f"reading the value of parameter {name}", if_denied=if_denied), reading_answers():
            response = client.read(self._parameters.get_parameter, Name=name, WithDecryption=True)
            return str(response["Parameter"]["Value"])

    def read_previous(self, name: str) -> str | None:
        """Return None: no label names the previous version of a parameter."""
        del name
        return None
