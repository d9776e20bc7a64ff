"""`iamcreds skeleton`: a spec to start from."""

from __future__ import annotations

import re
from importlib import resources

import click


def _check_address(_: click.Context, __: click.Parameter, value: str) -> str:
    """The address of a schema, which stands in a comment and must not end it."""
    if not re.fullmatch("[!-~]+", value):
        raise click.BadParameter(f"{value!r} is not a path or URL without spaces")
    return value


@click.command("skeleton")
@click.option(
    "--schema",
    metavar="PATH|URL",
    default="schema.json",
    show_default=True,
    callback=_check_address,
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
