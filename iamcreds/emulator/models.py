"""Service-specific credentials: the state of one account and IAM's rules for it, independent of HTTP and moto."""

from __future__ import annotations

import base64
import secrets
import string
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from iamcreds.emulator.exceptions import (
    EntityAlreadyExistsError,
    InvalidInputError,
    LimitExceededError,
    NoSuchEntityError,
    ValidationError,
)
from iamcreds.model import Status
from iamcreds.services import MAX_PER_SERVICE, known_service

if TYPE_CHECKING:
    from collections.abc import Callable

ID_LETTERS = string.ascii_uppercase + string.digits
ID_LENGTH = 21


@dataclass(frozen=True)
class Credential:
    """A credential without its secret; `login` is the service user name, or the alias of an API key."""

    id: str
    user: str
    service: str
    login: str
    created: datetime
    expires: datetime | None = None
    stored_status: Status = Status.ACTIVE

    def status(self, now: datetime) -> Status:
        """Return the status in list results: Expired takes precedence over Active and Inactive."""
        return Status.EXPIRED if self.expires and self.expires <= now else self.stored_status


class Credentials:
    """All service-specific credentials of one account; safe to use from several threads.

    The caller checks that the user exists before it calls a method.

    Args:
        account: the 12-digit account ID, which is a part of logins.
        now: returns the current time, in UTC.
    """

    def __init__(self, account: str, now: Callable[[], datetime]) -> None:
        self._account = account
        self._now = now
        self._lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Delete everything."""
        with self._lock:
            self._by_id: dict[str, Credential] = {}
            self._by_user: dict[str, dict[str, Credential]] = {}
            self._logins: set[tuple[str, str]] = set()
            self._secrets: dict[str, str] = {}
            # Every past state of a credential with the time of the change: lists that lag return them.
            self._history: dict[str, list[tuple[datetime, Credential | None]]] = {}

    def create(self, user: str, service: str, age_days: int | None = None) -> tuple[Credential, str]:
        """Create a credential, and return it with its secret.

        Raises:
            NoSuchEntityError: the service is unknown.
            LimitExceededError: the quota is exceeded.
        """
        service = _require_service(service)
        with self._lock:
            created = self._now().replace(microsecond=0)
            expires = created + timedelta(days=age_days) if age_days else None
            credential = Credential(_new_id(), user, service, self.find_free_login(user, service), created, expires)
            return credential, self.put(credential, self._now())

    def put(self, credential: Credential, since: datetime, secret: str | None = None) -> str:
        """Add an existing credential with its secret or a new one, and return the secret.

        Args:
            credential: the credential to add.
            since: creation time, which lists that lag use.
            secret: the password or API key; None generates one.

        Raises:
            NoSuchEntityError: the service is unknown.
            LimitExceededError: the quota is exceeded.
            EntityAlreadyExistsError: the id is or was in use.
        """
        service = _require_service(credential.service)
        with self._lock:
            if credential.id in self._history:
                raise EntityAlreadyExistsError(f"Credential {credential.id} already exists.")
            of_user = self._by_user.get(credential.user, {}).values()
            if sum(other.service == service for other in of_user) >= MAX_PER_SERVICE:
                raise LimitExceededError(
                    f"Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: {MAX_PER_SERVICE}",
                )
            self._logins.add((service, credential.login))
            self._secrets[credential.id] = secret or _new_secret(service)
            self._record(replace(credential, service=service), since)
            return self._secrets[credential.id]

    def select(self, user: str | None = None, service: str | None = None, lag: float = 0) -> list[Credential]:
        """Return the credentials of a user (None: all) for a service (None: all), as they were `lag` seconds ago.

        Raises:
            NoSuchEntityError: the service is unknown.
        """
        service_name = None if service is None else _require_service(service)
        with self._lock:
            if lag:
                past = self._as_of(self._now() - timedelta(seconds=lag))
                of_user = [credential for credential in past if user in {None, credential.user}]
            else:
                of_user = list((self._by_id if user is None else self._by_user.get(user, {})).values())
        return [credential for credential in of_user if service_name in {None, credential.service}]

    def switch(self, user: str, credential_id: str, status: Status) -> None:
        """Set the status.

        Raises:
            InvalidInputError: the status is Expired, which cannot be set.
            NoSuchEntityError, ValidationError: the credential does not exist, or belongs to another user.
        """
        if status is Status.EXPIRED:
            raise InvalidInputError("Operation does not support status Expired")
        with self._lock:
            self._record(replace(self._find(user, credential_id), stored_status=status), self._now())

    def reset(self, user: str, credential_id: str) -> tuple[Credential, str]:
        """Reset a credential, and return it with its new secret.

        Raises:
            NoSuchEntityError, ValidationError: the credential does not exist, or belongs to another user.
        """
        with self._lock:
            credential = self._find(user, credential_id)
            self._secrets[credential_id] = _new_secret(credential.service)
            return credential, self._secrets[credential_id]

    def delete(self, user: str, credential_id: str) -> None:
        """Delete a credential.

        Raises:
            NoSuchEntityError, ValidationError: the credential does not exist, or belongs to another user.
        """
        with self._lock:
            credential = self._find(user, credential_id)
            del self._by_id[credential_id]
            del self._by_user[user][credential_id]
            del self._secrets[credential_id]
            self._logins.discard((credential.service, credential.login))
            self._history[credential_id].append((self._now(), None))

    def rename_user(self, user: str, new_name: str) -> None:
        """Change the user name of the user's credentials; logins stay the same."""
        with self._lock:
            for credential in self._by_user.pop(user, {}).values():
                self._record(replace(credential, user=new_name), self._now())

    def has_any(self, user: str) -> bool:
        """Return True if the user has a credential of any service."""
        with self._lock:
            return bool(self._by_user.get(user))

    def secrets(self) -> dict[str, str]:
        """Return the valid secret of each credential, by id."""
        with self._lock:
            return dict(self._secrets)

    def find_free_login(self, user: str, service: str) -> str:
        """Return the login of the user's next credential for the service."""
        names = (f"{user}{f'+{number}' if number else ''}-at-{self._account}" for number in count())
        with self._lock:
            return next(name for name in names if (service, name) not in self._logins)

    def _record(self, credential: Credential, since: datetime) -> None:
        self._by_id[credential.id] = credential
        self._by_user.setdefault(credential.user, {})[credential.id] = credential
        self._history.setdefault(credential.id, []).append((since, credential))

    def _find(self, user: str, credential_id: str) -> Credential:
        credential = self._by_id.get(credential_id)
        if credential is None:
            raise NoSuchEntityError(f"No such credential {credential_id} exists")
        if credential.user != user:
            raise ValidationError(f"User {user} does not have a service specific credential with id {credential_id}")
        return credential

    def _as_of(self, moment: datetime) -> list[Credential]:
        past = (_find_last_before(moment, states) for states in self._history.values())
        return [credential for credential in past if credential is not None]


def _find_last_before(moment: datetime, states: list[tuple[datetime, Credential | None]]) -> Credential | None:
    return next((state for when, state in reversed(states) if when <= moment), None)


def _require_service(service: str) -> str:
    name = service.lower()
    if "." not in name or known_service(name) is None:  # IAM does not know the short names of iamcreds
        raise NoSuchEntityError(f"No such service {service} is supported for Service Specific Credentials")
    return name


def _new_id() -> str:
    return "ACCA" + "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH - 4))


def _new_secret(service: str) -> str:
    """Generate a password of 60 characters, or an API key. As in AWS, they contain characters that need quoting."""
    definition = known_service(service)
    if definition is None or not definition.secret_prefix:
        return base64.b64encode(secrets.token_bytes(44)).decode()
    return definition.secret_prefix + base64.b64encode(secrets.token_bytes(96)).decode()
