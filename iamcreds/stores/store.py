"""The Protocol of a secret store, and a secret in it without its value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from iamcreds.delivery import CREDENTIAL_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from iamcreds.delivery import DeliveredSecret

ATTEMPT_TAG = "iamcreds:attempt"
"""The tag with the random word of the last attempt to reset the credential; it names the version to deliver."""

HOW_TO_READ = "Required permission for this secret: {action}, and kms:Decrypt if it has a customer managed KMS key"
"""The next step if the read of a value is denied."""


@dataclass(frozen=True)
class StoredSecret:
    """A secret in a store, without its value.

    Attributes:
        name: the name in the store.
        arn: the ARN.
        version: the current version as the output `delivery` has it, None without a value.
        token: the token with which the current version was written, None if a different program wrote it.
        tags: the tags; empty in a list of Parameter Store, which shows them to `describe` only.
        kms_key_id: the KMS key as the store shows it, None for the store's own key.
        is_rotated: True if the store rotates the secret itself.
        deleted: the time of its planned deletion, None for none.
        last_read: the day of the last read (UTC), None without one or if the store does not show it.
        is_encrypted: False for a parameter that is not a SecureString.
    """

    name: str
    arn: str
    version: str | None
    token: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    kms_key_id: str | None = None
    is_rotated: bool = False
    deleted: datetime | None = None
    last_read: date | None = None
    is_encrypted: bool = True

    @property
    def credential(self) -> str | None:
        """The credential whose secret it is, None for a secret that iamcreds does not manage."""
        return self.tags.get(CREDENTIAL_TAG)

    @property
    def attempt(self) -> str:
        """The word of the last attempt, empty without one."""
        return self.tags.get(ATTEMPT_TAG, "")

    def has(self, delivered: DeliveredSecret | None) -> bool:
        """Return True if the current version is the delivered one.

        A parameter that was deleted and created again has the same ARN, and its version numbers begin at 1 again, but
        it has no token.
        """
        return delivered is not None and self.token is not None and self.version == delivered.version


@dataclass(frozen=True)
class SecretSettings:
    """The declared settings of a secret in a store.

    Attributes:
        tags: all declared tags, with `CREDENTIAL_TAG`.
        kms_key_id: the KMS key, None for the store's own one.
        policy: the resource policy as JSON, None if none is declared.
    """

    tags: Mapping[str, str]
    kms_key_id: str | None = None
    policy: str | None = None


class Store(Protocol):
    """A secret store in one region. Safe to use from several threads.

    Every method raises AccountError, or a subclass, as AWS responds. No error contains a secret: a call that writes a
    value is one of `write_secret`.
    """

    title: str
    """The name of the store for messages."""

    region: str

    def find_broken_rule(self, name: str) -> str | None:
        """Return the rule for names of secrets that a name breaks, None for a valid name."""

    def list_secrets(self) -> Mapping[str, StoredSecret]:
        """Return the managed secrets by name, without those that wait for deletion; a new list.

        It costs one call per page and nothing else, so the secrets may lack their tags: `describe` reads them.
        """

    def describe(self, name: str) -> StoredSecret | None:
        """Return a secret by its name or ARN, even if it waits for deletion; None if it does not exist."""

    def require_key(self, kms_key_id: str) -> None:
        """Require that a KMS key can encrypt secrets.

        Raises:
            RejectedError: it does not exist, is disabled or is not a symmetric encryption key.
        """

    def tag_attempt(self, stored: StoredSecret, attempt: str) -> None:
        """Write the word of an attempt to the tags of a secret."""

    def put(
        self, name: str, stored: StoredSecret | None, value: str, token: str, settings: SecretSettings
    ) -> DeliveredSecret:
        """Write a value as the current version; create the secret (`stored` None) with tags and KMS key.

        The call may be repeated with the same token.

        Args:
            name: the name in the store.
            stored: the secret before, None for a new one.
            value: the value, which contains the password.
            token: a UUID that names the version.
            settings: the declared settings; an existing secret keeps its tags and policy until `configure`, and in
                Secrets Manager also its KMS key.
        """

    def configure(self, stored: StoredSecret, settings: SecretSettings) -> None:
        """Apply the declared settings to an existing secret: only differences cause calls, except for a policy."""

    def delete(self, stored: StoredSecret) -> None:
        """Delete a secret; Secrets Manager keeps it for 30 days."""

    def read(self, name: str) -> str:
        """Return the value of the current version, by name or ARN. Only `iamcreds secret --from-store` reads values."""

    def read_previous(self, name: str) -> str | None:
        """Return the value before the current one, None without one or if the store does not name it.

        It needs no other permission than `read`.
        """
