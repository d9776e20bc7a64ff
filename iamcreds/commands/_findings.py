"""The exit codes of commands that may find something: 0 nothing, 2 something, 1 an error."""

from __future__ import annotations

from typing import Any

import click

from iamcreds.commands._errors import escape_error

FOUND = 2
"""The exit code that says that something was found: drift, findings, foreign code."""


class FindingCommand(click.Command):
    """A command whose exit code 2 says that something was found: a wrong option, click's own 2, ends with 1."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401 - as click has it
        """Parse the options."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            escape_error(error).show()
            raise click.exceptions.Exit(1) from None
