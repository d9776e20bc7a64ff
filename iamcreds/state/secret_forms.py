"""A credential with its secret, and the formats of several programs for it; pure."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

from iamcreds.errors import SecretError
from iamcreds.services import LOGIN_OUTPUTS, SECRET_OUTPUTS, Family, known_service

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODECOMMIT, _KEYSPACES = "codecommit.amazonaws.com", "cassandra.amazonaws.com"


class Form(StrEnum):
    """The output format of a secret."""

    TEXT = "text"
    JSON = "json"
    ENV = "env"
    KEY = "key"
    OTEL_HEADERS = "otel-headers"
    GIT_CREDENTIAL = "git-credential"
    ARGOCD_REPOSITORY = "argocd-repository"
    CQLSHRC = "cqlshrc"
    CQLSH_CREDENTIALS = "cqlsh-credentials"


@dataclass(frozen=True)
class Secret:
    """A credential with its secret; `outputs` are its login and secret, by the names of its outputs.

    `user` is None if only the ARN of the secret in its store is known.
    """

    resource: str
    user: str | None
    service: str
    id: str
    outputs: Mapping[str, str] = field(repr=False)

    @property
    def login(self) -> str:
        """The service user name, or the alias of an API key."""
        return next((self.outputs[name] for name in LOGIN_OUTPUTS.values() if name in self.outputs), "")

    @property
    def secret(self) -> str:
        """The password or API key."""
        return next(self.outputs[name] for name in SECRET_OUTPUTS.values() if name in self.outputs)


def format_secret(secret: Secret, form: Form, url: str = "") -> str:
    """Return the secret as a document in that format, with a line break at its end.

    Args:
        secret: the credential with its secret.
        form: the format.
        url: the checked URL of the repository, for `Form.ARGOCD_REPOSITORY`.

    Raises:
        SecretError: the credential's service does not support the format.
    """
    service = known_service(secret.service)
    match form:
        case Form.TEXT:
            document = "".join(f"{name}: {text}\n" for name, text in secret.outputs.items())
        case Form.JSON:
            identity = {"user": secret.user, "service": secret.service, "credential_id": secret.id}
            document = json.dumps(identity | dict(secret.outputs), indent=2) + "\n"
        case Form.ENV if service is not None and service.variable:
            document = _format_export(service.variable, secret.secret)
        case Form.KEY if SECRET_OUTPUTS[Family.API_KEY] in secret.outputs:
            document = f"{secret.secret}\n"
        case Form.OTEL_HEADERS if service is not None and service.headers_variable:
            document = _format_export(service.headers_variable, _format_headers(secret))
        case Form.GIT_CREDENTIAL if secret.service == _CODECOMMIT:
            document = f"username={secret.login}\npassword={secret.secret}\n"
        case Form.ARGOCD_REPOSITORY if secret.service == _CODECOMMIT:
            from iamcreds.state.argocd import format_repository  # noqa: PLC0415 - YAML is slow to import

            document = format_repository(url, secret.login, secret.secret)
        case Form.CQLSHRC if secret.service == _KEYSPACES:
            document = f"[authentication]\nusername = {secret.login}\npassword = {secret.secret}\n"
        case Form.CQLSH_CREDENTIALS if secret.service == _KEYSPACES:
            # conf/credentials.sample and pylib/cqlshlib/authproviderhandling.py in apache/cassandra, since 4.1
            document = f"[PlainTextAuthProvider]\nusername = {secret.login}\npassword = {secret.secret}\n"
        case _:
            raise SecretError(
                f"format {form} is not available for {secret.resource}, a credential for {secret.service}. Use --as"
                " text or --as json"
            )
    return document


def _format_export(variable: str, value: str) -> str:
    return f"export {variable}={shlex.quote(value)}\n"


def _format_headers(secret: Secret) -> str:
    """Return the header of AWS's OTLP endpoints, `Authorization: Bearer KEY`, for OpenTelemetry's variables.

    Their format is that of W3C Baggage, whose values are percent-encoded (OpenTelemetry specification, "Specifying
    headers via environment variables"). Each special character is encoded, because SDKs differ in the raw ones that
    they accept; older Go SDKs decode `+` as a space.
    """
    return f"Authorization={quote(f'Bearer {secret.secret}', safe='')}"
