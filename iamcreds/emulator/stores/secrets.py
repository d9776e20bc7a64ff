"""A secret of Secrets Manager with its versions and their staging labels; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(frozen=True)
class SecretVersion:
    """A version of a secret. Without a staging label it is deprecated, but can still be read by its id."""

    id: str
    value: str
    created: datetime
    stages: tuple[str, ...]


@dataclass(frozen=True)
class Secret:
    """A secret.

    Attributes:
        name: the name.
        arn: the ARN, which ends with six random characters.
        created: the time of its creation.
        changed: the time of its last change.
        versions: the versions, oldest first.
        tags: the tags.
        description: the description, empty without one.
        kms_key_id: the declared KMS key, None for the store's own one.
        policy: the resource policy, None without one.
        rotated_by: ARN of the function that rotates the secret, None if it never had one.
        is_rotated: True if the rotation is turned on.
        accessed: midnight (UTC) of the day of the last read, None without one.
        deleted: the time of its planned deletion, None for none.
    """

    name: str
    arn: str
    created: datetime
    changed: datetime
    versions: tuple[SecretVersion, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    kms_key_id: str | None = None
    policy: str | None = None
    rotated_by: str | None = None
    is_rotated: bool = False
    accessed: datetime | None = None
    deleted: datetime | None = None

    def find_version(self, version_id: str) -> SecretVersion | None:
        """Return a version by its id."""
        return next((version for version in self.versions if version.id == version_id), None)

    def find_stage(self, stage: str) -> SecretVersion | None:
        """Return the version with a staging label."""
        return next((version for version in self.versions if stage in version.stages), None)

    def list_stages(self) -> dict[str, list[str]]:
        """Return the staging labels of each version that has one, by its id."""
        return {version.id: list(version.stages) for version in self.versions if version.stages}


def add_version(secret: Secret, version: SecretVersion) -> Secret:
    """Add a version, which takes its staging labels from the others; the first version is the current one."""
    stages = version.stages if secret.versions or CURRENT in version.stages else (*version.stages, CURRENT)
    added = replace(secret, versions=(*secret.versions, replace(version, stages=())))
    for stage in stages:
        added = move_stage(added, stage, version.id)
    return added


def move_stage(secret: Secret, stage: str, version_id: str) -> Secret:
    """Move a staging label to a version; AWSPREVIOUS follows AWSCURRENT (PutSecretValue in the API reference)."""
    holder = secret.find_stage(stage)
    if holder is not None and holder.id == version_id:
        return secret
    if stage == CURRENT and holder is not None:
        secret = move_stage(secret, PREVIOUS, holder.id)
    versions = []
    for version in secret.versions:
        gone = {stage, PREVIOUS} if version.id == version_id and stage == CURRENT else {stage}
        kept = tuple(label for label in version.stages if label not in gone)
        versions.append(replace(version, stages=(*kept, stage) if version.id == version_id else kept))
    return replace(secret, versions=tuple(versions))


def describe(secret: Secret) -> dict[str, Any]:
    """Describe a secret with the fields that DescribeSecret and ListSecrets share, without its values.

    As in AWS, fields without a value are omitted. LastAccessedDate is the beginning of a day
    (tests/aws/services/secretsmanager of https://github.com/localstack/localstack, recorded on AWS).
    """
    rotation = {} if secret.rotated_by is None else {"RotationLambdaARN": secret.rotated_by}
    fields = {
        "ARN": secret.arn,
        "Name": secret.name,
        "Description": secret.description or None,
        "KmsKeyId": secret.kms_key_id,
        "RotationEnabled": secret.is_rotated if rotation else None,
        **rotation,
        "LastChangedDate": secret.changed,
        "LastAccessedDate": secret.accessed,
        "DeletedDate": secret.deleted,
        "CreatedDate": secret.created,
        "Tags": [{"Key": key, "Value": value} for key, value in secret.tags.items()] or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
