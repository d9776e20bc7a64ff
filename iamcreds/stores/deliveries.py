"""The secret stores of one run, and the checks before a delivery."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iamcreds.delivery import (
    CREDENTIAL_TAG,
    PARAMETER_STORE,
    READ_BY_USER,
    SECRETS_MANAGER,
    DeliveredSecret,
    Delivery,
    name_credential,
)
from iamcreds.errors import ConfigError, RejectedError
from iamcreds.stores.parameter_store import ParameterStore
from iamcreds.stores.secrets_manager import SecretsManager
from iamcreds.stores.store import SecretSettings, Store, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iamcreds.aws import Account

_STORES: Mapping[str, Callable[[Account, str], Store]] = {
    SECRETS_MANAGER: SecretsManager,
    PARAMETER_STORE: ParameterStore,
}

_NO_REGION = (
    "the region of the secret store is unknown. Options: set `region` next to the name of the secret; or set AWS_REGION"
)
_MOVED = (
    "secret {arn} is in {recorded}, and this run uses {region}. Options: set `region: {recorded}` next to the name of"
    " the secret; or set AWS_REGION={recorded}"
)
_NOT_OURS = (
    "{title} already has the secret {name}, which {owner}. Options: choose a different name; or, to overwrite its"
    " value, set its tag {tag} to `{credential}`"
)
_ROTATED = (
    "{title} rotates the secret {name} itself, which would overwrite the delivered one. Options: cancel that rotation;"
    " or choose a different name"
)
_SHARED = (
    "{first} and {second} both deliver to the secret {name} of {title}, so one of their passwords is lost. Choose"
    " different names"
)
_PLAIN = (
    "{title} stores {name} unencrypted, and the type of a parameter cannot change. Options: delete the parameter; or"
    " choose a different name"
)
_WRONG_NAME = "{title} cannot have a secret with the name {name}, because it requires {rule}. Set a different name"
_DELETED = (
    "secret {name} of {title} is scheduled for deletion on {date:%Y-%m-%d}. Options: restore it"
    " (`aws secretsmanager restore-secret --secret-id {name}`); or choose a different name"
)


@dataclass(frozen=True)
class Target:
    """The declared secret of a credential in a store.

    Attributes:
        store: the store.
        name: the name of the secret.
        settings: the declared settings, without a resource policy.
        declared: the declaration.
        user: the IAM user.
    """

    store: Store
    name: str
    settings: SecretSettings
    declared: Delivery
    user: str

    @property
    def credential(self) -> str:
        """The value of the tag `iamcreds:credential`."""
        return self.settings.tags[CREDENTIAL_TAG]


class Deliveries:
    """The secret stores of one run, each listed at most once. Safe to use from several threads.

    Args:
        account: the account.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._stores: dict[tuple[str, str], Store] = {}
        self._listed: dict[tuple[str, str], Mapping[str, StoredSecret]] = {}
        self._declared: dict[tuple[str, str, str], str] = {}

    @property
    def region(self) -> str | None:
        """The region of the environment, None without one."""
        return self._account.region

    def find_target(self, declared: Delivery, user: str, service: str) -> Target:
        """Return the declared secret of a credential of this user and service (full name).

        Raises:
            ConfigError: no region is known.
            RejectedError: the store cannot have a secret with this name.
            AccountError: as AWS responds.
        """
        tags = {**declared.tags, CREDENTIAL_TAG: name_credential(user, service)}
        store = self.open_store(declared.store, declared.region)
        name = declared.resolve_name(user, service, self._account.id())
        if rule := store.find_broken_rule(name):
            raise RejectedError(_WRONG_NAME.format(title=store.title, name=name, rule=rule))
        return Target(
            store=store,
            name=name,
            settings=SecretSettings(tags, declared.kms_key_id),
            declared=declared,
            user=user,
        )

    def open_store(self, store: str, region: str | None) -> Store:
        """Return a store in a region, None for the region of the environment.

        Raises:
            ConfigError: no region is known.
        """
        region = region or self._account.region
        if region is None:
            raise ConfigError(_NO_REGION)
        with self._lock:
            if (store, region) not in self._stores:
                self._stores[store, region] = _STORES[store](self._account, region)
            return self._stores[store, region]

    def declare(self, target: Target, credential: str) -> None:
        """Note that a credential of this run, by its declared name, delivers to the secret.

        Raises:
            RejectedError: a different one does, too.
        """
        with self._lock:
            key = target.declared.store, target.store.region, target.name
            other = self._declared.setdefault(key, credential)
        if other != credential:
            raise RejectedError(
                _SHARED.format(title=target.store.title, name=target.name, first=other, second=credential)
            )

    def is_declared(self, store: str, region: str, name: str) -> bool:
        """Return True if a credential of this run delivers to the secret."""
        with self._lock:
            return (store, region, name) in self._declared

    def list_secrets(self, store: str, region: str | None) -> Mapping[str, StoredSecret]:
        """Return the managed secrets of a store by name; listed once per run.

        Raises:
            ConfigError, AccountError: see `find_target`.
        """
        opened = self.open_store(store, region)
        with self._lock:
            key = store, opened.region
            if key not in self._listed:
                self._listed[key] = opened.list_secrets()
            return self._listed[key]

    def find(self, target: Target, recorded: DeliveredSecret | None) -> StoredSecret | None:
        """Return the secret, None if it does not exist; the list may lag, so each difference is confirmed by a read.

        Args:
            target: the declared secret.
            recorded: the delivery in the state, None without one.

        Raises:
            AccountError: as AWS responds.
        """
        if recorded is not None:
            listed = self.list_secrets(target.declared.store, target.store.region).get(target.name)
            if listed is not None and listed.has(recorded):
                return listed
        return target.store.describe(target.name)

    def require_usable(self, target: Target, stored: StoredSecret | None, recorded: DeliveredSecret | None) -> None:
        """Require that a secret may be delivered there.

        Args:
            target: the declared secret.
            stored: the existing secret, None if it does not exist.
            recorded: the delivery in the state, None without one.

        Raises:
            RejectedError: the secret is not managed, not encrypted, scheduled for deletion or rotated by the store. Or
                the KMS key of a new secret is not usable.
            AccountError: as AWS responds.
        """
        if stored is None:
            if target.settings.kms_key_id is not None:
                target.store.require_key(target.settings.kms_key_id)
            return
        title, name = target.store.title, target.name
        if stored.deleted is not None:
            raise RejectedError(_DELETED.format(title=title, name=name, date=stored.deleted))
        is_recorded = recorded is not None and recorded.arn == stored.arn and stored.token is not None
        if stored.credential != target.credential and not is_recorded:
            other = stored.credential
            owner = "iamcreds does not manage" if other is None else f"belongs to credential {other}"
            raise RejectedError(
                _NOT_OURS.format(title=title, name=name, owner=owner, tag=CREDENTIAL_TAG, credential=target.credential)
            )
        if not stored.is_encrypted:
            raise RejectedError(_PLAIN.format(title=title, name=name))
        if stored.is_rotated:
            raise RejectedError(_ROTATED.format(title=title, name=name))

    def require_region(self, target: Target, recorded: DeliveredSecret) -> None:
        """Require that the store is in the region of the recorded delivery: stores are regional, and IAM is not.

        Raises:
            RejectedError: it is in a different one.
        """
        if recorded.region != target.store.region:
            raise RejectedError(_MOVED.format(arn=recorded.arn, recorded=recorded.region, region=target.store.region))

    def with_policy(self, target: Target) -> SecretSettings:
        """Return the declared settings with the resource policy, which permits the IAM user to read the secret.

        Raises:
            AccountError: as AWS responds.
        """
        if target.declared.resource_policy != READ_BY_USER:
            return target.settings
        statement = {
            "Sid": "ReadOwnSecret",
            "Effect": "Allow",
            "Principal": {"AWS": self._account.users.find_arn(target.user)},
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": "*",
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        return replace(target.settings, policy=json.dumps(policy))
