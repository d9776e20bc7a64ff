"""`iamcreds emulator`: the embedded IAM until Ctrl-C."""

from __future__ import annotations

import click

from iamcreds.errors import EmulatorMissingError
from iamcreds.text.commands import install_extra


@click.command("emulator")
@click.option("--port", default=4599, show_default=True, type=click.IntRange(0, 65535), help="On 127.0.0.1; 0: any.")
@click.option("--latency", default=0.0, type=click.FloatRange(0, 60), help="Seconds added to every call.")
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), help="Calls per second and operation; more: Throttling."
)
def command(port: int, latency: float, rate: float | None) -> None:
    """Serve the embedded IAM on 127.0.0.1: an account to try things on; nothing of it outlives the process.

    It listens on the loopback interface only, and no AWS tool talks to it unless AWS_ENDPOINT_URL says so.

    \b
    Examples:
      iamcreds emulator
      iamcreds emulator --port 0
      iamcreds emulator --latency 0.05 --rate 5    # a slow and busy IAM
    """
    try:
        from iamcreds.emulator.process import serve  # noqa: PLC0415 - moto is an extra, and slow to import
    except ImportError as error:
        raise EmulatorMissingError(
            f"the IAM emulator needs {error.name}, which is not installed: {install_extra('emulator')}"
        ) from error
    serve(port, latency, rate)
