"""The login and secret of one credential from a stack's decrypted state; pure."""

from __future__ import annotations

import difflib
import json
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from iamcreds.delivery import DeliveredSecret
from iamcreds.errors import SecretError, StateError
from iamcreds.model import Status
from iamcreds.resource_names import split_slot
from iamcreds.resource_types import urn_name
from iamcreds.services import LOGIN_OUTPUTS, SECRET_OUTPUTS
from iamcreds.slots import rank_slot
from iamcreds.state.export import list_credentials
from iamcreds.state.recorded import read_rotation
from iamcreds.state.secret_forms import Secret
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LOGINS = tuple(LOGIN_OUTPUTS.values())
_SECRETS = tuple(SECRET_OUTPUTS.values())
_WRONG_ROTATION = (
    "the current credential is unknown, because the property `rotation` in the state is not a whole number. Run"
    " `iamcreds secret URN` with the URN of the credential"
)


def find_secret(export: str, resource: str) -> Secret:
    """Return the secret of the credential with that name, such as `jane/codecommit`, or of the resource with that URN.

    A renewed or rotated credential has two resources. Its name selects the current one, and the name of slot 2, such as
    `jane/bedrock~2`, or a URN select one of the two.

    Args:
        export: the output of `pulumi stack export --show-secrets`.
        resource: the credential's name or URN.

    Raises:
        SecretError: the name matches no credential or more than one, its secret is unknown, or `export` is not valid.
    """
    outputs_by_urn = _read_outputs(export)
    return _read_secret(resource, outputs_by_urn[_select_urn(resource, outputs_by_urn)])


def find_secret_of_login(export: str, resource: str, login: str) -> Secret | None:
    """Return the secret as `find_secret` does, but only if the credential has this login; otherwise None.

    A credential's name also selects its previous slot, while that is recorded as Active. A slot of a different user or
    service is a different credential.

    Raises:
        SecretError: as `find_secret`.
    """
    outputs_by_urn = _read_outputs(export)
    current = _select_urn(resource, outputs_by_urn)
    slots = {urn: _find_declared(urn, outputs) for urn, outputs in outputs_by_urn.items()}
    is_declared_name = resource == urn_name(slots[current][0])
    for urn, outputs in outputs_by_urn.items():
        is_other = is_declared_name and slots[urn] == slots[current]
        is_valid = urn == current or (is_other and outputs.get("status") == Status.ACTIVE)
        if is_valid and _read_login(outputs) == login:
            return _read_secret(resource, outputs)
    return None


def _read_outputs(export: str) -> dict[str, Mapping[str, Any]]:
    """Return the outputs of each credential of a decrypted state, by its URN.

    Raises:
        SecretError: it is not a state.
    """
    try:
        document = json.loads(export)
    except json.JSONDecodeError:
        raise SecretError("the output of `pulumi stack export` is not a state") from None
    credentials = (credential for credential in list_credentials(document) if not credential.get("delete"))
    return {credential["urn"]: credential["outputs"] for credential in credentials}


def _read_login(outputs: Mapping[str, Any]) -> str:
    return next((_reveal(outputs[name]) for name in _LOGINS if outputs.get(name)), "")


def _read_secret(resource: str, outputs: Mapping[str, Any]) -> Secret:
    texts = {name: _reveal(outputs[name]) for name in (*_LOGINS, *_SECRETS) if outputs.get(name)}
    user, service, credential_id = (_reveal(outputs.get(name, "")) for name in ("user", "service", "credential_id"))
    if not any(name in texts for name in _SECRETS):
        reason = _explain_absence(DeliveredSecret.find(outputs))
        raise SecretError(f"the secret of {service} credential {credential_id} of user {user} {reason}")
    if not all(text.isprintable() for text in (user, service, credential_id, *texts.values())):
        raise SecretError(
            f"{resource} has characters that IAM does not use, so the state may be manipulated. Run"
            " `pulumi stack export | iamcreds state check -`"
        )
    return Secret(resource, user, service, credential_id, texts)


def _explain_absence(delivered: DeliveredSecret | None) -> str:
    """Return the end of the message about a secret that the state does not have."""
    if delivered is None:
        return "is unknown, because the credential was imported. Declare a `reset` to get a new secret"
    arn = escape_invisible(delivered.arn)
    return f"is in the secret store, as {arn}. Run `iamcreds secret {shlex.quote(arn)} --from-store`"


def _select_urn(resource: str, outputs: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the URN of the resource with that name or URN, or of the current slot of the credential with that name.

    Args:
        resource: a resource name or a URN.
        outputs: the outputs of each credential, by its URN.

    Raises:
        SecretError: no credential or more than one has that name.
    """
    if resource in outputs:
        return resource
    named = [urn for urn in outputs if resource in (urn_name(urn), urn_name(_find_declared(urn, outputs[urn])[0]))]
    selected = sorted(_select_current(named, outputs))
    if not selected:
        name = split_slot(urn_name(resource) if resource.startswith("urn:") else resource)[0]
        user = name.partition("/")[0]
        own = {split_slot(urn_name(urn))[0] for urn in outputs if _reveal(outputs[urn].get("user", "")) == user}
        raise SecretError(f"the stack has no credential {resource!r}{_suggest(name, sorted(own))}")
    if len(selected) > 1:
        raise SecretError(
            f"the stack has {len(selected)} credentials named {resource!r}. Run `iamcreds secret URN` with the URN of"
            f" one of them: {', '.join(map(shlex.quote, selected))}"
        )
    return selected[0]


def _select_current(urns: Iterable[str], outputs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the current one of the slots of each credential; credentials of one name have different parents."""
    slots: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for urn in urns:
        slots[_find_declared(urn, outputs[urn])].append(urn)
    for of_one in slots.values():
        yield max(of_one, key=lambda urn: rank_slot(urn, _read_rotation(outputs[urn])))


def _find_declared(urn: str, outputs: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the URN of slot 1, the user and the service, which both slots of a credential have.

    A credential in slot 2 has a `rotation`. Without it, the name of a program's own credential ends with `~2`.
    """
    name, slot = split_slot(urn)
    user, service = (str(outputs.get(key)) for key in ("user", "service"))  # a secret one is compared with its wrapper
    return urn if slot > 1 and not outputs.get("rotation") else name, user, service


def _read_rotation(outputs: Mapping[str, Any]) -> int:
    value = outputs.get("rotation")
    try:
        return read_rotation({"rotation": json.loads(_reveal(value)) if isinstance(value, dict) else value})
    except (StateError, LookupError, TypeError, ValueError):
        raise SecretError(_WRONG_ROTATION) from None


def _suggest(resource: str, names: Iterable[str]) -> str:
    """Return a hint with the most similar names."""
    similar = difflib.get_close_matches(resource, names)
    if similar:
        return f"; did you mean {' or '.join(similar)}?"
    return ". Run `pulumi stack output credentials` to list its credentials"


def _reveal(value: Any) -> str:  # noqa: ANN401 - any property value
    """Return a value as text, without the wrapper of a decrypted secret."""
    return str(json.loads(value["plaintext"])) if isinstance(value, dict) else str(value)
