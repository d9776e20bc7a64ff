"""The options, the comparison, the notification and the exit code of `drift` and `report`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict

import click
from click.core import ParameterSource

from iamcreds.commands._errors import FINDINGS, FindingCommand
from iamcreds.commands._options import combine, selection_options
from iamcreds.commands._state_file import StateFile
from iamcreds.commands._terminal import progress_bars
from iamcreds.text.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from iamcreds.desired import Desired
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import StackExport


OWNERS = "owners"
"""The value of --notify for the owners that specs declare."""


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
    type=StateFile("rb"),
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
        help="Address that receives the summary if there are differences, or `owners` (only drift); may be repeated."
        "  [default: none]",
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


def _parse_period(context: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    period = _parse_duration(context, parameter, text)
    if not period:
        raise click.BadParameter("the period must be longer than 0")
    return period


period_option = click.option(
    "--period",
    callback=_parse_period,
    default="24h",
    show_default=True,
    metavar="TIME",
    help="Time between two runs with `--notify owners`: 24h, 7d.",
)
"""The option --period."""


class Command(FindingCommand):
    """A command whose usage errors do not show the address of --notify, because it contains secrets."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options."""
        try:
            rest = super().parse_args(ctx, args)
            _check_owners(ctx)
        except click.UsageError as error:
            from iamcreds.report.sending import hide_addresses  # noqa: PLC0415 - drift takes 30 ms to import

            raise click.UsageError(hide_addresses(error.format_message()), ctx) from None
        return rest


def _check_owners(ctx: click.Context) -> None:
    """Check that the command supports `owners`, and that --period has an effect."""
    has_owners = OWNERS in ctx.params.get("urls", ())
    if has_owners and "period" not in ctx.params:
        raise click.UsageError("only `iamcreds drift` notifies owners: remove `owners` from --notify", ctx)
    is_set = ctx.get_parameter_source("period") not in (None, ParameterSource.DEFAULT)
    if is_set and not has_owners:
        raise click.UsageError("--period needs `--notify owners`", ctx)


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
            from iamcreds.report.message import write_message  # noqa: PLC0415 - drift takes 30 ms to import
            from iamcreds.report.sending import send_message  # noqa: PLC0415 - same

            send_message(urls, *write_message(drift, page))
        raise click.exceptions.Exit(FINDINGS)
