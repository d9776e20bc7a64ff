"""`iamcreds drift`: what differs between specs and account."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.commands._comparison import DIFFERS, ComparingCommand, compare, comparing, load_specs

if TYPE_CHECKING:
    from datetime import timedelta

    from iamcreds.model import Drift


@click.command("drift", cls=ComparingCommand)
@click.argument("specs", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Lines for people, one JSON document, or the body of a GitHub issue.",
)
@comparing
def command(  # noqa: PLR0913 - one for each option
    specs: Path,
    *,
    form: str,
    users: tuple[str, ...],
    services: tuple[str, ...],
    expiring_within: timedelta,
    exact: bool,
    allow_empty: bool,
) -> None:
    """Compare SPECS, a file or a folder, with the account, and tell what differs.

    Needs neither state nor passphrase, and permissions to read only. What the stack's state alone knows (whether a
    reset was carried out, which live id is which declared credential) is not checked, and the last lines say so.
    Access keys are judged by IAM's credential report, and read one by one of those users only who may break their
    policy by it; --exact reads those of every user who has a policy.

    Exits 0 where nothing differs, 2 where something does or there are findings, 1 where something went wrong.

    \b
    Examples:
      iamcreds drift specs
      iamcreds drift specs --user jane --service codecommit
      iamcreds drift specs --format markdown > issue.md
      iamcreds drift specs --exact --expiring-within 4w
    """
    desired = load_specs(specs, allow_empty=allow_empty)
    drift, _ = compare(desired, users, services, expiring_within, exact=exact)
    show(drift, form)
    if drift.findings:
        raise click.exceptions.Exit(DIFFERS)


def show(drift: Drift, form: str) -> None:
    """Print the drift in one of the three forms; coloured at a terminal."""
    from iamcreds.report import text as report  # noqa: PLC0415 - boto3 and the rest are slow to import

    match form:
        case "json":
            click.echo(report.as_json(drift))
        case "markdown":
            click.echo(report.markdown(drift), nl=False)
        case _ if sys.stdout.isatty():
            _paint(drift)
        case _:
            click.echo(report.text(drift))


def _paint(drift: Drift) -> None:
    """The text at a terminal: a heading for each kind, and what matters in colour."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and needed at a terminal only
    from rich.text import Text  # noqa: PLC0415 - same

    from iamcreds.model import Kind  # noqa: PLC0415 - as above
    from iamcreds.report import text as report  # noqa: PLC0415 - as above

    console = Console(highlight=False)
    colours = {Kind.DRIFT: "red", Kind.UNMANAGED: "magenta", Kind.UNDECLARED: "magenta", Kind.FINDING: "yellow"}
    for kind in Kind:
        found = drift.of(kind)
        if found:
            console.print(Text(f"{report.TITLES[kind]} ({len(found):,})", style=f"bold {colours[kind]}"))
        for one in found:
            place = "" if one.place is None else f"  {one.place}"
            rest = Text(f" {one.message}  ") + Text(f"[{one.rule}]{place}", style="dim")
            console.print(Text("  ") + Text(one.user, style="bold") + rest, soft_wrap=True)
    verdict = Text(report.summary(drift), style="bold" if drift.findings else "bold green")
    console.print(verdict + Text(f": {report.scope(drift)}", style="not bold default"), soft_wrap=True)
    for note in drift.notes:
        console.print(Text(f"note: {note}", style="dim"), soft_wrap=True)
