"""Live credentials, found by id and by user."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iamcreds.model import Credential


class Index:
    """Credentials by id and by user, so that thousands of questions about one user each stay cheap."""

    def __init__(self, credentials: Iterable[Credential] = ()) -> None:
        self._by_id: dict[str, Credential] = {}
        self._by_user: dict[str, dict[str, Credential]] = defaultdict(dict)
        for credential in credentials:
            self.put(credential)

    def put(self, credential: Credential) -> None:
        """Have it as it is now, in the place of what was known of that id."""
        self.drop(credential.id)
        self._by_id[credential.id] = credential
        self._by_user[credential.user][credential.id] = credential

    def drop(self, credential_id: str) -> None:
        """Have nothing of that id."""
        known = self._by_id.pop(credential_id, None)
        if known is not None:
            del self._by_user[known.user][credential_id]

    def get(self, credential_id: str) -> Credential | None:
        """The credential of that id, or None."""
        return self._by_id.get(credential_id)

    def all(self) -> list[Credential]:
        """All of them, sorted by user, service and id."""
        return sorted(self._by_id.values(), key=lambda live: (live.user, live.service, live.id))

    def of(self, user: str) -> list[Credential]:
        """Those of a user, oldest first."""
        return sorted(self._by_user.get(user, {}).values(), key=lambda live: (live.created, live.id))
