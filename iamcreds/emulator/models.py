"""Service-specific credentials: the state of one account and IAM's rules about it; knows no HTTP and no moto."""

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
    """A credential without its secret; `login` is the service user name or, of an API key, the alias."""

    id: str
    user: str
    service: str
    login: str
    created: datetime
    expires: datetime | None = None
    switched: Status = Status.ACTIVE

    def status(self, now: datetime) -> Status:
        """What List says: the calendar is stronger than the switch."""
        return Status.EXPIRED if self.expires and self.expires <= now else self.switched


class Credentials:
    """All service-specific credentials of one account; safe to use from several threads.

    Whether a user exists is for the caller to check, before any of this is called.

    Args:
        account: 12 digits, a part of logins.
        now: the present, in UTC.
    """

    def __init__(self, account: str, now: Callable[[], datetime]) -> None:
        self._account = account
        self._now = now
        self._lock = threading.RLock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._live: dict[str, Credential] = {}
            self._by_user: dict[str, dict[str, Credential]] = {}
            self._logins: set[tuple[str, str]] = set()
            self._secrets: dict[str, str] = {}
            # Every state a credential was in, with the time of the change: what a list that lags behind is made of.
            self._history: dict[str, list[tuple[datetime, Credential | None]]] = {}

    def create(self, user: str, service: str, age_days: int | None = None) -> tuple[Credential, str]:
        """A new credential and its secret.

        Raises:
            NoSuchEntityError: the service is unknown.
            LimitExceededError: both places are taken.
        """
        service = _require_service(service)
        with self._lock:
            created = self._now().replace(microsecond=0)
            expires = created + timedelta(days=age_days) if age_days else None
            credential = Credential(_new_id(), user, service, self.find_free_login(user, service), created, expires)
            return credential, self.put(credential, self._now())

    def put(self, credential: Credential, since: datetime, secret: str | None = None) -> str:
        """Take in a credential as it is, with the secret that opens it or a new one; that secret.

        Args:
            credential: as it is to be listed.
            since: when it came to be, for lists that lag.
            secret: what opens it; None is a new one.

        Raises:
            NoSuchEntityError: the service is unknown.
            LimitExceededError: both places are taken.
            EntityAlreadyExistsError: there was a credential of this id.
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
        """The credentials of a user (None: of all) for a service (None: all), as they were `lag` seconds ago.

        Raises:
            NoSuchEntityError: the service is unknown.
        """
        wanted = None if service is None else _require_service(service)
        with self._lock:
            if lag:
                then = self._as_of(self._now() - timedelta(seconds=lag))
                found = [credential for credential in then if user in {None, credential.user}]
            else:
                found = list((self._live if user is None else self._by_user.get(user, {})).values())
        return [credential for credential in found if wanted in {None, credential.service}]

    def switch(self, user: str, credential_id: str, status: Status) -> None:
        """Set the status.

        Raises:
            InvalidInputError: nobody can set Expired.
            NoSuchEntityError, ValidationError: no such credential, or another user's.
        """
        if status is Status.EXPIRED:
            raise InvalidInputError("Operation does not support status Expired")
        with self._lock:
            self._record(replace(self._find(user, credential_id), switched=status), self._now())

    def reset(self, user: str, credential_id: str) -> tuple[Credential, str]:
        """The same credential with a new secret.

        Raises:
            NoSuchEntityError, ValidationError: no such credential, or another user's.
        """
        with self._lock:
            credential = self._find(user, credential_id)
            self._secrets[credential_id] = _new_secret(credential.service)
            return credential, self._secrets[credential_id]

    def delete(self, user: str, credential_id: str) -> None:
        """Delete it.

        Raises:
            NoSuchEntityError, ValidationError: no such credential, or another user's.
        """
        with self._lock:
            credential = self._find(user, credential_id)
            del self._live[credential_id]
            del self._by_user[user][credential_id]
            del self._secrets[credential_id]
            self._logins.discard((credential.service, credential.login))
            self._history[credential_id].append((self._now(), None))

    def rename_user(self, user: str, new_name: str) -> None:
        """Follow a user to a new name; logins stay as they are."""
        with self._lock:
            for credential in self._by_user.pop(user, {}).values():
                self._record(replace(credential, user=new_name), self._now())

    def has_any(self, user: str) -> bool:
        """Whether the user has a credential, for whatever service."""
        with self._lock:
            return bool(self._by_user.get(user))

    def secrets(self) -> dict[str, str]:
        """The secret that opens each live credential, by its id."""
        with self._lock:
            return dict(self._secrets)

    def find_free_login(self, user: str, service: str) -> str:
        """The login that the user's next credential for the service gets."""
        names = (f"{user}{f'+{number}' if number else ''}-at-{self._account}" for number in count())
        with self._lock:
            return next(name for name in names if (service, name) not in self._logins)

    def _record(self, credential: Credential, since: datetime) -> None:
        self._live[credential.id] = credential
        self._by_user.setdefault(credential.user, {})[credential.id] = credential
        self._history.setdefault(credential.id, []).append((since, credential))

    def _find(self, user: str, credential_id: str) -> Credential:
        credential = self._live.get(credential_id)
        if credential is None:
            raise NoSuchEntityError(f"No such credential {credential_id} exists")
        if credential.user != user:
            raise ValidationError(f"User {user} does not have a service specific credential with id {credential_id}")
        return credential

    def _as_of(self, moment: datetime) -> list[Credential]:
        then = (_find_last_before(moment, states) for states in self._history.values())
        return [credential for credential in then if credential is not None]


def _find_last_before(moment: datetime, states: list[tuple[datetime, Credential | None]]) -> Credential | None:
    return next((state for when, state in reversed(states) if when <= moment), None)


def _require_service(service: str) -> str:
    name = service.lower()
    if "." not in name or known_service(name) is None:  # short names are ours, not IAM's
        raise NoSuchEntityError(f"No such service {service} is supported for Service Specific Credentials")
    return name


def _new_id() -> str:
    return "ACCA" + "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH - 4))


def _new_secret(service: str) -> str:
    """A password of 60 characters, or an API key; base64 has the letters that break naive quoting, as AWS's do."""
    definition = known_service(service)
    if definition is None or not definition.secret_prefix:
        return base64.b64encode(secrets.token_bytes(44)).decode()
    return definition.secret_prefix + base64.b64encode(secrets.token_bytes(96)).decode()
