"""`iamcreds drift`: what differs between specs and account."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from iamcreds.model import Drift

_DIFFERS = 2
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = timedelta(days=36_600)


class Duration(click.ParamType[timedelta]):
    """A time as the specs have it: `12h`, `90d`, `2w`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401 - as click has it
        """The time that is meant."""
        written = re.fullmatch(r"([0-9]{1,6})([hdw])", value) if isinstance(value, str) else None
        length = value if written is None else int(written[1]) * _UNITS[written[2]]
        if not isinstance(length, timedelta) or length > _LONGEST:
            self.fail(f"{value!r} is not a time such as 12h, 14d or 2w, of 36600 days at most", param, ctx)
        return length


class DriftCommand(click.Command):
    """A command whose exit code 2 says drift, so that a wrong option must not: it ends with 1, as all errors do."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401 - as click has it
        """Parse the options."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            error.show()
            raise click.exceptions.Exit(1) from None


@click.command("drift", cls=DriftCommand)
@click.argument("specs", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Lines for people, one JSON document, or the body of a GitHub issue.",
)
@click.option("--user", "users", multiple=True, metavar="NAME", help="Only this user; may be repeated.")
@click.option("--service", "services", multiple=True, metavar="SERVICE", help="Only this service; may be repeated.")
@click.option(
    "--expiring-within",
    type=Duration(),
    default="14d",
    show_default=True,
    metavar="TIME",
    help="Tell of credentials that expire so soon: 12h, 14d, 2w.",
)
@click.option("--exact", is_flag=True, help="Read the access keys of every watched user, not just of suspects.")
@click.option("--allow-empty", is_flag=True, help="Specs without a single user are meant.")
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
    from iamcreds.account import Account  # noqa: PLC0415 - boto3, YAML and JSON Schema are slow to import
    from iamcreds.drift import Selection  # noqa: PLC0415 - same
    from iamcreds.inventory import look  # noqa: PLC0415 - same
    from iamcreds.model import service_name  # noqa: PLC0415 - same
    from iamcreds.progress import progress  # noqa: PLC0415 - same
    from iamcreds.specs import load  # noqa: PLC0415 - same

    desired = load(specs, allow_empty=allow_empty)
    for warning in desired.warnings:
        click.echo(f"{warning.place}: warning: {warning.message} [{warning.rule}]", err=True)
    selection = Selection(frozenset(users), frozenset(map(service_name, services)))
    with progress() as tell:
        drift = look(Account(), desired, datetime.now(UTC), expiring_within, selection, exact=exact, tell=tell)
    show(drift, form)
    if drift.findings:
        raise click.exceptions.Exit(_DIFFERS)


def show(drift: Drift, form: str) -> None:
    """Print the drift in one of the three forms; coloured at a terminal."""
    from iamcreds import report  # noqa: PLC0415 - as above

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

    from iamcreds import report  # noqa: PLC0415 - as above
    from iamcreds.model import Kind  # noqa: PLC0415 - as above

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
