"""The IAM emulator as an HTTP endpoint on the loopback interface: moto's server behind the fault injection."""

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
    """The IAM emulator, served from a thread of this process until `stop`; `start` empties the account.

    All emulators of one process share an account, because moto keeps its state in module globals. For two accounts,
    run `iamcreds emulator` twice.

    Args:
        port: port on 127.0.0.1; 0 selects a free port.
        settings: the initial settings.

    Raises:
        OSError: on `start`, if the port is in use.
    """

    def __init__(self, port: int = 0, settings: Settings | None = None) -> None:
        self._port = port
        self._settings = settings

    def start(self) -> Self:
        """Listen, and return when the emulator responds to requests."""
        # Bound here because werkzeug prints a message and exits if the port is in use.
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
        """Stop listening. The account stays until an emulator starts in this process."""
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
        """The URL for AWS_ENDPOINT_URL."""
        return f"http://{LOOPBACK}:{self._server.port}"

    @property
    def controls(self) -> Controls:
        """The controls of this emulator, over HTTP as for other processes."""
        return Controls(self.url)


def application() -> Switched:
    """Return the IAM emulator as a WSGI application for a process without a socket."""
    install()
    return Switched(DomainDispatcherApplication(create_backend_app))


class Handler(MotoRequestHandler):
    """A request handler that logs nothing and leaves the Date header to the application."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Start the response without the Date header of this machine."""
        self.send_response_only(code, message)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 as werkzeug has it
        """Discard the line."""


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port), backlog=BACKLOG)
    except OSError as error:
        # Python's own message repeats the address.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"cannot listen on {LOOPBACK}:{port}: {reason}") from error
