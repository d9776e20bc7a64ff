"""`iamcreds drift`: the differences between specs and account."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Unpack

import click

from iamcreds.commands import _comparison as comparison
from iamcreds.commands._notices import Owners, find_server
from iamcreds.commands._options import load_specs, select
from iamcreds.commands._state_file import plugin_option
from iamcreds.commands._terminal import is_coloured
from iamcreds.model import SourceLocation

if TYPE_CHECKING:
    from datetime import timedelta

    from iamcreds.drift.comparing import Drift


@click.command("drift", cls=comparison.Command)
@click.argument("specs", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "sarif", "openmetrics"]),
    default="text",
    show_default=True,
    help="Output format: lines, JSON, the body of a GitHub issue, SARIF for code scanning, or metrics for Prometheus.",
)
@comparison.state_option
@plugin_option
@comparison.options
@comparison.period_option
def command(
    specs: Path,
    *,
    form: str,
    state: IO[bytes] | None,
    plugins: tuple[str, ...],
    period: timedelta,
    **options: Unpack[comparison.Options],
) -> None:
    """Compare SPECS, a file or a folder, with the account, and report differences.

    The command needs read permissions only, and neither a state nor a passphrase. With --state it also reports pending
    resets and compares every id; without it, the last lines list the omitted checks. The secrets of a state stay
    encrypted. If the state has unknown code, the command compares nothing. --plugin accepts a plugin of your program.

    Each difference has a next step. Findings that specs waive until a date are listed, but do not count. --notify sends
    the summary and the first differences by mail, to Slack or to another service that apprise supports. Prefer
    IAMCREDS_NOTIFY_URLS, because other processes can see arguments.

    --notify owners sends each `owner` in the specs a mail 30, 14, 7 and 1 days before a date, and once per period from
    the date on. A run sends the notices of its last --period, also if it fails. IAMCREDS_OWNERS_URL is the mail server.

    IAM's credential report shows which users may violate their policy, and the command reads only their access keys.
    --exact reads the access keys of every user with a policy.

    Exit codes: 0 without differences; 2 if there are differences; 1 after an error, including usage errors.

    \b
    Examples:
      iamcreds drift specs
      iamcreds drift specs --user jane --service codecommit
      iamcreds drift specs --format markdown > issue.md
      iamcreds drift specs --format sarif > drift.sarif
      iamcreds drift specs --exact --expiring-within 4w
      iamcreds drift specs --ignore-undeclared
      pulumi stack export | iamcreds drift specs --state -
      pulumi stack export | iamcreds drift specs --state - --notify owners --period 25h
      pulumi stack export | iamcreds drift specs --state - --format openmetrics
    """
    from iamcreds.report.sending import check_addresses  # noqa: PLC0415 - not needed for the help

    server, urls = find_server(options["urls"]), [url for url in options["urls"] if url != comparison.OWNERS]
    check_addresses(urls)
    desired = load_specs(specs, allow_empty=options["allow_empty"])
    selection = select(options["users"], options["services"], ignore_undeclared=options["ignore_undeclared"])
    read_account = partial(comparison.read_drift, desired, selection, options, options["expiring_within"])
    owners = Owners(server, period, desired, selection)
    with owners.failing():
        drift = owners.read(state, plugins, read_account)
        _print_drift(drift, form, desired.files[0] if desired.files else str(specs))
        comparison.finish(drift, urls)


def _print_drift(drift: Drift, form: str, file: str) -> None:
    """Print the drift, at a terminal in colour; `file` is the location of differences that no spec mentions."""
    match form:
        case "json":
            from iamcreds.report.json_document import format_json  # noqa: PLC0415 - drift takes 30 ms to import

            click.echo(format_json(drift))
        case "markdown":
            from iamcreds.report.markdown import format_markdown  # noqa: PLC0415 - same

            click.echo(format_markdown(drift), nl=False)
        case "sarif":
            from iamcreds.commands._checkout import find_checkout  # noqa: PLC0415 - importlib.metadata is slow to import
            from iamcreds.report.sarif.differences import format_drift  # noqa: PLC0415 - same

            click.echo(format_drift(drift, SourceLocation(file, 1, 1), find_checkout()))
        case "openmetrics":
            from iamcreds.report.openmetrics import format_openmetrics  # noqa: PLC0415 - prometheus-client is slow to import

            click.echo(format_openmetrics(drift), nl=False)
        case _ if is_coloured():
            from iamcreds.report.terminal import print_coloured  # noqa: PLC0415 - rich is slow to import

            print_coloured(drift)
        case _:
            from iamcreds.report.text import format_text  # noqa: PLC0415 - drift takes 30 ms to import

            click.echo(format_text(drift))
