"""The layer in front of AWS's operations: access control, control API, latency, rate limit and faults."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, NoReturn

from iamcreds.emulator import endpoint, guard
from iamcreds.emulator.account import SWITCHES
from iamcreds.emulator.exceptions import AwsError, ThrottlingError
from iamcreds.emulator.faults import control_api
from iamcreds.emulator.faults.fault import Cut, Hang, Pause

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from werkzeug.wrappers import Response

    from iamcreds.emulator.faults.fault import Fault

LONGEST_PAUSE = 120
"""Seconds after which the connection of a held call breaks unless the call is released."""


class Switched:
    """A WSGI application that adds fault injection and the control API to another one.

    Args:
        app: the application that serves AWS's operations.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Respond to a request."""
        return self._respond(environ)(environ, start_response)

    def _respond(self, environ: WSGIEnvironment) -> WSGIApplication:
        if not guard.is_allowed(environ):
            return guard.respond_forbidden()
        if environ["PATH_INFO"].startswith(control_api.PREFIX):
            return control_api.respond
        try:
            response = self._operate(endpoint.read_operation(environ), environ)
        except AwsError as error:
            response = endpoint.respond_error(error, environ)
        response.date = SWITCHES.now()  # every response of AWS has a date; this one is the account's
        return response

    def _operate(self, operation: str, environ: WSGIEnvironment) -> Response:
        fault = SWITCHES.count_call(operation)
        SWITCHES.sleep(SWITCHES.settings.latency)
        if not SWITCHES.take_token(operation):
            raise ThrottlingError("Rate exceeded")
        if fault and fault.when == "before":
            _inject(fault, operation, environ)
        response = endpoint.respond(self._app, operation, environ)
        if fault and fault.when == "after":
            if isinstance(fault.effect, Cut):
                _cut(response, fault.effect)
            else:
                _inject(fault, operation, environ)
        return response


def _inject(fault: Fault, operation: str, environ: WSGIEnvironment) -> None:
    """Inject any fault except a cut.

    Raises:
        AwsError: the error to return as the response.
        ConnectionResetError: the connection breaks without a response.
    """
    match fault.effect:
        case AwsError() as error:
            raise error
        case Pause():
            if not SWITCHES.pauses.hold(operation, fault.when, LONGEST_PAUSE):
                _break(environ)
        case Hang(seconds):
            SWITCHES.pauses.hold(operation, fault.when, seconds)
            _break(environ)


def _cut(response: Response, cut: Cut) -> None:
    body = response.get_data()
    response.set_data(body[: int(len(body) * cut.share)])  # sets Content-Length, too
    if cut.whole_length:
        response.content_length = len(body)


def _break(environ: WSGIEnvironment) -> NoReturn:
    if "werkzeug.socket" in environ:
        with contextlib.suppress(OSError):  # the client has closed it already
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("connection closed by an injected fault")
