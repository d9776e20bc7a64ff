"""`iamcreds state`: what is to be known of a stack's state before anything runs on it."""

from __future__ import annotations

from typing import IO

import click

from iamcreds.commands._findings import FOUND, FindingCommand
from iamcreds.errors import StateError
from iamcreds.text.escaping import escape_invisible, shorten
from iamcreds.text.formatting import format_count


@click.group("state")
def command() -> None:
    """Look into a stack's state, as text: nothing in it is decrypted, loaded or run.

    \b
    Examples:
      pulumi stack export | iamcreds state check -
    """


@command.command("check", cls=FindingCommand)
@click.argument("file", type=click.File("rb"))
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="NAME",
    help="A plugin that your own program needs beside the specs, such as aws; may be repeated.",
)
def check(file: IO[bytes], plugins: tuple[str, ...]) -> None:
    """Tell what code of others the next run would load from a state.

    FILE is what `pulumi stack export` prints, or a state as its backend keeps it, or - for standard input. Pulumi loads
    the provider of a dynamic resource from the state, before anything of iamcreds runs: whoever may write a state
    can run code. So this goes before a preview. Needs neither passphrase nor AWS.

    Exits 0 where everything is of iamcreds, 2 where something is not, 1 where something went wrong.

    \b
    Examples:
      pulumi stack export | iamcreds state check -
      pulumi stack export | iamcreds state check - --plugin aws     (a program of your own, with pulumi-aws)
    """
    from iamcreds.state.providers import check_state  # noqa: PLC0415 - not for --help

    checked = check_state(_read_text(file), plugins)
    for code in checked.foreign:
        click.echo(f"foreign: {_show(code.urn) or '(beside the resources)'}: {_show(code.reason)}")
    if checked.foreign:
        click.echo("Do not run anything on this state before you know who wrote it.", err=True)
        raise click.exceptions.Exit(FOUND)
    click.echo(f"{format_count(checked.resources, 'resource')}, and no code but that of iamcreds")


def _read_text(file: IO[bytes]) -> str:
    from iamcreds.state.providers import MAX_BYTES  # noqa: PLC0415 - as above

    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise StateError(f"the state is longer than {MAX_BYTES >> 20} MiB, and was not read")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise StateError("this is not what `pulumi stack export` prints: it is no UTF-8 text") from None


def _show(text: str) -> str:
    return shorten(escape_invisible(text))
