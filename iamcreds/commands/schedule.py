"""`iamcreds schedule`: the coming events of declared users."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Unpack

import click

from iamcreds.commands import _comparison as comparison
from iamcreds.commands._errors import FindingCommand
from iamcreds.commands._options import load_specs, select
from iamcreds.commands._state_file import plugin_option, read_recorded
from iamcreds.due_dates import add_time
from iamcreds.text.durations import parse_duration

if TYPE_CHECKING:
    from iamcreds.schedule.events import Schedule

MAX_YEARS = 10
"""The maximum length of a schedule: a password that is rotated each hour has 87,600 events in that time."""

_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _parse_end(_context: click.Context, _parameter: click.Parameter, text: str) -> datetime:
    """Return the end of a date such as 2027-03-31 (UTC), or of a duration such as 90d from now."""
    now = datetime.now(UTC)
    try:
        end = (
            datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1, microseconds=-1)
            if _DATE.fullmatch(text)
            else now + parse_duration(text)
        )
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is not a date such as 2027-03-31, or a duration such as 90d") from None
    if not now < end <= add_time(now, timedelta(days=366 * MAX_YEARS)):
        raise click.BadParameter(f"{text!r} must be in the next {MAX_YEARS} years")
    return end


@click.command("schedule", cls=FindingCommand)
@click.argument("specs", type=click.Path(path_type=Path))
@click.option(
    "--until",
    required=True,
    callback=_parse_end,
    metavar="DATE",
    help="Last day of the schedule (UTC), such as 2027-03-31, or a time from now, such as 90d.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "ics", "svg"]),
    default="text",
    show_default=True,
    help="Output format: lines, a JSON document, an iCalendar file, or a timeline as a picture.",
)
@comparison.state_option
@plugin_option
@comparison.reading_options
def command(
    specs: Path,
    *,
    until: datetime,
    form: str,
    state: IO[bytes] | None,
    plugins: tuple[str, ...],
    **options: Unpack[comparison.ReadingOptions],
) -> None:
    """Show the coming events of users in SPECS, a file or a folder: rotations, expiries and violations of policies.

    The functions that plan `pulumi up` compute the dates. Each date assumes that `pulumi up` runs now and at the dates
    before it. The command needs the read permissions of `iamcreds drift`, and changes nothing.

    Dates of rotations and of age limits need --state. Without it, the schedule has expiries, renewals and access keys,
    and notes count the omitted credentials. --plugin accepts a plugin of your program.

    Exit codes: 0; 1 after an error, including usage errors; or 2 if the state has unknown code.

    \b
    Examples:
      iamcreds schedule specs --until 2027-03-31
      iamcreds schedule specs --until 90d --user jane --format json
      pulumi stack export | iamcreds schedule specs --until 180d --state - --format ics > schedule.ics
      pulumi stack export | iamcreds schedule specs --until 1000d --state - --format svg > schedule.svg
    """
    from iamcreds.schedule.events import make_schedule  # noqa: PLC0415 - drift takes 30 ms to import

    desired = load_specs(specs, allow_empty=options["allow_empty"])
    selection = select(options["users"], options["services"])
    recorded = None if state is None else read_recorded(state, plugins)
    drift = comparison.read_drift(desired, selection, options, recorded=recorded)
    _print_schedule(make_schedule(desired, drift, until, selection), form)


def _print_schedule(schedule: Schedule, form: str) -> None:
    match form:
        case "json":
            from iamcreds.report.schedule.json_document import format_json  # noqa: PLC0415 - drift is slow to import

            click.echo(format_json(schedule))
        case "svg":
            from iamcreds.report.schedule.chart import format_svg  # noqa: PLC0415 - Jinja is slow to import

            click.echo(format_svg(schedule))
        case "ics":
            from iamcreds.report.schedule.calendar import format_calendar  # noqa: PLC0415 - icalendar is slow to import

            click.echo(format_calendar(schedule), nl=False)  # bytes, because its line ends are CRLF on every system
        case _:
            from iamcreds.report.schedule.text import format_text  # noqa: PLC0415 - same

            click.echo(format_text(schedule))
