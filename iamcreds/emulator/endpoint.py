"""AWS's operations over HTTP: the operation of a request, moto's response to it, and error responses."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from iamcreds.emulator.exceptions import AwsError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

SCOPE_PARTS = 5
SERVED = frozenset({"iam", "kms", "secretsmanager", "ssm", "sts"})
"""The services of moto that the emulator serves."""


def read_operation(environ: WSGIEnvironment) -> str:
    """Return the requested operation as in IAM policies, `iam:ListUsers`; for REST services the method, `s3:GET`.

    The body can be read again afterwards.
    """
    request = Request(environ, populate_request=False)
    environ["wsgi.input"] = io.BytesIO(request.get_data())
    # Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …
    authorization = request.headers.get("Authorization", "")
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    service = scope[3] if len(scope) == SCOPE_PARTS else "unsigned"
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return f"{service}:{target or request.values.get('Action') or request.method}"


def respond(app: WSGIApplication, operation: str, environ: WSGIEnvironment) -> Response:
    """Return moto's response.

    Raises:
        AwsError: the emulator does not support the operation, or it fails unexpectedly.
    """
    if operation.partition(":")[0] not in SERVED or environ["PATH_INFO"] != "/":
        raise AwsError(f"the IAM emulator does not support {operation}", "InvalidAction", 400)
    try:
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


def respond_error(error: AwsError, environ: WSGIEnvironment) -> Response:
    """Return the error as a response, in the protocol of the request."""
    speaks_json = "HTTP_X_AMZ_TARGET" in environ
    return Response(
        error.json() if speaks_json else error.xml(),
        f"{error.status} {error.code}",
        content_type="application/x-amz-json-1.1" if speaks_json else "text/xml",
    )
