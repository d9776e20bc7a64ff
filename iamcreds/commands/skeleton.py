"""`iamcreds skeleton`: a spec to start from."""

from __future__ import annotations

import re
from importlib import resources

import click

from iamcreds.commands._options import matching

_ADDRESS = re.compile("[!-~]+")
"""The address of a schema is in a comment and must not end it."""


@click.command("skeleton")
@click.option(
    "--schema",
    metavar="PATH|URL",
    default="schema.json",
    show_default=True,
    callback=matching(_ADDRESS, "a path or URL without spaces"),
    help="Where editors find the schema: a path, seen from the spec file, or a URL.",
)
def command(schema: str) -> None:
    """Print a spec to start from: every field with what it means, most of them commented out.

    `iamcreds validate` accepts it as it is. A line that begins with "#" and no space after it is a field: take the "#"
    away to use it.

    \b
    Examples:
      iamcreds skeleton > specs/jane.yaml
      iamcreds skeleton --schema ../schema.json > specs/team/jane.yaml
    """
    text = (resources.files("iamcreds") / "specs" / "skeleton.yaml").read_text("utf-8")
    click.echo(text.replace("$schema=schema.json", f"$schema={schema}", 1), nl=False)
