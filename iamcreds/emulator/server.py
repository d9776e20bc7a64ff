"""The embedded IAM as an HTTP endpoint on the loopback interface: moto's server behind the switches."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import TYPE_CHECKING, NoReturn, Self
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from iamcreds.emulator import control_api, guard
from iamcreds.emulator.controls import Controls
from iamcreds.emulator.exceptions import AwsError, ThrottlingError
from iamcreds.emulator.faults import Cut, Drop, Hang, Pause
from iamcreds.emulator.responses import SWITCHES, install

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from iamcreds.emulator.faults import Fault
    from iamcreds.emulator.settings import Settings

LOOPBACK = "127.0.0.1"
BACKLOG = 128
SCOPE_PARTS = 5
SERVED = frozenset({"iam", "sts"})
"""The services that answer, of all that moto has."""

LONGEST_PAUSE = 120
"""Seconds after which a call that nobody releases has its connection broken."""


@dataclass(frozen=True)
class HttpAnswer:
    """An answer before it is sent: the status line without the protocol, the headers, the body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Emulator:
    """The embedded IAM, served from a thread of this process until `stop`; starting empties the account.

    All emulators of one process are doors to the same account, because moto keeps its state in module globals; where
    two accounts are wanted, run `python -m iamcreds.emulator` twice.

    Args:
        port: where on 127.0.0.1 to listen; 0 is any free port.
        settings: how to behave at first.

    Raises:
        OSError: on `start`, when the port is taken.
    """

    def __init__(self, port: int = 0, settings: Settings | None = None) -> None:
        self._port = port
        self._settings = settings

    def start(self) -> Self:
        """Listen; requests are answered when this returns."""
        # Bound here and not by werkzeug, which prints and exits when the port is taken.
        with _listen(self._port) as listener:
            self._server = make_server(
                LOOPBACK,
                self._port,
                application(),
                threaded=True,
                request_handler=Handler,
                fd=listener.fileno(),
            )
        control_api.reset(self._settings)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening; state stays until an emulator of this process starts again."""
        self._server.shutdown()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is to be set to."""
        return f"http://{LOOPBACK}:{self._server.port}"

    @property
    def controls(self) -> Controls:
        """The switches, by the same door that another process takes."""
        return Controls(self.url)


def application() -> Switched:
    """The embedded IAM as a WSGI application: for a process that needs no socket."""
    install()
    return Switched(DomainDispatcherApplication(create_backend_app))


class Handler(MotoRequestHandler):
    """Prints nothing, neither requests nor what went wrong with them, and has the application date its answers."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin the answer, without the date of this machine's clock."""
        self.send_response_only(code, message)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 as werkzeug has it
        """Drop the line."""


class Switched:
    """A WSGI application in front of another: the switches for AWS's operations, and the control API.

    Args:
        app: the application that answers AWS's operations.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if not guard.is_allowed(environ):
            return guard.refuse(start_response)
        if environ["PATH_INFO"].startswith(control_api.PREFIX):
            return control_api.answer(environ, start_response)
        answer = _date(self._operate(read_operation(environ), environ))
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _operate(self, operation: str, environ: WSGIEnvironment) -> HttpAnswer:
        fault = SWITCHES.count_call(operation)
        SWITCHES.sleep(SWITCHES.settings.latency)
        try:
            if not SWITCHES.take_token(operation):
                raise ThrottlingError("Rate exceeded")
            if fault and fault.when == "before":
                _meet(fault, operation, environ)
            answer = self._let_answer(operation, environ)
            return _meet_answered(fault, operation, environ, answer) if fault and fault.when == "after" else answer
        except AwsError as error:
            return _refuse(error, environ)

    def _let_answer(self, operation: str, environ: WSGIEnvironment) -> HttpAnswer:
        if operation.partition(":")[0] not in SERVED or environ["PATH_INFO"] != "/":
            raise AwsError(f"{operation} is not a part of this emulator", "InvalidAction", 400)
        try:
            body, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        except NotImplementedError as error:
            raise AwsError(f"{operation} is not a part of this emulator", "InvalidAction", 400) from error
        except Exception as error:
            # Only the kind: the text of an unforeseen error could hold anything.
            raise AwsError(f"{type(error).__name__} in {operation}") from error
        # moto's server lets any page read its answers.
        own = [(name, value) for name, value in headers if not name.lower().startswith("access-control-")]
        return HttpAnswer(status, own, b"".join(body))


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


def _meet(fault: Fault, operation: str, environ: WSGIEnvironment) -> None:
    """Have the fault happen, whatever it is but a cut.

    Raises:
        AwsError: what is to be answered.
        ConnectionResetError: nothing is.
    """
    match fault.answer:
        case AwsError() as error:
            raise error
        case Pause():
            if not SWITCHES.pauses.hold(operation, fault.when, LONGEST_PAUSE):
                _break(environ)
        case Hang(seconds):
            SWITCHES.pauses.hold(operation, fault.when, seconds)
            _break(environ)
        case Drop():
            _break(environ)


def _meet_answered(fault: Fault, operation: str, environ: WSGIEnvironment, answer: HttpAnswer) -> HttpAnswer:
    """Have the fault happen to an answer; what is left of it."""
    if isinstance(fault.answer, Cut):
        return _cut(answer, fault.answer)
    _meet(fault, operation, environ)
    return answer


def _cut(answer: HttpAnswer, cut: Cut) -> HttpAnswer:
    sent = answer.body[: int(len(answer.body) * cut.share)]
    length = len(answer.body if cut.whole_length else sent)
    return replace(answer, headers=_set_header(answer.headers, "Content-Length", str(length)), body=sent)


def _break(environ: WSGIEnvironment) -> NoReturn:
    if "werkzeug.socket" in environ:
        with contextlib.suppress(OSError):  # the other side was faster
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("broken on request")


def _refuse(error: AwsError, environ: WSGIEnvironment) -> HttpAnswer:
    speaks_json = "HTTP_X_AMZ_TARGET" in environ
    body = (error.json() if speaks_json else error.xml()).encode()
    content_type = "application/x-amz-json-1.1" if speaks_json else "text/xml"
    headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    return HttpAnswer(f"{error.status} {error.code}", headers, body)


def _date(answer: HttpAnswer) -> HttpAnswer:
    """Have the answer say when it is on the account's clock, in whole seconds, as every answer of AWS does."""
    now = format_datetime(SWITCHES.now(), usegmt=True)
    return replace(answer, headers=_set_header(answer.headers, "Date", now))


def _set_header(headers: list[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    return [header for header in headers if header[0].lower() != name.lower()] + [(name, value)]


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port), backlog=BACKLOG)
    except OSError as error:
        # Python's own text repeats the address.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"cannot listen on {LOOPBACK}:{port}: {reason}") from error
