"""The `iamcreds` command line, with a module of `iamcreds.commands` for each command."""

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
    "completion": "Print a script for shell completion.",
    "drift": "Report differences between specs and the account.",
    "dump": "Generate specs from existing credentials.",
    "emulator": "Run the IAM emulator on 127.0.0.1.",
    "init": "Create the files of a new project.",
    "list": "List existing credentials and access keys.",
    "permissions": "Print the least-privilege IAM policy for a run.",
    "plan": "Print a preview as a comment, and limit removals.",
    "query": "Query existing and desired credentials with SQL.",
    "report": "Write an HTML report, and send notifications.",
    "schedule": "Show coming rotations, expiries and violations of policies.",
    "secret": "Print the login and password of one credential.",
    "skeleton": "Print a spec with all fields.",
    "state": "Check a stack's state for unknown code.",
    "validate": "Validate specs and report every problem.",
}
"""The commands with their summaries, so that the list of commands imports none of them."""


PURPOSES = (
    ("iamcreds init DIR", "Create a new project."),
    ("iamcreds dump --to specs", "Generate specs from existing credentials."),
    ("iamcreds validate specs", "Validate specs and report every problem."),
    ("iamcreds drift specs", "Report differences between specs and the account."),
    ("iamcreds secret NAME", "Print the login and password of one credential."),
)
"""Common commands with their purposes, in the usual order of use."""


class Commands(click.Group):
    """A group that imports a command when it is used, and prints errors of iamcreds without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the name of every command."""
        return sorted(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, from its module `iamcreds.commands.NAME`."""
        if cmd_name not in SUMMARIES:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_module(f"iamcreds.commands.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the first command in the arguments; the error for an unknown one suggests a similar one."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=SUMMARIES, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click calls it
        """Write the common commands, and the list of all commands, into the help."""
        with formatter.section("Common commands"):
            formatter.write_dl(PURPOSES)
        with formatter.section("Commands"):
            formatter.write_dl(sorted(SUMMARIES.items()))

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401 - as click has it
        """Parse the options that precede the command."""
        try:
            return super().make_context(*args, **kwargs)
        except click.ClickException as error:
            raise escape_error(error) from None

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as click has it
        """Run the command line; errors of output, disk and working directory end it in one line."""
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
        """Run the command of the command line."""
        try:
            return super().invoke(ctx)
        except IamcredsError as error:
            if is_debugging():
                click.echo(format_traceback(error), err=True)
            heading = "the specs have problems:\n" if isinstance(error, SpecsError) else ""
            raise click.ClickException(f"{heading}{escape_lines(str(error))}") from None
        except click.ClickException as error:
            raise escape_error(error) from None


@click.group(cls=Commands)
@click.version_option(package_name="iamcreds", prog_name="iamcreds")
def main() -> None:
    """IAM service-specific credentials as code.

    Specs declare the credentials of each IAM user, and `pulumi up` applies them. These commands validate specs, read
    the account and report differences. They never change anything in AWS.
    """
    atexit.register(gc.freeze)  # otherwise Python collects garbage among all imported modules at exit
