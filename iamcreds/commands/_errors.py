"""Errors of the command line, whose messages quote arguments, and exit code 2 of commands that find something."""

from __future__ import annotations

from typing import Any

import click

from iamcreds.text.escaping import escape_lines

FOUND = 2
"""The exit code for drift, findings and foreign code."""


def escape_error(error: click.ClickException) -> click.ClickException:
    """Return the error or, if its message has unprintable characters or a CI command, one with an escaped message.

    Click quotes arguments, such as names of files, and prints some of them as they are.
    """
    message = error.format_message()
    escaped = escape_lines(message)
    if escaped == message:
        return error
    if isinstance(error, click.UsageError):
        return click.UsageError(escaped, error.ctx)
    return click.ClickException(escaped)


class FindingCommand(click.Command):
    """A command whose exit code 2 says that something was found: a wrong option, click's own 2, ends with 1."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401 - as click has it
        """Parse the options."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            escape_error(error).show()
            raise click.exceptions.Exit(1) from None
