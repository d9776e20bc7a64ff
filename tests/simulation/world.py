"""The AWS account of a history: the emulator's rules for credentials, the users, and the creator of each credential."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iamcreds.emulator import models
from iamcreds.emulator.exceptions import DeleteConflictError, EntityAlreadyExistsError, NoSuchEntityError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.model import Status
    from tests.simulation.clock import Clock

USERS = ("jane", "john")
"""The users at the start of a history."""

HUMAN = "human"
"""The creator of manual credentials."""


@dataclass(frozen=True)
class Conditions:
    """The behavior of the account, and of the machine of the runs.

    Attributes:
        lag: seconds by which lists lag.
        skew: seconds by which the machine's clock is ahead of the account's; negative if it is behind.
        hidden: users that the list of all users' credentials lacks.
        all_users: True if the endpoint supports AllUsers.
    """

    lag: float = 0.0
    skew: float = 0.0
    hidden: frozenset[str] = frozenset()
    all_users: bool = True


@dataclass
class World:
    """An account in its actual state."""

    clock: Clock
    account: str = "123456789012"
    conditions: Conditions = field(default_factory=Conditions)
    users: dict[str, datetime] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)
    issued: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.credentials = models.Credentials(self.account, self.now)
        self.former: dict[str, models.Credential] = {}
        self._numbers: Counter[str] = Counter()

    def now(self) -> datetime:
        """Return the time of the account's clock."""
        return self.clock.now()

    def existing(self) -> dict[str, models.Credential]:
        """Return every existing credential by id."""
        return {credential.id: credential for credential in self.credentials.select()}

    def create(self, maker: str, user: str, service: str, age_days: int | None = None) -> tuple[models.Credential, str]:
        """Create a credential, and return it with its secret."""
        self.require_user(user)
        made, _random = self.credentials.create(user, service, age_days)
        self.makers[made.id] = maker
        return made, self._issue(made.id)

    def reset(self, user: str, credential_id: str) -> tuple[models.Credential, str]:
        """Reset the credential, and return it with its new secret."""
        self.require_user(user)
        found, _random = self.credentials.reset(user, credential_id)
        return found, self._issue(credential_id)

    def switch(self, user: str, credential_id: str, status: Status) -> None:
        """Activate or deactivate the credential."""
        self.require_user(user)
        self.credentials.switch(user, credential_id, status)

    def delete(self, user: str, credential_id: str) -> None:
        """Delete the credential."""
        self.require_user(user)
        gone = self.existing().get(credential_id)
        self.credentials.delete(user, credential_id)
        assert gone is not None
        self.former[credential_id] = gone

    def listed(self, user: str | None, service: str | None) -> Iterator[models.Credential]:
        """Yield the credentials that a list shows of a user (None: all), with the account's lag and omissions."""
        if user is not None:
            self.require_user(user)
        for credential in self.credentials.select(user, service, self.conditions.lag):
            if user is not None or credential.user not in self.conditions.hidden:
                yield credential

    def require_user(self, name: str) -> None:
        """Raise an error if the user does not exist."""
        if name not in self.users:
            raise NoSuchEntityError(f"The user with name {name} cannot be found.")

    def add_user(self, name: str) -> None:
        """Create a user."""
        if name in self.users:
            raise EntityAlreadyExistsError(f"User with name {name} already exists.")
        self.users[name] = self.now().replace(microsecond=0)

    def remove_user(self, name: str) -> None:
        """Delete a user without credentials."""
        self.require_user(name)
        if self.credentials.has_any(name):
            raise DeleteConflictError("Cannot delete entity, must remove referenced objects first.")
        del self.users[name]

    def rename_user(self, name: str, new_name: str) -> None:
        """Rename a user, who keeps the credentials."""
        self.require_user(name)
        if new_name in self.users:
            raise EntityAlreadyExistsError(f"User with name {new_name} already exists.")
        self.users[new_name] = self.users.pop(name)
        self.credentials.rename_user(name, new_name)

    def _issue(self, credential_id: str) -> str:
        self._numbers[credential_id] += 1
        secret = f"secret-{self._numbers[credential_id]}-of-{credential_id}"
        self.secrets[credential_id] = secret
        self.issued.add(secret)
        return secret
