"""One credential's login and secret out of a stack's decrypted state, in the forms that programs take; pure."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from iamcreds.errors import SecretError
from iamcreds.services import LOGIN_OUTPUTS, SECRET_OUTPUTS, known_service
from iamcreds.state.export import list_credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LOGINS = tuple(LOGIN_OUTPUTS.values())
_SECRETS = tuple(SECRET_OUTPUTS.values())
_CODECOMMIT_HOST = re.compile(r"git-codecommit(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|vpce\.amazonaws\.com)")
_CODECOMMIT_ENDPOINT = re.compile(r"[a-z0-9-]+\.git-codecommit(-fips)?\.[a-z0-9-]+\.vpce\.amazonaws\.com")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Form(StrEnum):
    """How a secret is told."""

    TEXT = "text"
    JSON = "json"
    ENV = "env"
    GIT_CREDENTIAL = "git-credential"
    CQLSHRC = "cqlshrc"


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
    """The secret of the resource of that name, such as `jane/codecommit`.

    Args:
        export: what `pulumi stack export --show-secrets` prints.
        resource: the credential's resource name.

    Raises:
        SecretError: there is no such credential, nobody knows its secret, or it is no export.
    """
    try:
        document = json.loads(export)
    except json.JSONDecodeError:
        raise SecretError("`pulumi stack export` printed something else than a state") from None
    present = (credential for credential in list_credentials(document) if not credential.get("delete"))
    found = {credential["urn"].split("::", 3)[-1]: credential["outputs"] for credential in present}
    if resource not in found:
        raise SecretError(f"the stack has no credential {resource!r}{_suggest(resource, found)}")
    outputs = found[resource]
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


def _suggest(resource: str, found: Iterable[str]) -> str:
    """The names that are most like it."""
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
    raise SecretError(
        f"{secret.resource} is of {secret.service}, which has no use for the form {form}: take --as text or --as json"
    )


def refuse_host(request: str) -> str | None:
    """Why git's request for a password, in the words of its credential protocol, is not answered; None where it is.

    The password goes to CodeCommit's own hosts, over TLS, and to this machine: a helper that is configured for all
    hosts must not hand it to any that asks.
    """
    asked = dict(line.split("=", 1) for line in request.splitlines() if "=" in line)
    asked = {"url": "", "protocol": "", "host": ""} | asked
    if asked["url"]:
        parts = urlsplit(asked["url"])
        asked |= {"protocol": parts.scheme, "host": parts.netloc.rpartition("@")[2]}
    host = urlsplit(f"//{asked['host']}").hostname or ""
    if host in _LOOPBACK:
        return None
    if not (_CODECOMMIT_HOST.fullmatch(host) or _CODECOMMIT_ENDPOINT.fullmatch(host)):
        return f"{host or 'no host'} is not CodeCommit"
    return None if asked["protocol"] == "https" else f"{host} is asked over {asked['protocol'] or 'nothing'}, not https"
