"""One credential's login and secret out of a stack's decrypted state, in the forms that programs take; pure."""

from __future__ import annotations

import difflib
import json
import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from iamcreds.errors import SecretError
from iamcreds.resource_types import urn_name
from iamcreds.services import LOGIN_OUTPUTS, SECRET_OUTPUTS, known_service
from iamcreds.state.export import list_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LOGINS = tuple(LOGIN_OUTPUTS.values())
_SECRETS = tuple(SECRET_OUTPUTS.values())


class Form(StrEnum):
    """How a secret is told."""

    TEXT = "text"
    JSON = "json"
    ENV = "env"
    GIT_CREDENTIAL = "git-credential"
    CQLSHRC = "cqlshrc"
    CQLSH_CREDENTIALS = "cqlsh-credentials"


@dataclass(frozen=True)
class Secret:
    """A credential with what opens it; `outputs` are its login and secret, by the names of its outputs."""

    resource: str
    user: str
    service: str
    id: str
    outputs: Mapping[str, str] = field(repr=False)

    @property
    def login(self) -> str:
        """The service user name or, of an API key, the alias."""
        return next((self.outputs[name] for name in _LOGINS if name in self.outputs), "")

    @property
    def secret(self) -> str:
        """The password or API key."""
        return next(self.outputs[name] for name in _SECRETS if name in self.outputs)


def find_secret(export: str, resource: str) -> Secret:
    """Return the secret of the resource with that name, such as `jane/codecommit`, or with that URN.

    Args:
        export: the output of `pulumi stack export --show-secrets`.
        resource: the credential's resource name or URN.

    Raises:
        SecretError: no credential or more than one has that name, its secret is unknown, or it is not an export.
    """
    try:
        document = json.loads(export)
    except json.JSONDecodeError:
        raise SecretError("`pulumi stack export` printed something else than a state") from None
    present = (credential for credential in list_credentials(document) if not credential.get("delete"))
    found = {credential["urn"]: credential["outputs"] for credential in present}
    outputs = found[_select_urn(resource, {urn: _reveal(each.get("user", "")) for urn, each in found.items()})]
    texts = {name: _reveal(outputs[name]) for name in (*_LOGINS, *_SECRETS) if outputs.get(name)}
    user, service, credential_id = (_reveal(outputs.get(name, "")) for name in ("user", "service", "credential_id"))
    if not any(name in texts for name in _SECRETS):
        raise SecretError(
            f"nobody knows the secret of {service} credential {credential_id} of user {user}: it was taken over as it"
            " was; declare a `reset` to give it a new one"
        )
    if not all(text.isprintable() for text in (user, service, credential_id, *texts.values())):
        raise SecretError(
            f"{resource} has characters that nothing of IAM's has: find out who wrote this state"
            " (`pulumi stack export | iamcreds state check -`)"
        )
    return Secret(resource, user, service, credential_id, texts)


def _select_urn(resource: str, users: Mapping[str, str]) -> str:
    """Return the URN that a name stands for, or the URN itself.

    Args:
        resource: a resource name or a URN.
        users: the IAM user of each credential, by its URN.

    Raises:
        SecretError: no credential or more than one has that name.
    """
    names = {urn: urn_name(urn) for urn in users}
    selected = sorted(urn for urn, name in names.items() if resource in (urn, name))
    if not selected:
        name = urn_name(resource) if resource.startswith("urn:") else resource
        user = name.partition("/")[0]
        own = {names[urn] for urn in users if users[urn] == user}
        raise SecretError(f"the stack has no credential {resource!r}{_suggest(name, sorted(own))}")
    if len(selected) > 1:
        raise SecretError(
            f"the stack has {len(selected)} credentials named {resource!r}. Run `iamcreds secret URN` with the URN of"
            f" one of them: {', '.join(map(shlex.quote, selected))}"
        )
    return selected[0]


def _suggest(resource: str, found: Iterable[str]) -> str:
    """Suggest the most similar of these names."""
    near = difflib.get_close_matches(resource, found)
    return f"; did you mean {' or '.join(near)}?" if near else "; `pulumi stack output credentials` lists what it has"


def _reveal(value: Any) -> str:  # noqa: ANN401 - any property value
    """A text, out of the wrapper that a decrypted secret has."""
    return str(json.loads(value["plaintext"])) if isinstance(value, dict) else str(value)


def format_secret(secret: Secret, form: Form) -> str:
    """The secret as a whole document of that form, which ends with a line end.

    Raises:
        SecretError: the form is not for this service.
    """
    known = known_service(secret.service)
    match form:
        case Form.TEXT:
            return "".join(f"{name}: {text}\n" for name, text in secret.outputs.items())
        case Form.JSON:
            known_of_it = {"user": secret.user, "service": secret.service, "credential_id": secret.id}
            return json.dumps(known_of_it | dict(secret.outputs), indent=2) + "\n"
        case Form.ENV if known is not None and known.variable:
            return f"export {known.variable}={shlex.quote(secret.secret)}\n"
        case Form.GIT_CREDENTIAL if secret.service == "codecommit.amazonaws.com":
            return f"username={secret.login}\npassword={secret.secret}\n"
        case Form.CQLSHRC if secret.service == "cassandra.amazonaws.com":
            return f"[authentication]\nusername = {secret.login}\npassword = {secret.secret}\n"
        case Form.CQLSH_CREDENTIALS if secret.service == "cassandra.amazonaws.com":
            # conf/credentials.sample and pylib/cqlshlib/authproviderhandling.py in apache/cassandra, since 4.1
            return f"[PlainTextAuthProvider]\nusername = {secret.login}\npassword = {secret.secret}\n"
    raise SecretError(
        f"{secret.resource} is of {secret.service}, which has no use for the form {form}: take --as text or --as json"
    )
