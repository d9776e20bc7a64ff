"""`iamcreds list`: existing credentials and access keys, from IAM's list operations."""

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
"""Maximum number of items of a page, as in AWS."""

_MARKER = re.compile("[!-~]+")
_MARKER_WORDS = "a marker from an earlier page"


def _complete_service(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the services that a shell suggests; the option accepts others, too."""
    return [alias for alias in service_aliases() if alias.startswith(incomplete)]


_list_options = combine(
    click.option(
        "--user",
        callback=matching(USER_NAME, USER_NAME_WORDS),
        metavar="NAME",
        help="IAM user of the list.  [default: the calling user]",
    ),
    click.option("--all-users", is_flag=True, help="List all users of the account.  [default: off]"),
    click.option(
        "--marker",
        callback=matching(_MARKER, _MARKER_WORDS),
        metavar="MARKER",
        help="Marker from an earlier page, to continue after it.  [default: the first page]",
    ),
    click.option(
        "--max-items",
        type=click.IntRange(1, MAX_PAGE_SIZE),
        metavar="NUMBER",
        help="Maximum number of items, followed by the marker of the next page.  [default: all items]",
    ),
    format_option,
)
"""The options of both commands."""


@click.group("list")
def command() -> None:
    """List existing credentials and access keys. IAM does not return their secrets.

    The options have the meaning of AWS's ListServiceSpecificCredentials and ListAccessKeys. Dates are in UTC.

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
    help="Short or full name of a service, such as codecommit, keyspaces, bedrock or logs.  [default: all]",
)
@_list_options
def credentials(service: str | None, **options: Any) -> None:  # noqa: ANN401 - the options of both lists
    """List service-specific credentials.

    The list has the credentials of one user (--user), of all users (--all-users) or of the calling user.

    JSON and YAML have the fields "credentials" and "marker". The marker is null unless --max-items omits credentials.
    With tables and CSV, the marker is printed to standard error.

    \b
    Examples:
      iamcreds list credentials --user jane
      iamcreds list credentials --all-users --service bedrock --format csv > bedrock.csv
      iamcreds list credentials --all-users --max-items 100
      iamcreds list credentials --all-users --format json | jq '.credentials[] | select(.status == "Active")'
    """
    window, account = _make_window(options), _open_account()
    with _explain_user(options, account):
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
    """List access keys with their last use.

    The list has the access keys of one user (--user), of all users (--all-users) or of the calling user.

    AWS lists the access keys of one user at a time. With --all-users, the command lists the users and then the keys of
    each user in parallel, so --marker and --max-items apply to users, not keys.

    JSON and YAML have the fields "access_keys" and "marker". The marker is null unless --max-items omits access keys.
    With tables and CSV, the marker is printed to standard error.

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
        with _explain_user(options, account):
            page = account.access_keys.read_page(window, user=options["user"])
    _print_page("access_keys", KEY_COLUMNS, page, options["form"])


def _make_window(options: dict[str, Any]) -> Any:  # noqa: ANN401 - its type is slow to import
    """Return the window of the list for the options."""
    from iamcreds.aws.listing import Window  # noqa: PLC0415 - boto3 is slow to import

    if options["user"] and options["all_users"]:
        raise click.UsageError("--all-users cannot be combined with --user")
    return Window(options["marker"], options["max_items"])


@contextlib.contextmanager
def _explain_user(options: dict[str, Any], account: Account) -> Iterator[None]:
    """Add options to the error for a caller that is not a user, and a name of different case to that for no user."""
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
        raise AccountError(f"{error}. Options: --user NAME, or --all-users") from None


def _open_account() -> Account:
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import

    account = Account()
    account.id()  # fails within seconds if the endpoint does not respond
    return account


def _print_page(name: str, columns: Sequence[str], page: Page[Any], form: str) -> None:
    rows = make_table(page.items, columns)
    print_rows(rows, {name: rows.records(), "marker": page.marker}, form)
    if page.marker is not None and form in {Format.TABLE, Format.CSV}:
        click.echo(f"there are more items: continue with --marker {escape_invisible(page.marker)}", err=True)
