"""Operations of Secrets Manager that write and read values."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import replace
from typing import Any
from uuid import uuid4

from moto.utilities.utils import get_partition

from iamcreds.emulator.account import ACCOUNT, SECRETS, SWITCHES
from iamcreds.emulator.exceptions import AwsError, ValidationError
from iamcreds.emulator.stores.keys import find_problem
from iamcreds.emulator.stores.secret_requests import DEFAULT_KEY, Parameters, SecretRequests
from iamcreds.emulator.stores.secrets import CURRENT, Secret, SecretVersion, add_version, move_stage
from iamcreds.emulator.stores.service import read_tags

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")


class SecretValues(SecretRequests):
    """Values and versions of secrets."""

    def create_secret(self, parameters: Parameters) -> dict[str, Any]:
        """Create a secret; a repeated request with the same token and value has no effect."""
        name, now = parameters["Name"], SWITCHES.now()
        if not _NAME.fullmatch(name):
            raise ValidationError(
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following:"
                " -/_+=.@!"
            )
        existing = self.find(name)
        if existing is not None:
            return self._repeat_create(existing, parameters)
        suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(6))
        arn = f"arn:{get_partition(self.region)}:secretsmanager:{self.region}:{ACCOUNT}:secret:{name}-{suffix}"
        key = self.read_key(parameters)
        self.require_encryption(key)
        description = parameters.get("Description", "")
        secret = Secret(name, arn, now, now, (), read_tags(parameters), description, key)
        return self._write_value(secret, parameters, (CURRENT,))

    def _repeat_create(self, existing: Secret, parameters: Parameters) -> dict[str, Any]:
        if existing.deleted is not None:
            raise AwsError(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
                "InvalidRequestException",
                400,
            )
        if existing.find_version(parameters.get("ClientRequestToken", "")) is None:
            message = f"The operation failed because the secret {existing.name} already exists."
            raise AwsError(message, "ResourceExistsException", 400)
        return self._write_value(existing, parameters, ())

    def put_secret_value(self, parameters: Parameters) -> dict[str, Any]:
        """Add a version; a repeated request with the same token and value has no effect."""
        if "SecretString" not in parameters:
            raise AwsError("You must provide either SecretString or SecretBinary.", "InvalidParameterException", 400)
        secret = self.require(parameters)
        self.require_encryption(secret.kms_key_id)
        stages = tuple(parameters.get("VersionStages", (CURRENT,)))
        response = self._write_value(secret, parameters, stages)
        version = self.require(parameters).find_version(response["VersionId"])
        return {**response, "VersionStages": list(version.stages) if version else []}

    def update_secret(self, parameters: Parameters) -> dict[str, Any]:
        """Change description, KMS key and value; without a value, no version is added."""
        secret = self.require(parameters)
        key = self.read_key(parameters) if "KmsKeyId" in parameters else secret.kms_key_id
        self.require_encryption(key)
        if secret.find_version(parameters.get("ClientRequestToken", "")):
            raise AwsError("A resource with the ID you requested already exists.", "ResourceExistsException", 400)
        description = parameters.get("Description", secret.description)
        return self._write_value(replace(secret, kms_key_id=key, description=description), parameters, (CURRENT,))

    def _write_value(self, secret: Secret, parameters: Parameters, stages: tuple[str, ...]) -> dict[str, Any]:
        """Write a secret with the value of the request, if there is one; a version cannot be changed."""
        value = parameters.get("SecretString")
        identity = {"ARN": secret.arn, "Name": secret.name}
        if value is None:
            self.put(secret)
            return identity
        token = parameters.get("ClientRequestToken") or str(uuid4())
        existing = secret.find_version(token)
        if existing is None:
            self.put(add_version(secret, SecretVersion(token, value, SWITCHES.now(), stages)))
        elif existing.value != value:
            message = (
                f"You can't use ClientRequestToken {token} because that value is already in use for a version of"
                f" secret {secret.arn}."
            )
            raise AwsError(message, "ResourceExistsException", 400)
        return {**identity, "VersionId": token}

    def get_secret_value(self, parameters: Parameters) -> dict[str, Any]:
        """Return a value, and note the day of the access."""
        secret = self.require(parameters)
        stage, version_id = parameters.get("VersionStage", CURRENT), parameters.get("VersionId")
        version = secret.find_stage(stage) if version_id is None else secret.find_version(version_id)
        if version is None:
            sought = f"staging label: {stage}" if version_id is None else f"VersionId: {version_id}"
            message = f"Secrets Manager can't find the specified secret value for {sought}"
            raise AwsError(message, "ResourceNotFoundException", 400)
        if "VersionStage" in parameters and stage not in version.stages:
            message = "You provided a VersionStage that is not associated to the provided VersionId."
            raise AwsError(message, "InvalidRequestException", 400)
        if find_problem(self.region, secret.kms_key_id or DEFAULT_KEY):
            message = "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
            raise AwsError(message, "DecryptionFailure", 400)
        day = SWITCHES.now().replace(hour=0, minute=0, second=0, microsecond=0)
        SECRETS.put(self.region, secret.name, replace(secret, accessed=day))
        return {
            "ARN": secret.arn, "Name": secret.name, "VersionId": version.id, "SecretString": version.value,
            "VersionStages": list(version.stages), "CreatedDate": version.created,
        }  # fmt: skip

    def update_secret_version_stage(self, parameters: Parameters) -> dict[str, Any]:
        """Move a staging label between two versions, as in a manual rollback."""
        secret, stage = self.require(parameters), parameters["VersionStage"]
        target, source = parameters.get("MoveToVersionId", ""), parameters.get("RemoveFromVersionId", "")
        holder = secret.find_stage(stage)
        if secret.find_version(target) is None or holder is None or holder.id != source:
            message = "MoveToVersionId must be a version, and RemoveFromVersionId the one with the label"
            raise AwsError(message, "InvalidParameterException", 400)
        return self.put(move_stage(secret, stage, target))
