"""The options, the comparison, the notification and the exit code of `drift` and `report`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict

import click

from iamcreds.commands._errors import FINDINGS, FindingCommand
from iamcreds.commands._options import combine, selection_options
from iamcreds.commands._terminal import progress_bars
from iamcreds.text.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from iamcreds.desired import Desired
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import StackExport


def _parse_duration(_context: click.Context, _parameter: click.Parameter, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


class ReadingOptions(TypedDict):
    """The values of `reading_options`."""

    users: tuple[str, ...]
    services: tuple[str, ...]
    exact: bool
    allow_empty: bool


class Options(ReadingOptions):
    """The values of `options`."""

    urls: tuple[str, ...]
    expiring_within: timedelta
    ignore_undeclared: bool


state_option = click.option(
    "--state",
    type=click.File("rb"),
    metavar="FILE",
    help="Output of `pulumi stack export`, or - for standard input, to compare every id.  [default: none]",
)
"""The option --state."""

_exact = click.option("--exact", is_flag=True, help="Read access keys of every user with a policy.  [default: off]")
_allow_empty = click.option("--allow-empty", is_flag=True, help="Accept specs without users.  [default: off]")

reading_options = combine(selection_options, _exact, _allow_empty)
"""The options of a read of the account."""

options = combine(
    click.option(
        "--notify",
        "urls",
        multiple=True,
        metavar="URL",
        envvar="IAMCREDS_NOTIFY_URLS",
        show_envvar=True,
        help="Address that receives the summary if there are differences; may be repeated.  [default: none]",
    ),
    selection_options,
    click.option(
        "--expiring-within",
        callback=_parse_duration,
        default="14d",
        show_default=True,
        metavar="TIME",
        help="Time before the expiry of a credential in which it is reported: 12h, 14d, 2w.",
    ),
    click.option("--ignore-undeclared", is_flag=True, help="Exclude users that no spec declares.  [default: off]"),
    _exact,
    _allow_empty,
)
"""The options of a comparison."""


class Command(FindingCommand):
    """A command whose usage errors do not show the address of --notify, because it contains secrets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            from iamcreds.report.message import hide_addresses  # noqa: PLC0415 - drift takes 30 ms to import

            raise click.UsageError(hide_addresses(error.format_message()), ctx) from None


def read_drift(
    desired: Desired,
    selection: Selection,
    options: ReadingOptions,
    soon: timedelta | None = None,
    recorded: StackExport | None = None,
) -> Drift:
    """Read the account and compare it with the specs and, if given, an exported state; with progress at a terminal.

    Raises:
        NothingSelectedError: a selected user or service is neither declared nor existing.
        AccountError
    """
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import
    from iamcreds.drift.comparing import SOON  # noqa: PLC0415 - drift takes 30 ms to import
    from iamcreds.drift.detection import detect_drift  # noqa: PLC0415 - drift takes 30 ms to import
    from iamcreds.stores.deliveries import Deliveries  # noqa: PLC0415 - same

    account, now = Account(), datetime.now(UTC)
    with progress_bars() as progress:
        return detect_drift(
            account,
            desired,
            now,
            SOON if soon is None else soon,
            selection,
            recorded=recorded,
            deliveries=Deliveries(account),
            exact=options["exact"],
            progress=progress,
        )


def finish(drift: Drift, urls: Sequence[str], page: str | None = None) -> None:
    """If there are differences, send the notification, with the path of the report if any, and exit with code 2."""
    if drift.differences:
        if urls:
            from iamcreds.report.message import send_message, write_message  # noqa: PLC0415 - drift takes 30 ms to import

            send_message(urls, *write_message(drift, page))
        raise click.exceptions.Exit(FINDINGS)
