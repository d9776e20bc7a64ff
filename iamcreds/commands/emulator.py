"""`iamcreds emulator`: the IAM emulator."""

from __future__ import annotations

import click

from iamcreds.errors import EmulatorMissingError
from iamcreds.text.commands import install_extra


@click.command("emulator")
@click.option(
    "--port",
    default=4599,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port on 127.0.0.1; 0 for any free port.",
)
@click.option(
    "--latency",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 60),
    help="Additional seconds for each request.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    help="Maximum requests per second and operation before throttling.  [default: none]",
)
def command(port: int, latency: float, rate: float | None) -> None:
    """Run the IAM emulator on 127.0.0.1, with an account for trials that ends with the process.

    The emulator listens on the loopback interface only. AWS tools use it only if AWS_ENDPOINT_URL is set to its URL.

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
