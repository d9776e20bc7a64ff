"""KMS keys of moto, and their checks by the stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.kms.models import kms_backends
from moto.kms.responses import KmsResponse
from moto.utilities.utils import get_partition

from iamcreds.emulator.account import ACCOUNT

SERVED = frozenset(
    {
        "CancelKeyDeletion",
        "CreateAlias",
        "CreateKey",
        "DescribeKey",
        "DisableKey",
        "EnableKey",
        "ScheduleKeyDeletion",
    }
)
"""The operations of moto's KMS that the emulator serves."""


class Kms(KmsResponse):
    """One request to KMS."""

    def _get_param(self, param_name: str, if_none: Any = None) -> Any:  # noqa: ANN401 - as moto
        """Return a parameter; `KeyUsage` has a default in AWS (CreateKey in the API reference), but not in moto."""
        return super()._get_param(param_name, "ENCRYPT_DECRYPT" if param_name == "KeyUsage" else if_none)


@dataclass(frozen=True)
class KeyProblem:
    """A KMS key that cannot encrypt: KMS's error code and message."""

    code: str
    message: str

    @property
    def is_state(self) -> bool:
        """Return True if the key exists, and only its state is in the way."""
        return self.code in {"DisabledException", "KMSInvalidStateException"}


def find_problem(region: str, key_id: str) -> KeyProblem | None:
    """Return the problem of a key given by id, ARN, alias or alias ARN, None if it can encrypt.

    The messages are recorded on AWS: for a missing key (https://github.com/binxio/aws-ssm-copy/issues/10), one that
    waits for deletion (https://github.com/segmentio/chamber/issues/355) and a disabled one
    (https://github.com/fugue/credstash/issues/86). The message about an asymmetric key is not.
    """
    arn = make_arn(region, key_id)
    backend = kms_backends[ACCOUNT][region]
    if not arn.startswith(_prefix(region)):
        return KeyProblem("NotFoundException", f"Invalid arn {[*arn.split(':'), '', '', '', ''][3]}")
    name = arn.removeprefix(_prefix(region))
    is_alias = name.startswith("alias/")
    found = backend.get_key_id_from_alias(name) if is_alias else name.removeprefix("key/")
    key = backend.keys.get(found or "")
    if key is None:
        return KeyProblem(
            "NotFoundException", f"Alias {arn} is not found." if is_alias else f"Key '{arn}' does not exist"
        )
    if key.key_state == "PendingDeletion":
        return KeyProblem("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if key.key_state != "Enabled":
        return KeyProblem("DisabledException", f"{key.arn} is disabled.")
    if (key.key_usage, key.key_spec) != ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"):
        return KeyProblem("InvalidKeyUsageException", f"{key.arn} key usage is {key.key_usage} with {key.key_spec}.")
    return None


def make_arn(region: str, key_id: str) -> str:
    """Return the ARN of a key or alias."""
    if key_id.startswith("arn:"):
        return key_id
    return _prefix(region) + (key_id if key_id.startswith("alias/") else f"key/{key_id}")


def _prefix(region: str) -> str:
    return f"arn:{get_partition(region)}:kms:{region}:{ACCOUNT}:"
