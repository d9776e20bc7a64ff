"""`iamcreds state`: what is to be known of a stack's state before anything runs on it."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from iamcreds.commands._errors import FindingCommand
from iamcreds.commands._state_file import plugin_option, read_settings, read_text, refuse_foreign_code
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
@plugin_option
@click.option(
    "--settings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The stack's settings file, such as Pulumi.prod.yaml, whose secrets provider the state must have.",
)
def check(file: IO[bytes], plugins: tuple[str, ...], settings: Path | None) -> None:
    """Tell what code of others the next run would load from a state.

    FILE is what `pulumi stack export` prints, or a state as its backend keeps it (`.json` or `.json.gz`), or - for
    standard input. Pulumi loads
    the provider of a dynamic resource from the state, before anything of iamcreds runs: whoever may write a state
    can run code. So this goes before a preview. Needs neither passphrase nor AWS.

    A state also names the key that encrypts its secrets. --settings compares it with the stack's settings file; without
    the file, a key behind an endpoint of its own is rejected.

    Exits 0 where everything is of iamcreds, 2 where something is not, 1 where something went wrong
    or an option is unknown.

    \b
    Examples:
      pulumi stack export | iamcreds state check -
      pulumi stack export | iamcreds state check - --settings Pulumi.prod.yaml
      pulumi stack export | iamcreds state check - --plugin aws    # a program of your own, with pulumi-aws
    """
    from iamcreds.state.providers import check_state  # noqa: PLC0415 - YAML is slow to import

    expected = None if settings is None else read_settings(settings)
    checked = check_state(read_text(file), plugins, expected)
    refuse_foreign_code(checked)
    click.echo(f"{format_count(checked.resources, 'resource')}, and no code but that of iamcreds")
