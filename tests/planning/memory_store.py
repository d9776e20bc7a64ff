"""A secret store in memory, in which a run may die before a write, and people and consumers act."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from iamcreds.delivery import CREDENTIAL_TAG, DeliveredSecret
from iamcreds.errors import AccountError
from iamcreds.stores.store import StoredSecret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iamcreds.stores.store import SecretSettings

REGION = "eu-west-1"


@dataclass
class MemoryStore:
    """A store that calls `write` before each of its writes; see `iamcreds.stores.store.Store`.

    Attributes:
        write: notes a write, or ends the run.
        secrets: the secrets by name.
        values: the current values by name; a value of a person is not JSON.
        late: the first put that a killed run has sent and that has not arrived yet.
        delivered: every delivered password.
        is_denied: True if every put fails.
    """

    write: Callable[[str], None]
    secrets: dict[str, StoredSecret] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    late: Callable[[], None] | None = None
    delivered: set[str] = field(default_factory=set)
    is_denied: bool = False
    title: str = "Secrets Manager"
    region: str = REGION

    def find_broken_rule(self, name: str) -> str | None:
        """Permit every name."""

    def list_secrets(self) -> Mapping[str, StoredSecret]:
        """Return the managed secrets by name."""
        return {name: each for name, each in self.secrets.items() if each.credential is not None}

    def describe(self, name: str) -> StoredSecret | None:
        """Return a secret by its name or ARN."""
        return next((each for each in self.secrets.values() if name in (each.name, each.arn)), None)

    def require_key(self, kms_key_id: str) -> None:
        """Permit every KMS key."""

    def tag_attempt(self, stored: StoredSecret, attempt: str) -> None:
        """Write the word of an attempt."""
        self.configure_tags(stored, {"iamcreds:attempt": attempt})

    def configure(self, stored: StoredSecret, settings: SecretSettings) -> None:
        """Write the declared tags that differ."""
        differing = {key: value for key, value in settings.tags.items() if stored.tags.get(key) != value}
        if differing:
            self.configure_tags(stored, differing)

    def configure_tags(self, stored: StoredSecret, tags: Mapping[str, str]) -> None:
        """Write tags."""
        self.write(f"tag {stored.name}")
        self.secrets[stored.name] = replace(stored, tags={**stored.tags, **tags})

    def put(
        self, name: str, stored: StoredSecret | None, value: str, token: str, settings: SecretSettings
    ) -> DeliveredSecret:
        """Write a value; the put of a run that dies may arrive later."""
        tags = settings.tags if stored is None else {}

        def arrive() -> None:
            kept = self.secrets.get(name) or StoredSecret(
                name, f"arn:aws:sm:{REGION}:1:secret:{name}-1", None, tags=tags
            )
            self.secrets[name] = replace(kept, version=token, token=token)
            self.values[name] = value
            self.delivered.add(json.loads(value)["password"])

        if self.is_denied:
            raise AccountError("denied")
        first, self.late = self.late, self.late or arrive
        self.write(f"put {name}")
        self.late = first
        arrive()
        return DeliveredSecret(self.secrets[name].arn, token)

    def delete(self, stored: StoredSecret) -> None:
        """Delete a secret."""
        self.write(f"delete {stored.name}")
        self.lose(stored.name)

    def read(self, name: str) -> str:
        """Return the current value."""
        return self.values[name]

    def read_previous(self, name: str) -> str | None:
        """Return no previous value."""

    def lose(self, name: str) -> None:
        """Delete a secret, as a person."""
        self.secrets.pop(name, None)
        self.values.pop(name, None)

    def overwrite(self, name: str, number: int) -> None:
        """Overwrite a secret, as a person."""
        if name in self.secrets:
            self.secrets[name] = replace(self.secrets[name], version=f"own {number}", token=f"own {number}")
            self.values[name] = "own"

    def find_password(self, name: str) -> tuple[str, str] | None:
        """Return the id of the credential and the password that a secret hands out, None without one."""
        value = self.values.get(name, "own")
        if value == "own":
            return None
        content = json.loads(value)
        return content["credentialId"], content["password"]

    def is_ours(self, name: str, credential: str) -> bool:
        """Return True if a secret has the tag of a credential."""
        return name in self.secrets and self.secrets[name].tags.get(CREDENTIAL_TAG) == credential
