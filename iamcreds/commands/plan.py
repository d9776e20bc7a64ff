"""`iamcreds plan`: a preview as the comment of a pull request, and a gate before up."""

from __future__ import annotations

import re
from typing import IO

import click

from iamcreds.errors import PreviewError
from iamcreds.plan.changes import Plan, plan
from iamcreds.plan.comment import comment
from iamcreds.plan.gate import gate
from iamcreds.plan.preview import parse

_REFUSED = 3
_MARKER = re.compile(r"[\w./@-]{0,100}", re.ASCII)


@click.command("plan")
@click.argument("preview", type=click.File(encoding="utf-8"))
@click.option("--marker", metavar="NAME", help="Whose comment this is, in its hidden first line.  [default: the stack]")
@click.option("--always", is_flag=True, help="Say so when nothing changes, to edit an earlier comment.")
@click.option(
    "--max-removals",
    metavar="LIMIT",
    help="Refuse to delete, replace, reset or switch off more credentials than this: 30% of the stack's, or 12.",
)
@click.option(
    "--at-least",
    type=click.IntRange(min=0),
    metavar="N",
    help="Let stacks of fewer credentials than this through.  [default: 10 for a share, 0 for a number]",
)
def command(
    preview: IO[str], marker: str | None, *, always: bool, max_removals: str | None, at_least: int | None
) -> None:
    """Print what PREVIEW would change as a Markdown comment for a pull request.

    PREVIEW is what `pulumi preview --json` prints, a file or - for standard input. With `--show-sames` it also tells
    renamed credentials. When nothing changes, nothing is printed. No secret is ever shown.

    Exits 0; 1 where the preview failed or is none; 3 where it is refused by --max-removals.

    \b
    Examples:
      pulumi preview --json --show-sames | iamcreds plan -
      iamcreds plan preview.json --marker prod --always
      iamcreds plan preview.json --max-removals 30% --at-least 10 && pulumi up --yes
    """
    found = plan(parse(_text(preview)))
    name = found.stack if marker is None else marker
    if not _MARKER.fullmatch(name):
        raise click.UsageError(f"{name!r} cannot be a marker: take letters, digits and ./@_-, at most 100")
    refusal = _refusal(found, max_removals, at_least)
    if always or not found.is_empty:
        click.echo(comment(found, name, refusal), nl=False)
    if found.errors:
        raise PreviewError(f"the preview failed: {found.errors[0].splitlines()[0]}")
    if refusal:
        click.echo(f"Refused: {refusal}.", err=True)
        raise click.exceptions.Exit(_REFUSED)


def _text(preview: IO[str]) -> str:
    try:
        return preview.read()
    except UnicodeDecodeError:
        raise PreviewError("this is not what `pulumi preview --json` prints: it is no UTF-8 text") from None


def _refusal(found: Plan, limit: str | None, at_least: int | None) -> str | None:
    """What the gate says, of a preview that came to its end."""
    if limit is None:
        if at_least is not None:
            raise click.UsageError("--at-least says nothing without --max-removals")
        return None
    try:
        asked = gate(limit, at_least)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--max-removals") from None
    return None if found.errors else asked.refusal(found)
