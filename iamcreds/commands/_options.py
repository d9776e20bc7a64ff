"""Options and arguments of several commands."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import click

from iamcreds.drift.selection import Selection
from iamcreds.services import complete_service_name

if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from pathlib import Path

    from iamcreds.desired import Desired

_Function = TypeVar("_Function", bound="Callable[..., Any]")


def combine(*options: Callable[[_Function], _Function]) -> Callable[[_Function], _Function]:
    """Return one decorator for these options, which the help shows in this order."""
    return lambda function: functools.reduce(lambda decorated, option: option(decorated), reversed(options), function)


selection_options = combine(
    click.option(
        "--user", "users", multiple=True, metavar="NAME", help="IAM user to include; may be repeated.  [default: all]"
    ),
    click.option(
        "--service",
        "services",
        multiple=True,
        metavar="SERVICE",
        help="Service to include; may be repeated.  [default: all]",
    ),
)


def load_specs(specs: Path, *, allow_empty: bool) -> Desired:
    """Return the desired state that the specs declare; print warnings to standard error.

    Raises:
        SpecsError: the specs have errors.
    """
    from iamcreds.specs import load  # noqa: PLC0415 - YAML and JSON Schema are slow to import

    desired = load(specs, allow_empty=allow_empty)
    for warning in desired.warnings:
        click.echo(str(warning), err=True)
    return desired


def select(users: tuple[str, ...], services: tuple[str, ...], *, ignore_undeclared: bool = False) -> Selection:
    """Return the selection of --user, --service and --ignore-undeclared; a service may be a short name."""
    names = frozenset(map(complete_service_name, services))
    return Selection(frozenset(users), names, has_undeclared=not ignore_undeclared)


def check_text(pattern: re.Pattern[str], words: str, text: str) -> str:
    """Return a text that matches the pattern, which the words describe.

    Raises:
        click.BadParameter: it does not match.
    """
    if not pattern.fullmatch(text):
        raise click.BadParameter(f"{text!r} is not {words}")
    return text


def matching(
    pattern: re.Pattern[str], words: str
) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return the callback of an option whose value, if there is one, must match the pattern."""
    return lambda _context, _parameter, text: None if text is None else check_text(pattern, words, text)
