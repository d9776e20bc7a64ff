"""The operations on secret stores that runs call, with their purposes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iamcreds.delivery import PARAMETER_STORE, SECRETS_MANAGER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.policies.documents import Owner

DESCRIBE_KEY = "kms:DescribeKey"
"""The read operation of runs with a declared KMS key."""


@dataclass(frozen=True)
class StoreOperations:
    """The operations on a store, each with its purpose.

    Attributes:
        service: the prefix of the operations.
        noun: the plural of its secrets, for statements.
        reads: operations of every run.
        creates: operations that may create a secret.
        changes: operations on an existing secret.
        policies: operations that set a declared resource policy.
        deletes: operations with `deleteSecret`.
        keys: operations of the store on a declared KMS key, on behalf of the run.
        value: the operation that reads the value; only for consumers.
    """

    service: str
    noun: str
    reads: Mapping[str, str]
    creates: Mapping[str, str]
    deletes: Mapping[str, str]
    keys: tuple[str, ...]
    value: str
    changes: Mapping[str, str] = field(default_factory=dict)
    policies: Mapping[str, str] = field(default_factory=dict)

    def list_arns(self, region: str, name: str, owner: Owner) -> list[str]:
        """Return the ARNs of a secret; Secrets Manager adds a hyphen and six characters to the name."""
        if self.service == "ssm":
            return [owner.arn("ssm", region, f"parameter/{name.removeprefix('/')}")]
        return [owner.arn(self.service, region, f"secret:{name}{suffix}") for suffix in ("", "-??????")]


OPERATIONS: Mapping[str, StoreOperations] = {
    SECRETS_MANAGER: StoreOperations(
        service="secretsmanager",
        noun="Secrets",
        reads={
            "secretsmanager:ListSecrets": "managed secrets, with the ids of their versions",
            "secretsmanager:DescribeSecret": "confirmation of a difference, and secrets that wait for deletion",
        },
        creates={
            "secretsmanager:CreateSecret": "a newly declared secret",
            "secretsmanager:TagResource": "declared tags, and the tag of an attempt to reset a password",
        },
        changes={
            "secretsmanager:PutSecretValue": "a new password",
            "secretsmanager:UpdateSecret": "a changed KMS key",
        },
        policies={"secretsmanager:PutResourcePolicy": "a declared resource policy"},
        deletes={"secretsmanager:DeleteSecret": "the secret of a deleted credential"},
        keys=("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"),
        value="secretsmanager:GetSecretValue",
    ),
    PARAMETER_STORE: StoreOperations(
        service="ssm",
        noun="Parameters",
        reads={
            "ssm:DescribeParameters": "managed parameters, with the numbers of their versions",
            "ssm:ListTagsForResource": "the credential and the attempt of a parameter",
        },
        creates={
            "ssm:PutParameter": "a new parameter or password",
            "ssm:AddTagsToResource": "declared tags, and the tag of an attempt to reset a password",
        },
        deletes={"ssm:DeleteParameter": "the parameter of a deleted credential"},
        keys=("kms:Encrypt", "kms:GenerateDataKey"),
        value="ssm:GetParameter",
    ),
}
"""The operations by store. The operations on KMS keys are those of the API reference of Secrets Manager (CreateSecret,
UpdateSecret) and of the KMS Developer Guide (Parameter Store: standard and advanced parameters)."""
