"""Existing credentials, indexed by id and by user."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iamcreds.model import Credential


class Index:
    """Credentials indexed by id and by user, so that thousands of lookups stay fast."""

    def __init__(self, credentials: Iterable[Credential] = ()) -> None:
        self._by_id: dict[str, Credential] = {}
        self._by_user: dict[str, dict[str, Credential]] = defaultdict(dict)
        for credential in credentials:
            self.put(credential)

    def put(self, credential: Credential) -> None:
        """Add a credential, or replace the one with the same id."""
        self.drop(credential.id)
        self._by_id[credential.id] = credential
        self._by_user[credential.user][credential.id] = credential

    def drop(self, credential_id: str) -> None:
        """Remove the credential with that id, if there is one."""
        credential = self._by_id.pop(credential_id, None)
        if credential is not None:
            del self._by_user[credential.user][credential_id]

    def get(self, credential_id: str) -> Credential | None:
        """Return the credential with that id, or None."""
        return self._by_id.get(credential_id)

    def all(self) -> list[Credential]:
        """Return all credentials, sorted by user, service and id."""
        credentials = self._by_id.values()
        return sorted(credentials, key=lambda credential: (credential.user, credential.service, credential.id))

    def of(self, user: str) -> list[Credential]:
        """Return the credentials of a user, oldest first."""
        return sorted(self._by_user.get(user, {}).values(), key=lambda credential: (credential.created, credential.id))
