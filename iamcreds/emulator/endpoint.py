"""AWS's operations over HTTP: the operation of a request, moto's response to it, and error responses."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from werkzeug.wrappers import Request, Response

from iamcreds.emulator.account import ACCOUNT
from iamcreds.emulator.exceptions import SERVER_FAULT, AwsError
from iamcreds.emulator.stores import keys
from iamcreds.emulator.stores.parameter_store import ParameterStore
from iamcreds.emulator.stores.secrets_manager import SecretsManager

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from iamcreds.emulator.stores.service import JsonService

SCOPE_PARTS = 5
JSON = "application/x-amz-json-1.1"

WHOLE = frozenset({"iam", "sts"})
"""The services of which moto's operations are served, with the emulator's corrections."""

STORES: Mapping[str, type[JsonService]] = {store.service: store for store in (SecretsManager, ParameterStore)}
"""The services that the emulator implements itself."""


class Scope(NamedTuple):
    """The scope of a signature."""

    region: str
    service: str


def read_operation(environ: WSGIEnvironment) -> str:
    """Return the requested operation as in IAM policies, `iam:ListUsers`; for REST services the method, `s3:GET`.

    The body can be read again afterwards.
    """
    request = Request(environ, populate_request=False)
    environ["wsgi.input"] = io.BytesIO(request.get_data())
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return f"{_read_scope(environ).service}:{target or request.values.get('Action') or request.method}"


def _read_scope(environ: WSGIEnvironment) -> Scope:
    """Read `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`."""
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
    return Scope(scope[2], scope[3]) if len(scope) == SCOPE_PARTS else Scope("", "unsigned")


def respond(app: WSGIApplication, operation: str, environ: WSGIEnvironment) -> Response:
    """Return the response of a store, or that of moto.

    Raises:
        AwsError: the emulator does not support the operation, or it fails unexpectedly.
    """
    if environ["PATH_INFO"] != "/" or not _is_served(operation):
        raise AwsError(f"the IAM emulator does not support {operation}", "InvalidAction", 400)
    try:
        scope = _read_scope(environ)
        if scope.service in STORES:
            return _respond_store(scope, operation, environ)
        response = Response.from_app(app, environ, buffered=True)
    except AwsError as error:
        return respond_error(error, environ)
    except NotImplementedError as error:
        raise AwsError(f"the IAM emulator does not support {operation}", "InvalidAction", 400) from error
    except Exception as error:
        # Only the type: the message of an unexpected error could contain anything.
        raise AwsError(f"{type(error).__name__} in {operation}") from error
    for name in {name for name, _ in response.headers if name.lower().startswith("access-control-")}:
        del response.headers[name]  # moto's server allows every web page to read its responses
    return response


def _is_served(operation: str) -> bool:
    service, _, name = operation.partition(":")
    if service in STORES:
        return name in STORES[service].served
    return service in WHOLE or (service == "kms" and name in keys.SERVED)


def _respond_store(scope: Scope, operation: str, environ: WSGIEnvironment) -> Response:
    store = STORES[scope.service](scope.region, f"arn:aws:iam::{ACCOUNT}:user/moto")
    body = store.respond(operation.partition(":")[2], environ["wsgi.input"].read())
    return Response(body, content_type=JSON)


def respond_error(error: AwsError, environ: WSGIEnvironment) -> Response:
    """Return the error as a response, in the protocol of the request."""
    if "HTTP_X_AMZ_TARGET" in environ:
        # In JSON, every error of a client has the status 400 ("Common Error Types" in the API references).
        status = error.status if error.status >= SERVER_FAULT else 400
        return Response(error.json(), f"{status} {error.code}", content_type=JSON)
    return Response(error.xml(), f"{error.status} {error.code}", content_type="text/xml")
