"""The embedded IAM as a process: until Ctrl-C."""

from __future__ import annotations

import signal
import threading

import click

from iamcreds.emulator.account import ACCOUNT
from iamcreds.emulator.faults.settings import Settings
from iamcreds.emulator.server import Emulator


def serve(port: int, latency: float = 0, rate: float | None = None) -> None:
    """Serve until SIGINT or SIGTERM; says in one line where, once it answers.

    Args:
        port: where on 127.0.0.1 to listen; 0 is any free port.
        latency: seconds that every call takes longer.
        rate: calls per second of each operation before IAM answers Throttling; None never does.

    Raises:
        click.ClickException: the port is taken.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        emulator = Emulator(port, Settings(latency=latency, rate=rate)).start()
    except OSError as error:
        raise click.ClickException(f"{error.strerror}; --port 0 takes one that is free") from error
    click.echo(
        f"embedded IAM on {emulator.url} (account {ACCOUNT}); use it by: export AWS_ENDPOINT_URL={emulator.url};"
        " stop with Ctrl-C",
    )
    stop.wait()
    emulator.stop()
