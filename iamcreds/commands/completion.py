"""`iamcreds completion`: scripts for shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands, options and their values in SHELL: bash (4.4 or newer), zsh or fish.

    The script completes the command `iamcreds` that is on PATH.

    \b
    Examples:
      In ~/.bashrc:
        eval "$(iamcreds completion bash)"
      In ~/.zshrc, below compinit:
        eval "$(iamcreds completion zsh)"
      For fish, once:
        iamcreds completion fish > ~/.config/fish/completions/iamcreds.fish
    """
    script = get_completion_class(shell)
    if script is None:  # not in this version of click
        raise click.UsageError(f"this version of click does not support completion in {shell}")
    click.echo(script(ctx.find_root().command, {}, "iamcreds", "_IAMCREDS_COMPLETE").source())
