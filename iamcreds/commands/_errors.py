"""Messages of command line errors, output that cannot be written, and exit code 2 for findings."""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
from pathlib import Path
from typing import Any, TextIO

import click

from iamcreds.text.escaping import escape_lines

FINDINGS = 2
"""The exit code for drift, findings and unknown code."""


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


def _escape_characters(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding lacks with JSON escapes, which are valid in JSON and YAML."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error("iamcreds-escape", _escape_characters)


def escape_unencodable(stream: TextIO | None) -> None:
    """Make a standard stream escape characters that its encoding, such as ASCII, lacks."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="iamcreds-escape")


def describe_os_error(error: OSError) -> str:
    """Describe an unexpected error of the operating system in one line."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the working directory does not exist any more: change to a different one"
    reason = error.strerror or type(error).__name__
    if error.filename is not None:
        return f"{error.filename}: {reason}"
    is_output = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
    return f"cannot write the output: {reason}" if is_output else reason


def discard_output(stream: TextIO | None) -> None:
    """Discard output that cannot be written. Otherwise, Python tries again at exit and prints a traceback."""
    if isinstance(stream, io.TextIOWrapper):
        try:
            stream.flush()
        except OSError:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


class FindingCommand(click.Command):
    """A command with exit code 2 for findings, and 1 instead of click's 2 for usage errors."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401 - as click has it
        """Parse the options."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            escape_error(error).show()
            raise click.exceptions.Exit(1) from None
