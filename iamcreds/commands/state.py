"""`iamcreds state`: checks of a stack's state before a run."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import click

from iamcreds.commands._errors import FindingCommand
from iamcreds.commands._state_file import plugin_option, read_settings, read_text, reject_unknown_code
from iamcreds.text.formatting import format_count


@click.group("state")
def command() -> None:
    """Check a stack's state as text, without decrypting, loading or running any part of it.

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
    help="Settings file with the expected secrets provider, such as Pulumi.prod.yaml.  [default: none]",
)
def check(file: IO[bytes], plugins: tuple[str, ...], settings: Path | None) -> None:
    """Report unknown code in a state, which the next run would load.

    FILE is the output of `pulumi stack export`, the file of a backend (`.json` or `.json.gz`), or - for standard input.
    Pulumi loads the provider of a dynamic resource from the state before iamcreds starts, so write access to a state
    allows code execution. Run this command before a preview. It needs neither a passphrase nor AWS.

    A state also names the key that encrypts its secrets. --settings compares it with the stack's settings file. Without
    the file, a key is rejected if its URL may name an endpoint.

    Exit codes: 0 without unknown code; 2 with unknown code; 1 after an error, including usage errors.

    \b
    Examples:
      pulumi stack export | iamcreds state check -
      pulumi stack export | iamcreds state check - --settings Pulumi.prod.yaml
      pulumi stack export | iamcreds state check - --plugin aws    # a program of your own, with pulumi-aws
    """
    from iamcreds.state.providers import check_state  # noqa: PLC0415 - YAML is slow to import

    expected = None if settings is None else read_settings(settings)
    checked = check_state(read_text(file), plugins, expected)
    reject_unknown_code(checked)
    click.echo(f"{format_count(checked.resources, 'resource')}, no unknown code")
