"""`iamcreds drift`: what differs between specs and account."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Unpack

import click

from iamcreds.commands import _comparison as comparison
from iamcreds.commands._options import load_specs, select
from iamcreds.commands._state_file import plugin_option, read_text, refuse_foreign_code
from iamcreds.commands._terminal import is_coloured
from iamcreds.model import Place
from iamcreds.state.export import read_export

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift
    from iamcreds.model import StackExport


@click.command("drift", cls=comparison.Command)
@click.argument("specs", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "sarif"]),
    default="text",
    show_default=True,
    help="Lines for people, one JSON document, the body of a GitHub issue, or SARIF for code scanning.",
)
@click.option(
    "--state",
    type=click.File("rb"),
    metavar="FILE",
    help="What `pulumi stack export` prints (- for standard input): then every difference is about one id.",
)
@plugin_option
@comparison.options
def command(
    specs: Path,
    *,
    form: str,
    state: IO[bytes] | None,
    plugins: tuple[str, ...],
    **options: Unpack[comparison.Options],
) -> None:
    """Compare SPECS, a file or a folder, with the account, and tell what differs.

    Needs neither state nor passphrase, and permissions to read only. What the stack's state alone knows (whether a
    reset was carried out, which live id is which declared credential) is told with --state, and without it the last
    lines say what was not checked. A state needs no passphrase either: its secrets stay ciphertext. One that holds code
    of others ends the command, as `iamcreds state check` would; --plugin is the same as there.

    Below each difference stands what to do next. --notify sends the summary and the first of them by mail, to Slack or
    to another service that apprise knows; prefer IAMCREDS_NOTIFY_URLS, for other processes can see arguments.

    Access keys are judged by IAM's credential report, and read one by one of those users only who may break their
    policy by it; --exact reads those of every user who has a policy.

    Exits 0 where nothing differs, 2 where something does or there are findings, 1 where something went wrong
    or an option is unknown.

    \b
    Examples:
      iamcreds drift specs
      iamcreds drift specs --user jane --service codecommit
      iamcreds drift specs --format markdown > issue.md
      iamcreds drift specs --format sarif > drift.sarif
      iamcreds drift specs --exact --expiring-within 4w
      iamcreds drift specs --ignore-undeclared
      pulumi stack export | iamcreds drift specs --state -
    """
    from iamcreds.report.message import check_addresses  # noqa: PLC0415 - drift takes 30 ms to import

    desired = load_specs(specs, allow_empty=options["allow_empty"])
    selection = select(options["users"], options["services"], ignore_undeclared=options["ignore_undeclared"])
    check_addresses(options["urls"])
    recorded = None if state is None else _read_recorded(state, plugins)
    drift = comparison.read_drift(desired, selection, options, recorded)
    _print_drift(drift, form, desired.files[0] if desired.files else str(specs))
    comparison.finish(drift, options["urls"])


def _read_recorded(state: IO[bytes], plugins: tuple[str, ...]) -> StackExport:
    """Return an exported state; if it has foreign code, print a report and end the command.

    Raises:
        StateError: it is no state.
    """
    from iamcreds.state.providers import check_state  # noqa: PLC0415 - YAML is slow to import

    text = read_text(state)
    refuse_foreign_code(check_state(text, plugins))
    return read_export(text)


def _print_drift(drift: Drift, form: str, file: str) -> None:
    """Print the drift in one of the forms, coloured at a terminal; `file` is where to show what no file speaks of."""
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

            click.echo(format_drift(drift, Place(file, 1, 1), find_checkout()))
        case _ if is_coloured():
            from iamcreds.report.terminal import print_coloured  # noqa: PLC0415 - rich is slow to import

            print_coloured(drift)
        case _:
            from iamcreds.report.text import format_text  # noqa: PLC0415 - drift takes 30 ms to import

            click.echo(format_text(drift))
