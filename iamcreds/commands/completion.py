"""`iamcreds completion`: what makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes SHELL (bash, zsh or fish) complete commands, options and their values.

    It completes the command `iamcreds` as it is found on PATH. bash must be 4.4 or newer.

    \b
    Examples:
      Once, in a line of ~/.bashrc:
        eval "$(iamcreds completion bash)"
      Once, in a line of ~/.zshrc, below compinit:
        eval "$(iamcreds completion zsh)"
      Once, as a file for fish:
        iamcreds completion fish > ~/.config/fish/completions/iamcreds.fish
    """
    script = get_completion_class(shell)
    if script is None:  # a shell that this version of click does not know
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(script(ctx.find_root().command, {}, "iamcreds", "_IAMCREDS_COMPLETE").source())
