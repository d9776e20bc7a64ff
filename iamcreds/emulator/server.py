"""The embedded IAM as an HTTP endpoint on the loopback interface: moto's server behind the switches."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from iamcreds.emulator import account
from iamcreds.emulator.faults.controls import Controls
from iamcreds.emulator.faults.injection import Switched
from iamcreds.emulator.responses import install

if TYPE_CHECKING:
    from types import TracebackType

    from iamcreds.emulator.faults.settings import Settings

LOOPBACK = "127.0.0.1"
BACKLOG = 128


class Emulator:
    """The embedded IAM, served from a thread of this process until `stop`; starting empties the account.

    All emulators of one process are doors to the same account, because moto keeps its state in module globals; for
    two accounts, run `iamcreds emulator` twice.

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
        account.reset(self._settings)
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


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port), backlog=BACKLOG)
    except OSError as error:
        # Python's own text repeats the address.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"cannot listen on {LOOPBACK}:{port}: {reason}") from error
