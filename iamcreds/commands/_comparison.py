"""What `drift` and `report` share: the options of a comparison, and making it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from iamcreds.services import service_name
from iamcreds.text.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from iamcreds.aws import Account
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import Desired, RecordedCredential

_Function = TypeVar("_Function", bound="Callable[..., Any]")


class Duration(click.ParamType[timedelta]):
    """A time as the specs have it: `12h`, `90d`, `2w`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401 - as click has it
        """The time that is meant."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_OPTIONS = (
    click.option("--user", "users", multiple=True, metavar="NAME", help="Only this user; may be repeated."),
    click.option("--service", "services", multiple=True, metavar="SERVICE", help="Only this service; may be repeated."),
    click.option(
        "--expiring-within",
        type=Duration(),
        default="14d",
        show_default=True,
        metavar="TIME",
        help="Tell of credentials that expire so soon: 12h, 14d, 2w.",
    ),
    click.option("--ignore-undeclared", is_flag=True, help="Leave out users whom no spec declares."),
    click.option("--exact", is_flag=True, help="Read the access keys of every watched user, not just of suspects."),
    click.option("--allow-empty", is_flag=True, help="Specs without a single user are meant."),
)


def comparison_options(function: _Function) -> _Function:
    """Give a command the options of a comparison."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def load_specs(specs: Path, *, allow_empty: bool) -> Desired:
    """What the specs say; warnings go to standard error.

    Raises:
        SpecsError: with every problem.
    """
    from iamcreds.specs import load  # noqa: PLC0415 - YAML and JSON Schema are slow to import

    desired = load(specs, allow_empty=allow_empty)
    for warning in desired.warnings:
        click.echo(str(warning), err=True)
    return desired


def select(users: tuple[str, ...], services: tuple[str, ...], *, ignore_undeclared: bool = False) -> Selection:
    """What --user, --service and --ignore-undeclared ask for; a service may be given by alias."""
    from iamcreds.drift.selection import Selection  # noqa: PLC0415 - not for --help

    return Selection(frozenset(users), frozenset(map(service_name, services)), has_undeclared=not ignore_undeclared)


def read_drift(  # noqa: PLR0913 - as many as the comparison has sides
    account: Account,
    desired: Desired,
    soon: timedelta,
    selection: Selection,
    *,
    recorded: Sequence[RecordedCredential] | None = None,
    exact: bool,
) -> Drift:
    """Read the account and compare, with what the stack's state has where that is known; with progress at a terminal.

    Raises:
        NothingSelectedError: a user or service is neither desired nor live.
        AccountError
    """
    from iamcreds.commands._progress import progress_bars  # noqa: PLC0415 - slow to import
    from iamcreds.drift.detection import detect_drift  # noqa: PLC0415 - same

    with progress_bars() as progress:
        return detect_drift(
            account,
            desired,
            datetime.now(UTC),
            soon,
            selection,
            recorded=recorded,
            exact=exact,
            progress=progress,
        )
