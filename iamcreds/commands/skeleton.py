"""`iamcreds skeleton`: a spec with all fields."""

from __future__ import annotations

import re
from importlib import resources

import click

from iamcreds.commands._options import matching

_ADDRESS = re.compile("[!-~]+")
"""The address of a schema, which is in a comment and must not end it."""


@click.command("skeleton")
@click.option(
    "--schema",
    metavar="PATH|URL",
    default="schema.json",
    show_default=True,
    callback=matching(_ADDRESS, "a path or URL without spaces"),
    help="Schema for editors: a path relative to the spec file, or a URL.",
)
def command(schema: str) -> None:
    """Print a spec with all fields and their descriptions, most of them commented out.

    The spec is valid without changes. To use a field, remove the "#" that is directly in front of it.

    \b
    Examples:
      iamcreds skeleton > specs/jane.yaml
      iamcreds skeleton --schema ../schema.json > specs/team/jane.yaml
    """
    text = (resources.files("iamcreds") / "specs" / "skeleton.yaml").read_text("utf-8")
    click.echo(text.replace("$schema=schema.json", f"$schema={schema}", 1), nl=False)
