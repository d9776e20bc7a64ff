"""AWS Secrets Manager as a secret store."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.aws.secret_writes import write_secret
from iamcreds.delivery import CREDENTIAL_TAG, DeliveredSecret
from iamcreds.errors import AccountError, NoSuchSecretError
from iamcreds.stores.keys import is_same_key, require_key
from iamcreds.stores.store import ATTEMPT_TAG, HOW_TO_READ, SecretSettings, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.aws import Account

PAGE = 100
"""The maximum number of secrets on a page (API reference, ListSecrets)."""

RECOVERY_DAYS = 30
"""The days for which Secrets Manager keeps a deleted secret: the longest possible time."""

_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
"""The labels of versions (API reference, GetSecretValue)."""

_DEFAULT_KEY = "alias/aws/secretsmanager"

# API reference, CreateSecret
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_NAME_RULE = "1 to 512 letters, digits and /_+=.@-"


class SecretsManager:
    """AWS Secrets Manager in one region; see `Store`."""

    title = "Secrets Manager"

    def __init__(self, account: Account, region: str) -> None:
        self.region = region
        self._secrets: SecretsManagerClient = account.open_client("secretsmanager", region)
        self._keys: KMSClient = account.open_client("kms", region)

    def find_broken_rule(self, name: str) -> str | None:
        """Return the rule for names that a name breaks, None for a valid name."""
        return None if _NAME.fullmatch(name) else _NAME_RULE

    def list_secrets(self) -> Mapping[str, StoredSecret]:
        """Return the secrets with `CREDENTIAL_TAG` by name; one call per 100 secrets."""
        arguments: dict[str, Any] = {"MaxResults": PAGE, "Filters": [{"Key": "tag-key", "Values": [CREDENTIAL_TAG]}]}
        found: dict[str, StoredSecret] = {}
        with translate_errors("listing secrets of Secrets Manager"), reading_answers():
            while True:
                page = client.read(self._secrets.list_secrets, **arguments)
                found |= {item["Name"]: _read(item, "SecretVersionsToStages") for item in page["SecretList"]}
                if not page.get("NextToken"):
                    # The filter matches the beginning of a key (Filter in the API reference).
                    return {name: stored for name, stored in found.items() if stored.credential is not None}
                arguments["NextToken"] = page["NextToken"]

    def describe(self, name: str) -> StoredSecret | None:
        """Return a secret by its name or ARN, None if it does not exist."""
        try:
            with translate_errors(f"reading secret {name}"), reading_answers():
                return _read(client.read(self._secrets.describe_secret, SecretId=name), "VersionIdsToStages")
        except NoSuchSecretError:
            return None

    def require_key(self, kms_key_id: str) -> None:
        """Require that a KMS key can encrypt secrets."""
        require_key(self._keys, kms_key_id)

    def tag_attempt(self, stored: StoredSecret, attempt: str) -> None:
        """Write the word of an attempt to the tags of a secret."""
        self._tag(stored, {ATTEMPT_TAG: attempt})

    def put(
        self, name: str, stored: StoredSecret | None, value: str, token: str, settings: SecretSettings
    ) -> DeliveredSecret:
        """Write a value as the current version; create the secret with tags and KMS key if it does not exist."""
        with translate_errors(f"writing secret {name}"), reading_answers():
            if stored is None:
                created = write_secret(
                    self._secrets.create_secret, Name=name, SecretString=value, ClientRequestToken=token,
                    Tags=_write_tags(settings.tags), **_write_key(settings),
                )  # fmt: skip
                written = DeliveredSecret(created["ARN"], created["VersionId"])
            else:
                put = self._secrets.put_secret_value
                version = write_secret(put, SecretId=stored.arn, SecretString=value, ClientRequestToken=token)
                written = DeliveredSecret(version["ARN"], version["VersionId"])
        return written

    def configure(self, stored: StoredSecret, settings: SecretSettings) -> None:
        """Apply the declared settings to an existing secret."""
        key = settings.kms_key_id or _DEFAULT_KEY
        if not is_same_key(stored.kms_key_id or _DEFAULT_KEY, key):
            with translate_errors(f"changing the KMS key of secret {stored.name}"):
                client.read(self._secrets.update_secret, SecretId=stored.arn, KmsKeyId=key)
        differing = {key: value for key, value in settings.tags.items() if stored.tags.get(key) != value}
        if differing:
            self._tag(stored, differing)
        if settings.policy is not None:
            self._set_policy(stored.arn, settings.policy)

    def delete(self, stored: StoredSecret) -> None:
        """Delete a secret, which can be restored for 30 days; nothing to do if it is gone or scheduled for deletion."""
        try:
            with translate_errors(f"deleting secret {stored.name}"):
                delete = self._secrets.delete_secret
                client.read(delete, SecretId=stored.arn, RecoveryWindowInDays=RECOVERY_DAYS)
        except NoSuchSecretError:
            return
        except AccountError:
            # The response to an earlier attempt may be lost, and AWS rejects the next one.
            current = self.describe(stored.arn)
            if current is not None and current.deleted is None:
                raise

    def read(self, name: str) -> str:
        """Return the value of the current version, by name or ARN; a binary value is an empty text."""
        return self._read_value(name, _CURRENT)

    def read_previous(self, name: str) -> str | None:
        """Return the value of the version that was current before."""
        try:
            return self._read_value(name, _PREVIOUS)
        except NoSuchSecretError:
            return None

    def _read_value(self, name: str, stage: str) -> str:
        if_denied = HOW_TO_READ.format(action="secretsmanager:GetSecretValue")
        with translate_errors(f"reading the value of secret {name}", if_denied=if_denied), reading_answers():
            response = client.read(self._secrets.get_secret_value, SecretId=name, VersionStage=stage)
            return "" if "SecretBinary" in response else str(response["SecretString"])

    def _tag(self, stored: StoredSecret, tags: Mapping[str, str]) -> None:
        with translate_errors(f"tagging secret {stored.name}"):
            client.read(self._secrets.tag_resource, SecretId=stored.arn, Tags=_write_tags(tags))

    def _set_policy(self, arn: str, policy: str) -> None:
        with translate_errors(f"setting the resource policy of secret {arn}"):
            put = self._secrets.put_resource_policy
            client.read(put, SecretId=arn, ResourcePolicy=policy, BlockPublicPolicy=True)


def _read(item: Mapping[str, Any], versions: str) -> StoredSecret:
    stages: Mapping[str, Iterable[str]] = item.get(versions) or {}
    current = next((version for version, names in stages.items() if _CURRENT in names), None)
    read, deleted = item.get("LastAccessedDate"), item.get("DeletedDate")
    return StoredSecret(
        name=item["Name"],
        arn=item["ARN"],
        version=current,
        token=current,
        tags={tag["Key"]: tag["Value"] for tag in item.get("Tags") or ()},
        kms_key_id=item.get("KmsKeyId"),
        is_rotated=item.get("RotationEnabled") is True,
        deleted=None if deleted is None else deleted.astimezone(UTC),
        last_read=None if read is None else read.astimezone(UTC).date(),
    )


def _write_tags(tags: Mapping[str, str]) -> list[Any]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _write_key(settings: SecretSettings) -> dict[str, str]:
    return {} if settings.kms_key_id is None else {"KmsKeyId": settings.kms_key_id}
