"""`iamcreds drift`: what differs between specs and account."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.commands._comparison import comparison_options, load_specs, read_drift, select
from iamcreds.commands._findings import FOUND, FindingCommand

if TYPE_CHECKING:
    from datetime import timedelta

    from iamcreds.drift.differences import Drift


@click.command("drift", cls=FindingCommand)
@click.argument("specs", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Lines for people, one JSON document, or the body of a GitHub issue.",
)
@comparison_options
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
    from iamcreds.account import Account  # noqa: PLC0415 - boto3 is slow to import

    desired = load_specs(specs, allow_empty=allow_empty)
    drift = read_drift(Account(), desired, expiring_within, select(users, services), exact=exact)
    _print_drift(drift, form)
    if drift.differences:
        raise click.exceptions.Exit(FOUND)


def _print_drift(drift: Drift, form: str) -> None:
    """Print the drift in one of the three forms; coloured at a terminal."""
    match form:
        case "json":
            from iamcreds.report.json_document import format_json  # noqa: PLC0415 - not for --help

            click.echo(format_json(drift))
        case "markdown":
            from iamcreds.report.markdown import format_markdown  # noqa: PLC0415 - same

            click.echo(format_markdown(drift), nl=False)
        case _ if sys.stdout.isatty():
            _print_coloured(drift)
        case _:
            from iamcreds.report.text import format_text  # noqa: PLC0415 - same

            click.echo(format_text(drift))


def _print_coloured(drift: Drift) -> None:
    """The text at a terminal: a heading for each kind, and what matters in colour."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and needed at a terminal only
    from rich.text import Text  # noqa: PLC0415 - same

    from iamcreds.drift.differences import Kind  # noqa: PLC0415 - as above
    from iamcreds.report.summary import TITLES, describe_limits, describe_scope, summarize  # noqa: PLC0415 - as above
    from iamcreds.report.wording import describe  # noqa: PLC0415 - as above

    console = Console(highlight=False)
    colours = {Kind.DRIFT: "red", Kind.UNMANAGED: "magenta", Kind.UNDECLARED: "magenta", Kind.FINDING: "yellow"}
    for kind in Kind:
        found = drift.by_kind(kind)
        if found:
            console.print(Text(f"{TITLES[kind]} ({len(found):,})", style=f"bold {colours[kind]}"))
        for difference in found:
            place = "" if difference.place is None else f"  {difference.place}"
            message = Text(f" {describe(difference).message}  ")
            rest = message + Text(f"[{difference.rule}]{place}", style="dim")
            console.print(Text("  ") + Text(difference.user, style="bold") + rest, soft_wrap=True)
    verdict = Text(summarize(drift), style="bold" if drift.differences else "bold green")
    console.print(verdict + Text(f": {describe_scope(drift)}", style="not bold default"), soft_wrap=True)
    for note in describe_limits(drift):
        console.print(Text(f"note: {note}", style="dim"), soft_wrap=True)
