"""KMS keys that encrypt secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.errors import NoSuchSecretError, RejectedError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def is_same_key(left: str, right: str) -> bool:
    """Return True if two names denote the same KMS key or alias, of which one may be an ARN.

    Secrets Manager shows the ARN of an alias that was declared by its name, and its list shows the ARN of each key.
    (DescribeSecretResponse and SecretListEntry in the API reference)
    """
    if left.startswith("arn:") and right.startswith("arn:"):
        return left == right
    return _shorten(left) == _shorten(right)


def _shorten(name: str) -> str:
    """Return `alias/NAME` for an alias, and the id of a key, without the beginning of an ARN."""
    return name.rpartition(":")[2].removeprefix("key/")


def require_key(keys: KMSClient, kms_key_id: str) -> None:
    """Require that a KMS key can encrypt secrets: enabled, symmetric, and in the store's region.

    Raises:
        RejectedError: it is not.
        AccountError: as AWS responds.
    """
    try:
        with translate_errors(f"reading KMS key {kms_key_id}"), reading_answers():
            key = client.read(keys.describe_key, KeyId=kms_key_id)["KeyMetadata"]
            state, purpose = key["KeyState"], (key.get("KeyUsage"), key.get("KeySpec"))
    except NoSuchSecretError:
        raise RejectedError(f"KMS key {kms_key_id} does not exist in {keys.meta.region_name}") from None
    if state != "Enabled":
        raise RejectedError(f"KMS key {kms_key_id} cannot encrypt the secret, because it is {state}")
    if purpose != ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"):
        raise RejectedError(f"KMS key {kms_key_id} cannot encrypt the secret: a symmetric encryption key is required")
