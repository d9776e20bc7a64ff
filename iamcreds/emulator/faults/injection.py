"""What comes between a request and AWS's operation: the guard, the control API, latency, a rate limit and faults."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from iamcreds.emulator import endpoint, guard
from iamcreds.emulator.account import SWITCHES
from iamcreds.emulator.exceptions import AwsError, ThrottlingError
from iamcreds.emulator.faults import control_api
from iamcreds.emulator.faults.fault import Cut, Drop, Hang, Pause

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from iamcreds.emulator.endpoint import HttpAnswer
    from iamcreds.emulator.faults.fault import Fault

LONGEST_PAUSE = 120
"""Seconds after which a call that nobody releases has its connection broken."""


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
        answer = endpoint.date(self._operate(endpoint.read_operation(environ), environ))
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
            answer = endpoint.let_answer(self._app, operation, environ)
            return _meet_answered(fault, operation, environ, answer) if fault and fault.when == "after" else answer
        except AwsError as error:
            return endpoint.refuse(error, environ)


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
    return replace(answer, headers=endpoint.set_header(answer.headers, "Content-Length", str(length)), body=sent)


def _break(environ: WSGIEnvironment) -> NoReturn:
    if "werkzeug.socket" in environ:
        with contextlib.suppress(OSError):  # the other side was faster
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("broken on request")
