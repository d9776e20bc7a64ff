"""`iamcreds list`: what is live, as IAM's own list operations have it."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import click

from iamcreds.commands._options import combine, matching
from iamcreds.commands._rows import format_option, print_rows
from iamcreds.commands._terminal import progress_bars
from iamcreds.errors import AccountError, NoSuchUserError
from iamcreds.query.schema import CREDENTIAL_COLUMNS, KEY_COLUMNS
from iamcreds.services import complete_service_name, service_aliases
from iamcreds.text.escaping import escape_invisible
from iamcreds.text.names import SERVICE_NAME, SERVICE_NAME_WORDS, USER_NAME, USER_NAME_WORDS
from iamcreds.text.tables import Format, make_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.aws import Account
    from iamcreds.aws.listing import Page

MAX_PAGE_SIZE = 1000
"""Items of a page at most, as AWS has it."""

_MARKER = re.compile("[!-~]+")
_MARKER_WORDS = "a marker that an earlier page gave"


def _complete_service(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The services that a shell can complete; others are as good."""
    return [alias for alias in service_aliases() if alias.startswith(incomplete)]


_list_options = combine(
    click.option(
        "--user",
        callback=matching(USER_NAME, USER_NAME_WORDS),
        metavar="NAME",
        help="Of this IAM user; left out: of the calling user.",
    ),
    click.option("--all-users", is_flag=True, help="Of all users of the account."),
    click.option(
        "--marker",
        callback=matching(_MARKER, _MARKER_WORDS),
        metavar="MARKER",
        help="Begin where an earlier page ended.",
    ),
    click.option(
        "--max-items",
        type=click.IntRange(1, MAX_PAGE_SIZE),
        metavar="NUMBER",
        help="Only one page of at most so many, and the marker of the next; left out: everything.",
    ),
    format_option,
)
"""The options of both lists."""


@click.group("list")
def command() -> None:
    """List what is live in the account. Passwords and keys are never among it: IAM does not tell them.

    The options mean what they mean in the operations ListServiceSpecificCredentials and ListAccessKeys of AWS. Dates
    are in UTC.

    \b
    Examples:
      iamcreds list credentials --all-users
      iamcreds list access-keys --user jane
    """


@command.command("credentials")
@click.option(
    "--service",
    callback=matching(SERVICE_NAME, SERVICE_NAME_WORDS),
    shell_complete=_complete_service,
    metavar="SERVICE",
    help="Only this service, by its short or full name: codecommit, keyspaces, bedrock, logs, ...",
)
@_list_options
def credentials(service: str | None, **options: Any) -> None:  # noqa: ANN401 - the options of both lists
    """List service-specific credentials.

    Of one user (--user), of all of them (--all-users) or else of the calling user.

    JSON and YAML have the credentials under "credentials" and, under "marker", what to continue with where --max-items
    left something out. Tables and CSV tell the marker on standard error.

    \b
    Examples:
      iamcreds list credentials --user jane
      iamcreds list credentials --all-users --service bedrock --format csv > bedrock.csv
      iamcreds list credentials --all-users --max-items 100
      iamcreds list credentials --all-users --format json | jq '.credentials[] | select(.status == "Active")'
    """
    window, account = _make_window(options), _open_account()
    with _say_whose(options, account):
        page = account.credential_lists.read_page(
            window,
            user=options["user"],
            service=None if service is None else complete_service_name(service),
            all_users=options["all_users"],
        )
    _print_page("credentials", CREDENTIAL_COLUMNS, page, options["form"])


@command.command("access-keys")
@_list_options
def access_keys(**options: Any) -> None:  # noqa: ANN401 - the options of both lists
    """List access keys and when they were last used.

    Of one user (--user), of all of them (--all-users) or else of the calling user.

    AWS lists the access keys of one user at a time. With --all-users the users are listed, and then the keys of each,
    several users at once; --marker and --max-items then go by users: a page has the keys of so many.

    JSON and YAML have the keys under "access_keys" and, under "marker", what to continue with where --max-items left
    something out. Tables and CSV tell the marker on standard error.

    \b
    Examples:
      iamcreds list access-keys
      iamcreds list access-keys --user jane --format yaml
      iamcreds list access-keys --all-users --format csv > keys.csv
      iamcreds list access-keys --all-users --max-items 50
    """
    window, account = _make_window(options), _open_account()
    if options["all_users"]:
        with progress_bars() as progress:
            page = account.access_keys.read_page_of_all(window, progress)
    else:
        with _say_whose(options, account):
            page = account.access_keys.read_page(window, user=options["user"])
    _print_page("access_keys", KEY_COLUMNS, page, options["form"])


def _make_window(options: dict[str, Any]) -> Any:  # noqa: ANN401 - its type is slow to import
    """Make the window of the list that the options ask for."""
    from iamcreds.aws.listing import Window  # noqa: PLC0415 - boto3 is slow to import

    if options["user"] and options["all_users"]:
        raise click.UsageError("--all-users cannot be given together with --user: AWS lists one user or all of them")
    return Window(options["marker"], options["max_items"])


@contextlib.contextmanager
def _say_whose(options: dict[str, Any], account: Account) -> Iterator[None]:
    """Name the options if AWS cannot list the caller's, who may be a role; or the user who differs by case only."""
    try:
        yield
    except NoSuchUserError:
        existing = account.users.find_case_variant(options["user"] or "")
        if existing is None:
            raise
        raise NoSuchUserError(f"the account has no IAM user {options['user']}: IAM has {existing}") from None
    except AccountError as error:
        if options["user"] or options["all_users"] or type(error) is not AccountError:
            raise
        raise AccountError(f"{error}: say whose by --user NAME or --all-users") from None


def _open_account() -> Account:
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import

    account = Account()
    account.id()  # the one call that gives up within seconds where nobody answers
    return account


def _print_page(name: str, columns: Sequence[str], page: Page[Any], form: str) -> None:
    rows = make_table(page.items, columns)
    print_rows(rows, {name: rows.records(), "marker": page.marker}, form)
    if page.marker is not None and form in {Format.TABLE, Format.CSV}:
        click.echo(f"there is more: continue with --marker {escape_invisible(page.marker)}", err=True)
