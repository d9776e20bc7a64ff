"""AWS's operations over HTTP: what is asked for, moto's answer to it, and the answer to what is refused."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from werkzeug.test import run_wsgi_app

from iamcreds.emulator.account import SWITCHES
from iamcreds.emulator.exceptions import AwsError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

SCOPE_PARTS = 5
SERVED = frozenset({"iam", "sts"})
"""The services that answer, of all that moto has."""


@dataclass(frozen=True)
class HttpAnswer:
    """An answer before it is sent: the status line without the protocol, the headers, the body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def read_operation(environ: WSGIEnvironment) -> str:
    """What is asked for, as policies write it: `iam:ListUsers`; for REST services the HTTP method: `s3:GET`."""
    # Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …
    authorization: str = environ.get("HTTP_AUTHORIZATION", "")
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    service = scope[3] if len(scope) == SCOPE_PARTS else "unsigned"
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return f"{service}:{target or _read_action(environ) or environ['REQUEST_METHOD']}"


def _read_action(environ: WSGIEnvironment) -> str:
    """The query protocol's `Action`; the body is put back for whoever reads next."""
    query: str = environ.get("QUERY_STRING", "")
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        query = f"{query}&{body.decode(errors='replace')}"
    return parse_qs(query).get("Action", [""])[0]


def let_answer(app: WSGIApplication, operation: str, environ: WSGIEnvironment) -> HttpAnswer:
    """The answer of moto.

    Raises:
        AwsError: the operation is not a part of this emulator, or failed in a way that nobody foresaw.
    """
    if operation.partition(":")[0] not in SERVED or environ["PATH_INFO"] != "/":
        raise AwsError(f"{operation} is not a part of this emulator", "InvalidAction", 400)
    try:
        body, status, headers = run_wsgi_app(app, environ, buffered=True)
    except NotImplementedError as error:
        raise AwsError(f"{operation} is not a part of this emulator", "InvalidAction", 400) from error
    except Exception as error:
        # Only the kind: the text of an unforeseen error could hold anything.
        raise AwsError(f"{type(error).__name__} in {operation}") from error
    # moto's server lets any page read its answers.
    own = [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]
    return HttpAnswer(status, own, b"".join(body))


def refuse(error: AwsError, environ: WSGIEnvironment) -> HttpAnswer:
    """The answer that is an error, in the protocol of the request."""
    speaks_json = "HTTP_X_AMZ_TARGET" in environ
    body = (error.json() if speaks_json else error.xml()).encode()
    content_type = "application/x-amz-json-1.1" if speaks_json else "text/xml"
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    return HttpAnswer(f"{error.status} {error.code}", headers, body)


def date(answer: HttpAnswer) -> HttpAnswer:
    """Have the answer say when it is on the account's clock, in whole seconds, as every answer of AWS does."""
    now = format_datetime(SWITCHES.now(), usegmt=True)
    return replace(answer, headers=set_header(answer.headers, "Date", now))


def set_header(headers: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    """The headers with this one in the place of any of its name."""
    return [header for header in headers if header[0].lower() != name.lower()] + [(name, value)]
