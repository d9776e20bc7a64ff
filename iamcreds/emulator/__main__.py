"""`python -m iamcreds.emulator --port 4599`: the embedded IAM until Ctrl-C."""

from __future__ import annotations

import signal
import threading

import click

from iamcreds.emulator.controls import LONGEST_LATENCY, Settings
from iamcreds.emulator.responses import ACCOUNT
from iamcreds.emulator.server import Emulator

DEFAULT_PORT = 4599


def serve(port: int = DEFAULT_PORT, latency: float = 0, rate: float | None = None) -> None:
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
        raise click.ClickException(str(error.strerror)) from error
    click.echo(
        f"embedded IAM on {emulator.url} (account {ACCOUNT}); use it by: export AWS_ENDPOINT_URL={emulator.url};"
        " stop with Ctrl-C",
    )
    stop.wait()
    emulator.stop()


@click.command()
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="On 127.0.0.1; 0: any."
)
@click.option("--latency", default=0.0, type=click.FloatRange(0, LONGEST_LATENCY), help="Seconds added to every call.")
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Calls per second and operation; more: Throttling."
)
def main(port: int, latency: float, rate: float | None) -> None:
    """Serve the embedded IAM on 127.0.0.1: an account to try things on; nothing of it outlives the process."""
    serve(port, latency, rate)


if __name__ == "__main__":
    main()
