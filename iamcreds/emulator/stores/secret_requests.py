"""Lookups, writes and checks of KMS keys that the operations of Secrets Manager share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.emulator.account import SECRETS, SWITCHES
from iamcreds.emulator.exceptions import AwsError
from iamcreds.emulator.stores.keys import find_problem, make_arn
from iamcreds.emulator.stores.service import JsonService

if TYPE_CHECKING:
    from iamcreds.emulator.stores.secrets import Secret

Parameters = Mapping[str, Any]

DEFAULT_KEY = "alias/aws/secretsmanager"

_SUFFIX = len("-6RaNdm")


class SecretRequests(JsonService):
    """One request to Secrets Manager."""

    service = "secretsmanager"
    invalid_token = "InvalidNextTokenException"  # noqa: S105 - an error code

    def list_existing(self, lag: float = 0) -> list[Secret]:
        """Return the secrets as they were `lag` seconds ago, without those that have been deleted for good."""
        return [secret for secret in SECRETS.select(self.region, lag) if not _is_gone(secret)]

    def find(self, secret_id: str) -> Secret | None:
        """Return a secret by its name or ARN, which may lack the random characters at its end."""
        name = secret_id.rpartition(":secret:")[2]
        for secret in (SECRETS.find(self.region, name), SECRETS.find(self.region, name[:-_SUFFIX])):
            if secret is not None and secret_id in {secret.name, secret.arn, secret.arn[:-_SUFFIX]}:
                return None if _is_gone(secret) else secret
        return None

    def require(self, parameters: Parameters, *, is_deleted_too: bool = False) -> Secret:
        """Return the requested secret.

        Raises:
            AwsError: it does not exist, or is scheduled for deletion.
        """
        secret = self.find(parameters["SecretId"])
        if secret is None:
            message = "Secrets Manager can't find the specified secret."
            raise AwsError(message, "ResourceNotFoundException", 400)
        if secret.deleted is not None and not is_deleted_too:
            message = "You can't perform this operation on the secret because it was marked for deletion."
            raise AwsError(message, "InvalidRequestException", 400)
        return secret

    def put(self, secret: Secret) -> dict[str, Any]:
        """Write a secret, and return the fields that identify it."""
        SECRETS.put(self.region, secret.name, replace(secret, changed=SWITCHES.now()))
        return {"ARN": secret.arn, "Name": secret.name}

    def read_key(self, parameters: Parameters) -> str | None:
        """Return the requested KMS key, None for the store's own one."""
        key = parameters.get("KmsKeyId")
        return None if not key or key in {DEFAULT_KEY, make_arn(self.region, DEFAULT_KEY)} else str(key)

    def require_encryption(self, key: str | None) -> None:
        """Require that a key (None: the store's own one) can encrypt a value.

        A disabled key is an EncryptionFailure (botocore's model). The message about a missing key is recorded on AWS
        (https://github.com/hashicorp/terraform-provider-aws/pull/13303). Nobody recorded the error about an asymmetric
        key; here, it has the code of a missing one.

        Raises:
            AwsError: it cannot.
        """
        problem = find_problem(self.region, key or DEFAULT_KEY)
        if problem is None:
            return
        if problem.is_state:
            message = (
                "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS"
                " key is available, enabled, and not in an invalid state."
            )
            raise AwsError(message, "EncryptionFailure", 400)
        message = f"The operation failed because of an invalid KMS key: {problem.message}"
        raise AwsError(message, "InvalidParameterException", 400)


def _is_gone(secret: Secret) -> bool:
    """Return True if the recovery window has ended."""
    return secret.deleted is not None and secret.deleted <= SWITCHES.now()
