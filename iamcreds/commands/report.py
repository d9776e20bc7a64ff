"""`iamcreds report`: one HTML page about specs and account, and word of it to whom it concerns."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from iamcreds.commands import _comparison as comparison
from iamcreds.commands._options import load_specs, select
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
    help="Where to write the page, for your eyes only (mode 0600); a file that is there is replaced, a link refused.",
)
@comparison.options
def command(specs: Path, *, file: Path, **options: Unpack[comparison.Options]) -> None:
    """Compare SPECS, a file or a folder, with the account, and write an HTML page about both.

    The page has every live credential, what expires when, the access keys, and what `iamcreds drift` finds. It is one
    file that needs no network. It holds no secrets, yet tells who has which access: treat it as confidential.

    --notify sends the summary and the first findings by mail, to Slack or to another service that apprise knows, and
    nothing where nothing differs. An address mostly holds a secret: put it into IAMCREDS_NOTIFY_URLS (several with
    spaces between them) rather than into the arguments, which other processes can see.

    Exits 0 where nothing differs, 2 where something does or there are findings, 1 where something went wrong
    or an option is unknown; the page may be written even then, if only the notification failed.

    \b
    Examples:
      iamcreds report specs --html report.html
      iamcreds report specs --html report.html --expiring-within 8w --exact
      iamcreds report specs --html jane.html --user jane
      iamcreds report specs --html report.html --notify 'mailto://smtp.example.com?from=iam@example.com&to=me@example.com'
    """
    from iamcreds.report.html import render  # noqa: PLC0415 - Jinja is slow to import
    from iamcreds.report.message import check_addresses  # noqa: PLC0415 - drift takes 30 ms to import
    from iamcreds.report.summary import summarize  # noqa: PLC0415 - same

    desired = load_specs(specs, allow_empty=options["allow_empty"])
    selection = select(options["users"], options["services"], ignore_undeclared=options["ignore_undeclared"])
    check_target(file)
    check_addresses(options["urls"])
    drift = comparison.read_drift(desired, selection, options)
    write_private(file, render(drift, desired, options["expiring_within"], selection))
    click.echo(f"wrote {escape_invisible(str(file))}: {escape_invisible(summarize(drift))}")
    comparison.finish(drift, options["urls"], str(file.resolve()))
