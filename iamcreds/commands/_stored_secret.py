"""Reads of one delivered secret from its store, for `iamcreds secret --from-store`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.aws import Account
from iamcreds.delivery import PARAMETER_STORE, SECRETS_MANAGER, find_placeholders
from iamcreds.errors import NoSuchSecretError, SecretError
from iamcreds.resource_names import split_slot
from iamcreds.services import service_name
from iamcreds.specs import load
from iamcreds.state.delivered_content import read_content
from iamcreds.stores.deliveries import Deliveries

if TYPE_CHECKING:
    from pathlib import Path

    from iamcreds.desired import Desired, DesiredCredential
    from iamcreds.state.secret_forms import Secret
    from iamcreds.stores.store import Store

_REGION = r"[a-z]{2,10}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}"
_ARN = re.compile(
    rf"arn:aws[a-z-]{{0,20}}:(?:(?P<manager>secretsmanager)|ssm):(?P<region>{_REGION}):[0-9]{{12}}:"
    r"(?(manager)secret:|parameter/)[A-Za-z0-9/_+=.@-]{1,2048}"
)
"""The ARN of a secret or parameter (Service Authorization Reference, Secrets Manager and Systems Manager)."""


@dataclass(frozen=True)
class _Place:
    """A secret in a store, and the declared credential with it, None if only its ARN is known."""

    store: Store
    name: str
    credential: DesiredCredential | None = None


def is_arn(name: str) -> bool:
    """Return True if the name is an ARN, valid or not."""
    return name.startswith("arn:")


def read_stored_secret(name: str, specs: Path, login: str | None) -> Secret | None:
    """Return the secret of a credential from its store, by the credential's declared name or the secret's ARN.

    Args:
        name: the declared name, or the ARN.
        specs: file or folder of the specs, which are read only for a name.
        login: the requested login, None for the current one. For a different one, the previous version of the secret
            is read; the result is None if that has a different login, too.

    Raises:
        SecretError: the specs declare no such delivered credential, or the secret does not exist or is not valid.
        SpecsError: the specs have problems.
        ConfigError: no region is known.
        AccountError: as AWS responds.
    """
    account = Account()
    place = _find_by_arn(name, account) if is_arn(name) else _find_declared(name, load(specs), account)
    secret = _read_current(name, place)
    return secret if login in (None, secret.login) else _read_previous(name, place, login)


def _find_by_arn(arn: str, account: Account) -> _Place:
    match = _ARN.fullmatch(arn)
    if match is None:
        raise SecretError(f"{arn!r} is not the ARN of a secret of Secrets Manager or of a parameter")
    store = SECRETS_MANAGER if match["manager"] else PARAMETER_STORE
    return _Place(Deliveries(account).open_store(store, match["region"]), arn)


def _find_declared(name: str, desired: Desired, account: Account) -> _Place:
    credential = _find_credential(name, desired)
    deliver = credential.deliver
    if deliver is None:
        raise SecretError(
            f"{name} has no `deliver` ({credential.location}), so its secret is in the state of its stack. Run"
            f" `iamcreds secret {name}`"
        )
    needs_account = "account" in find_placeholders(deliver.name)
    number = (desired.account or account.id()) if needs_account else ""
    store = Deliveries(account).open_store(deliver.store, deliver.region)
    return _Place(store, deliver.resolve_name(credential.user, credential.service, number), credential)


def _find_credential(name: str, desired: Desired) -> DesiredCredential:
    """Return the declared credential with that name; only names of the same user are suggested."""
    credentials = {credential.declared_name: credential for user in desired.users for credential in user.credentials}
    if name in credentials:
        return credentials[name]
    user = name.partition("/")[0]
    own = sorted(known for known, credential in credentials.items() if credential.user == user)
    similar = difflib.get_close_matches(split_slot(name)[0], own)
    hint = f"; did you mean {' or '.join(similar)}?" if similar else ". Check the name and --specs"
    raise SecretError(f"the specs declare no credential {name!r}{hint}")


def _read_current(name: str, place: _Place) -> Secret:
    try:
        content = place.store.read(place.name)
    except NoSuchSecretError:
        raise SecretError(
            f"{place.name} does not exist in {place.store.title} ({place.store.region}), or has no value. Options: run"
            " `pulumi up`, which delivers it; or check AWS_PROFILE and the region"
        ) from None
    secret = _read_content(name, place, content)
    if place.credential is not None and secret.service != service_name(place.credential.service):
        raise SecretError(f"{place.name} has the secret of a different credential than {name}")
    return secret


def _read_previous(name: str, place: _Place, login: str) -> Secret | None:
    """Return the secret in the previous version if it is valid and has this login; otherwise None."""
    content = place.store.read_previous(place.name)
    try:
        secret = None if content is None else _read_content(name, place, content)
    except SecretError:  # the value before the first delivery
        return None
    return secret if secret is not None and secret.login == login else None


def _read_content(name: str, place: _Place, content: str) -> Secret:
    user = None if place.credential is None else place.credential.user
    return read_content(name, user, content)
