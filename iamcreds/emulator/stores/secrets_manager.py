"""Operations of Secrets Manager. Names of parameters and error codes are those of AWS."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from iamcreds.emulator.account import SECRETS, SWITCHES
from iamcreds.emulator.exceptions import AwsError
from iamcreds.emulator.stores.filters import select_secrets
from iamcreds.emulator.stores.keys import make_arn
from iamcreds.emulator.stores.secret_values import SecretValues
from iamcreds.emulator.stores.secrets import Secret, describe
from iamcreds.emulator.stores.service import read_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.emulator.stores.secret_requests import Parameters

PAGE = 100
"""Secrets on a page without `MaxResults`, which is also its maximum."""

_SHORTEST_WINDOW, _LONGEST_WINDOW = 7, 30


class SecretsManager(SecretValues):
    """One request to Secrets Manager."""

    served: ClassVar[Mapping[str, str]] = {
        "CancelRotateSecret": "SecretId",
        "CreateSecret": "ClientRequestToken Description KmsKeyId Name SecretString Tags",
        "DeleteSecret": "ForceDeleteWithoutRecovery RecoveryWindowInDays SecretId",
        "DescribeSecret": "SecretId",
        "GetResourcePolicy": "SecretId",
        "GetSecretValue": "SecretId VersionId VersionStage",
        "ListSecrets": "Filters IncludePlannedDeletion MaxResults NextToken",
        "PutResourcePolicy": "BlockPublicPolicy ResourcePolicy SecretId",
        "PutSecretValue": "ClientRequestToken SecretId SecretString VersionStages",
        "RestoreSecret": "SecretId",
        "RotateSecret": "ClientRequestToken RotateImmediately RotationLambdaARN SecretId",
        "TagResource": "SecretId Tags",
        "UntagResource": "SecretId TagKeys",
        "UpdateSecret": "ClientRequestToken Description KmsKeyId SecretId SecretString",
        "UpdateSecretVersionStage": "MoveToVersionId RemoveFromVersionId SecretId VersionStage",
    }

    def respond(self, operation: str, body: bytes) -> str:
        """Return the response; one operation at a time, because most depend on the state before."""
        with SECRETS.lock:
            return super().respond(operation, body)

    # Descriptions

    def describe_secret(self, parameters: Parameters) -> dict[str, Any]:
        """Describe a secret, even if it is scheduled for deletion."""
        secret = self.require(parameters, is_deleted_too=True)
        key = secret.kms_key_id
        shown = {"KmsKeyId": make_arn(self.region, key)} if key and key.startswith("alias/") else {}
        return {**describe(secret), **shown, "VersionIdsToStages": secret.list_stages()}

    def list_secrets(self, parameters: Parameters) -> dict[str, Any]:
        """List secrets by name; by default, without those scheduled for deletion."""
        known = self.list_existing(SWITCHES.settings.list_lag)
        wanted = [secret for secret in known if parameters.get("IncludePlannedDeletion") or secret.deleted is None]
        found = select_secrets(wanted, parameters.get("Filters", ()))
        page, paging = self.cut_page(found, "name", parameters, "ListSecrets", PAGE)
        return {"SecretList": list(map(self._list_one, page)), **paging}

    def _list_one(self, secret: Secret) -> dict[str, Any]:
        shown = {"KmsKeyId": make_arn(self.region, secret.kms_key_id)} if secret.kms_key_id else {}
        return {**describe(secret), **shown, "SecretVersionsToStages": secret.list_stages()}

    # Settings

    def tag_resource(self, parameters: Parameters) -> dict[str, Any]:
        """Add tags to a secret."""
        secret = self.require(parameters)
        self.put(replace(secret, tags={**secret.tags, **read_tags(parameters)}))
        return {}

    def untag_resource(self, parameters: Parameters) -> dict[str, Any]:
        """Remove tags from a secret."""
        secret, gone = self.require(parameters), parameters["TagKeys"]
        self.put(replace(secret, tags={key: value for key, value in secret.tags.items() if key not in gone}))
        return {}

    def put_resource_policy(self, parameters: Parameters) -> dict[str, Any]:
        """Set the resource policy."""
        secret, policy = self.require(parameters), parameters["ResourcePolicy"]
        if _is_public(policy) and parameters.get("BlockPublicPolicy"):
            message = "The BlockPublicPolicy parameter is set to true, and the policy does not prevent broad access."
            raise AwsError(message, "PublicPolicyException", 400)
        return self.put(replace(secret, policy=policy))

    def get_resource_policy(self, parameters: Parameters) -> dict[str, Any]:
        """Return the resource policy."""
        secret = self.require(parameters)
        policy = {} if secret.policy is None else {"ResourcePolicy": secret.policy}
        return {"ARN": secret.arn, "Name": secret.name, **policy}

    def rotate_secret(self, parameters: Parameters) -> dict[str, Any]:
        """Turn on the rotation by a function, which is never called."""
        if parameters.get("RotateImmediately", True):
            message = "the IAM emulator does not call the function: RotateImmediately must be false"
            raise AwsError(message, "InvalidAction", 400)
        function = parameters.get("RotationLambdaARN") or self.require(parameters).rotated_by
        if function is None:
            message = (
                "You tried to enable rotation on a secret that doesn't already have a Lambda function ARN configured"
            )
            raise AwsError(message, "InvalidRequestException", 400)
        return self.put(replace(self.require(parameters), rotated_by=function, is_rotated=True))

    def cancel_rotate_secret(self, parameters: Parameters) -> dict[str, Any]:
        """Turn off the rotation."""
        return self.put(replace(self.require(parameters), is_rotated=False))

    # Deletion

    def delete_secret(self, parameters: Parameters) -> dict[str, Any]:
        """Schedule the deletion of a secret, or delete it at once."""
        is_forced = parameters.get("ForceDeleteWithoutRecovery", False)
        days = parameters.get("RecoveryWindowInDays", _LONGEST_WINDOW)
        if not _SHORTEST_WINDOW <= days <= _LONGEST_WINDOW or (is_forced and "RecoveryWindowInDays" in parameters):
            message = "RecoveryWindowInDays must be between 7 and 30, and excludes ForceDeleteWithoutRecovery."
            raise AwsError(message, "InvalidParameterException", 400)
        secret, date = self.require(parameters, is_deleted_too=True), SWITCHES.now()
        if is_forced:
            SECRETS.put(self.region, secret.name, None)
        elif secret.deleted is not None:
            message = "You can't perform this operation on the secret because it was already scheduled for deletion."
            raise AwsError(message, "InvalidRequestException", 400)
        else:
            date += timedelta(days=days)
            self.put(replace(secret, deleted=date))
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": date}

    def restore_secret(self, parameters: Parameters) -> dict[str, Any]:
        """Cancel the deletion of a secret."""
        return self.put(replace(self.require(parameters, is_deleted_too=True), deleted=None))


def _is_public(policy: str) -> bool:
    """Return True if a resource policy names every principal.

    Raises:
        AwsError: it is not a policy.
    """
    try:
        statements = json.loads(policy)["Statement"]
        return any(statement["Principal"] in ("*", {"AWS": "*"}) for statement in statements)
    except (ValueError, LookupError, TypeError) as error:
        raise AwsError("The resource policy has syntax errors.", "MalformedPolicyDocumentException", 400) from error
