"""`iamcreds report`: an HTML report on specs and account, and notifications."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Unpack

import click

from iamcreds.commands import _comparison as comparison
from iamcreds.commands._options import load_specs, select
from iamcreds.commands._state_file import plugin_option, read_recorded
from iamcreds.files import check_target, write_private
from iamcreds.text.escaping import escape_invisible


@click.command("report", cls=comparison.Command)
@click.argument("specs", type=click.Path(path_type=Path))
@click.option(
    "--html",
    "file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File for the report, with mode 0600. An existing file is replaced, a symbolic link is rejected.",
)
@comparison.state_option
@plugin_option
@comparison.options
def command(
    specs: Path,
    *,
    file: Path,
    state: IO[bytes] | None,
    plugins: tuple[str, ...],
    **options: Unpack[comparison.Options],
) -> None:
    """Compare SPECS, a file or a folder, with the account, and write an HTML report.

    The report lists existing credentials, the events of the next 12 months, access keys, and the differences and waived
    findings that `iamcreds drift` reports. It is one file that needs no network. It contains no secrets, but shows the
    access of each user, so treat it as confidential. With --state it compares every id, as `iamcreds drift` does, and
    ages count from the last reset.

    If there are differences, --notify sends the summary and the first differences by mail, to Slack or to another
    service that apprise supports. Addresses contain secrets, and other processes can see arguments, so prefer
    IAMCREDS_NOTIFY_URLS. Separate several addresses with spaces.

    Exit codes: 0 without differences; 2 if there are differences; 1 after an error, including usage errors.
    The report exists even if sending the notification fails.

    \b
    Examples:
      iamcreds report specs --html report.html
      iamcreds report specs --html report.html --expiring-within 8w --exact
      iamcreds report specs --html jane.html --user jane
      pulumi stack export | iamcreds report specs --html report.html --state -
      iamcreds report specs --html report.html --notify 'mailto://smtp.example.com?from=iam@example.com&to=me@example.com'
    """
    from iamcreds.report.html import render  # noqa: PLC0415 - Jinja is slow to import
    from iamcreds.report.sending import check_addresses  # noqa: PLC0415 - not needed for the help
    from iamcreds.report.summary import summarize  # noqa: PLC0415 - drift takes 30 ms to import

    desired = load_specs(specs, allow_empty=options["allow_empty"])
    selection = select(options["users"], options["services"], ignore_undeclared=options["ignore_undeclared"])
    check_target(file)
    check_addresses(options["urls"])
    recorded = None if state is None else read_recorded(state, plugins)
    drift = comparison.read_drift(desired, selection, options, options["expiring_within"], recorded)
    write_private(file, render(drift, desired, options["expiring_within"], selection))
    click.echo(f"wrote {escape_invisible(str(file))}: {escape_invisible(summarize(drift))}")
    comparison.finish(drift, options["urls"], str(file.resolve()))
