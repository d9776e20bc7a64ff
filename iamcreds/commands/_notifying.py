"""What `drift` and `report` share: the option --notify, whose addresses hold secrets."""

from __future__ import annotations

import click

from iamcreds.commands._findings import FindingCommand

notify_option = click.option(
    "--notify",
    "urls",
    multiple=True,
    metavar="URL",
    envvar="IAMCREDS_NOTIFY_URLS",
    show_envvar=True,
    help="Where something differs, send the summary there; may be repeated.",
)


class NotifyingCommand(FindingCommand):
    """A command whose complaints about words it does not know show no address of --notify."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            from iamcreds.report.message import hide_addresses  # noqa: PLC0415 - not for --help

            raise click.UsageError(hide_addresses(error.format_message()), ctx) from None
