"""`iamcreds query`: questions in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.commands._rows import format_option, print_rows
from iamcreds.commands._terminal import progress_bars
from iamcreds.query.schema import list_desired_rows, list_user_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.aws import Account
    from iamcreds.model import Desired
    from iamcreds.progress import Progress


@click.command("query")
@click.argument("statement", metavar="SQL")
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    help="A spec file or folder: what table `desired` holds. The account must be the one that the specs are for.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    default=10,
    show_default=True,
    help="After how long the statement is given up; reading the account does not count.",
)
@format_option
def command(statement: str, specs: Path | None, timeout: float, form: str) -> None:
    """Answer SQL, one SELECT, over what is live and what is desired.

    The statement runs in an SQLite database in memory. It cannot change anything, and only the tables that it names
    are read from the account: `access_keys` costs some calls for every user, the others one call for a thousand rows,
    and `desired` none at all.

    \b
    Tables and columns:
      service_specific_credentials
          user, service (the full name), id, status (Active, Inactive, Expired),
          created, expires, family (password, api-key), login,
          service_short_name (such as bedrock)
      access_keys
          user, id, status, created, last_used, service, region
          (the last three are of the last use; NULL of a key that never was used)
      users
          user, created
      desired (needs --specs)
          user, service, name, status, reset, protect, max_keys, max_key_age_days,
          max_key_idle_days, file, line (where it is declared), resource, adopt,
          service_short_name
          (a user declared without credentials has one row whose service is '')

    Text compares by case, and a service's full name is not equal to its short name: a statement that compares one with
    the other gets a warning.

    Dates are UTC, written as SQLite's own functions write them: 2026-11-01 09:30:00. The answer has at most 100,000
    rows; more is an error, never an answer cut short.

    \b
    Examples:
      Users with active access keys older than 90 days:
        iamcreds query "SELECT user, id, created FROM access_keys
          WHERE status = 'Active' AND created < datetime('now', '-90 days')"
      Credentials of users whom nobody declared:
        iamcreds query --specs specs "SELECT user, service, id, status
          FROM service_specific_credentials
          WHERE user NOT IN (SELECT user FROM desired)"
      Two live credentials for one service:
        iamcreds query "SELECT user, service, count(*) AS live
          FROM service_specific_credentials
          GROUP BY user, service HAVING live > 1"
      Declared and not there:
        iamcreds query --specs specs "SELECT user, service, file, line FROM desired
          LEFT JOIN service_specific_credentials AS live USING (user, service)
          WHERE service <> '' AND live.id IS NULL"
      Active Bedrock API keys:
        iamcreds query "SELECT user, id, created FROM service_specific_credentials
          WHERE service_short_name = 'bedrock' AND status = 'Active'"
      API keys that end within a month, as CSV:
        iamcreds query --format csv "SELECT user, service, expires
          FROM service_specific_credentials
          WHERE expires < datetime('now', '+1 month')"
    """
    from iamcreds.query.statement import find_tables, run_statement  # noqa: PLC0415 - SQLite is slow to import
    from iamcreds.specs import load  # noqa: PLC0415 - as are YAML and JSON Schema

    tables = find_tables(statement)
    if "desired" in tables and specs is None:
        raise click.UsageError("the statement reads table desired, which only specs can fill: add --specs PATH")
    desired = None if specs is None else load(specs)
    with progress_bars() as progress:
        rows = dict(_read_tables(sorted(tables), desired, progress))
    answer = run_statement(statement, rows, timeout, lambda text: click.echo(f"warning: {text}", err=True))
    print_rows(answer, answer.records(), form)


def _read_tables(
    tables: Iterable[str], desired: Desired | None, progress: Progress
) -> Iterator[tuple[str, Iterable[object]]]:
    """What each of the tables holds; AWS is not spoken to where none of them is about the account."""
    if desired is not None:
        yield "desired", list_desired_rows(desired)
    live = [table for table in tables if table != "desired"]
    if live:
        from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import

        account = Account()
        account.require_account(None if desired is None else desired.account, "the specs are for")
        yield from _read_live_tables(account, live, progress)


def _read_live_tables(
    account: Account, tables: Iterable[str], progress: Progress
) -> Iterator[tuple[str, Iterable[object]]]:
    for table in tables:
        match table:
            case "users":
                yield table, list_user_rows(account.users.all())
            case "access_keys":
                keys_by_user = account.access_keys.of_users((user.name for user in account.users.all()), progress)
                yield table, [key for keys in keys_by_user.values() if keys is not None for key in keys]
            case _:
                account.inventory.reread([], progress)  # whatever the bulk read could not tell is read user by user
                yield table, account.inventory.all()
