"""The output format of `list` and `query`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from iamcreds.commands._terminal import find_width, is_coloured
from iamcreds.text.tables import Format, format_document, format_table

if TYPE_CHECKING:
    from iamcreds.text.tables import Document, Table

format_option = click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Format]),
    default=Format.TABLE.value,
    show_default=True,
    help="Output format. In CSV, an apostrophe precedes text that a spreadsheet would evaluate as a formula.",
)
"""The option --format, as parameter `form`."""


def print_rows(table: Table, structure: Document, form: str) -> None:
    """Print a table, or in JSON and YAML the structure that contains the rows."""
    match Format(form):
        case Format.JSON | Format.YAML as chosen:
            click.echo(format_document(structure, chosen))
        case chosen:
            click.echo(format_table(table, chosen, find_width(), is_coloured=is_coloured()))
