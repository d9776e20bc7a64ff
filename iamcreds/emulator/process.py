"""The IAM emulator as a process that runs until Ctrl-C."""

from __future__ import annotations

import signal
import threading

import click

from iamcreds.emulator.account import ACCOUNT
from iamcreds.emulator.faults.settings import Settings
from iamcreds.emulator.server import Emulator


def serve(port: int, latency: float = 0, rate: float | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Print one line with the URL when the emulator is ready.

    Args:
        port: port on 127.0.0.1; 0 selects a free port.
        latency: additional seconds for each call.
        rate: calls per second of each operation before IAM returns Throttling; None disables the limit.

    Raises:
        click.ClickException: the port is in use.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        emulator = Emulator(port, Settings(latency=latency, rate=rate)).start()
    except OSError as error:
        raise click.ClickException(f"{error.strerror}; --port 0 selects a free port") from error
    click.echo(
        f"IAM emulator on {emulator.url} (account {ACCOUNT}); to use it, run: export AWS_ENDPOINT_URL={emulator.url};"
        " stop it with Ctrl-C",
    )
    stop.wait()
    emulator.stop()
