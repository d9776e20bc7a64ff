"""The `iamcreds` command: one module in `iamcreds.commands` for each of its commands, loaded when it is used."""

from __future__ import annotations

import atexit
import contextlib
import gc
import sys
from importlib import import_module
from typing import Any

import click

from iamcreds.commands._errors import describe_os_error, discard_output, escape_error, escape_unencodable
from iamcreds.errors import IamcredsError, SpecsError, format_traceback, is_debugging
from iamcreds.text.escaping import escape_lines

SUMMARIES = {
    "completion": "Print the script that makes a shell complete commands.",
    "drift": "Tell what differs between specs and the account.",
    "dump": "Write specs for what is live.",
    "emulator": "Serve the embedded IAM on 127.0.0.1.",
    "init": "Write the files that a project of your own begins with.",
    "list": "List what is live in the account.",
    "permissions": "Print the IAM policy that a run needs.",
    "plan": "Turn a preview into a comment, and refuse too many removals.",
    "query": "Answer SQL over what is live and what is desired.",
    "report": "Write an HTML page about specs and account, and tell people.",
    "secret": "Print the login and password of one credential.",
    "skeleton": "Print a spec to start from.",
    "state": "Look for foreign code in a stack's state.",
    "validate": "Tell everything that is wrong with specs.",
}
"""What there is, so that listing the commands loads none of them."""


PURPOSES = (
    ("iamcreds init DIR", "Begin a project of your own."),
    ("iamcreds dump --to specs", "Have specs of what is live, to take it over."),
    ("iamcreds validate specs", "Know what is wrong with specs."),
    ("iamcreds drift specs", "See what differs between specs and the account."),
    ("iamcreds secret NAME", "Get one password, for Git and others too."),
)
"""What people come for, in the order in which they do."""


class Commands(click.Group):
    """Commands that are loaded when used, and that end in a sentence where something of ours goes wrong."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Every command's name."""
        return sorted(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, its module `iamcreds.commands.NAME`."""
        if cmd_name not in SUMMARIES:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module(f"iamcreds.commands.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the words begin with; one that is not known is answered by the nearest that is."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=SUMMARIES, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click calls it
        """What people come for, and the list of commands in the help."""
        with formatter.section("What people come for"):
            formatter.write_dl(PURPOSES)
        with formatter.section("Commands"):
            formatter.write_dl(sorted(SUMMARIES.items()))

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401 - as click has it
        """Parse the options before the command."""
        try:
            return super().make_context(*args, **kwargs)
        except click.ClickException as error:
            raise escape_error(error) from None

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as click has it
        """Run the command line, whatever the streams, the disk and the working directory are like."""
        escape_unencodable(sys.stdout)
        escape_unencodable(sys.stderr)
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if is_debugging():
                click.echo(format_traceback(error), err=True)
            with contextlib.suppress(OSError):
                click.echo(f"Error: {escape_lines(describe_os_error(error))}", err=True)
            sys.exit(1)
        finally:
            discard_output(sys.stdout)
            discard_output(sys.stderr)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except IamcredsError as error:
            if is_debugging():
                click.echo(format_traceback(error), err=True)
            what = "the specs have problems:\n" if isinstance(error, SpecsError) else ""
            raise click.ClickException(f"{what}{escape_lines(str(error))}") from None
        except click.ClickException as error:
            raise escape_error(error) from None


@click.group(cls=Commands)
@click.version_option(package_name="iamcreds", prog_name="iamcreds")
def main() -> None:
    """IAM service-specific credentials as code.

    Specs say which credentials each IAM user should have; `pulumi up` makes it so. These commands check specs, look
    into the account and show what differs. They never change anything in AWS.
    """
    atexit.register(gc.freeze)  # or Python, when it ends, looks for garbage among all that was imported
