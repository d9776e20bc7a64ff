"""Errors of the command line, whose messages quote arguments."""

from __future__ import annotations

import click

from iamcreds.text.escaping import escape_lines


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
