"""`iamcreds query`: SQL queries of existing and desired credentials."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from iamcreds.commands._rows import format_option, print_rows
from iamcreds.commands._state_file import plugin_option, read_recorded
from iamcreds.commands._terminal import progress_bars
from iamcreds.errors import StateError
from iamcreds.model import StackExport
from iamcreds.query.schema import list_credential_rows, list_desired_rows, list_user_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.aws import Account
    from iamcreds.desired import Desired
    from iamcreds.model import RecordedCredential
    from iamcreds.progress import Progress


@click.command("query")
@click.argument("statement", metavar="SQL")
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    help="Spec file or folder for the table `desired`. The specs must be for the account in use.  [default: none]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    default=10,
    show_default=True,
    help="Time limit of the statement, without reads of the account.",
)
@click.option(
    "--state",
    type=click.File("rb"),
    metavar="FILE",
    help="Output of `pulumi stack export`, or - (standard input), for columns about the state.  [default: none]",
)
@plugin_option
@format_option
def command(  # noqa: PLR0913 - the options
    *, statement: str, specs: Path | None, timeout: float, state: IO[bytes] | None, plugins: tuple[str, ...], form: str
) -> None:
    """Query existing and desired credentials with SQL, a single SELECT statement.

    The statement runs in an SQLite database in memory and cannot change anything. The command reads only the tables of
    the statement from the account: `access_keys` takes some requests per user, the others one request per 1,000 rows,
    and `desired` none.

    \b
    Tables and columns:
      service_specific_credentials
          user, service (the full name), id, status (Active, Inactive, Expired),
          created, expires, family (password, api-key), login,
          service_short_name (such as bedrock); with --state, otherwise NULL:
          issued_at, delivery_arn, secret_in_state
          (issued_at is the time of the last create or reset of the password,
          delivery_arn its secret in a store; secret_in_state is 1 if the state
          has the password)
      access_keys
          user, id, status, created, last_used, service, region
          (the last three are of the last use; NULL for a key that was never used)
      users
          user, created
      desired (needs --specs)
          user, service, name, status, reset, protect, max_keys, max_key_age_days,
          max_key_idle_days, file, line (source location), resource, adopt,
          expire_after_days, renew_before_hours, rotate_every_hours,
          rotate_overlap_hours, rotate_retire_by_hours,
          rotation_due (needs --state), service_short_name,
          deliver_store (secrets_manager, ssm), deliver_name, deliver_region
          (rotation_due is the time from which pulumi up rotates the credential;
          a user without declared credentials has one row with service '')

    Comparisons of text are case-sensitive, and the full name of a service differs from its short name. A warning
    reports such comparisons.

    Dates are in UTC, in the format of SQLite's functions: 2026-11-01 09:30:00. A result with more than 100,000 rows is
    an error.

    \b
    Examples:
      Users with active access keys older than 90 days:
        iamcreds query "SELECT user, id, created FROM access_keys
          WHERE status = 'Active' AND created < datetime('now', '-90 days')"
      Credentials of undeclared users:
        iamcreds query --specs specs "SELECT user, service, id, status
          FROM service_specific_credentials
          WHERE user NOT IN (SELECT user FROM desired)"
      Two credentials of one user and service:
        iamcreds query "SELECT user, service, count(*) AS number
          FROM service_specific_credentials
          GROUP BY user, service HAVING number > 1"
      Declared credentials that do not exist:
        iamcreds query --specs specs "SELECT user, service, file, line FROM desired
          LEFT JOIN service_specific_credentials AS existing USING (user, service)
          WHERE service <> '' AND existing.id IS NULL"
      Active Bedrock API keys:
        iamcreds query "SELECT user, id, created FROM service_specific_credentials
          WHERE service_short_name = 'bedrock' AND status = 'Active'"
      Passwords older than 90 days, or of unknown age and created before:
        iamcreds query --state state.json "SELECT user, service, id
          FROM service_specific_credentials
          WHERE coalesce(issued_at, created) < datetime('now', '-90 days')"
      Rotations due within a month:
        iamcreds query --specs specs --state state.json "SELECT user, resource
          FROM desired WHERE rotation_due < datetime('now', '+1 month')"
      Passwords that only the state has:
        iamcreds query --state state.json "SELECT user, service, id
          FROM service_specific_credentials
          WHERE secret_in_state AND delivery_arn IS NULL"
      Credentials that expire within a month, as CSV:
        iamcreds query --format csv "SELECT user, service, expires
          FROM service_specific_credentials
          WHERE expires < datetime('now', '+1 month')"
    """
    from iamcreds.query.statement import find_tables, run_statement  # noqa: PLC0415 - SQLite is slow to import
    from iamcreds.specs import load  # noqa: PLC0415 - as are YAML and JSON Schema

    tables = find_tables(statement)
    if "desired" in tables and specs is None:
        raise click.UsageError("the statement reads table desired, which requires --specs PATH")
    desired = None if specs is None else load(specs)
    recorded = StackExport() if state is None else read_recorded(state, plugins)
    with progress_bars() as progress:
        rows = dict(_read_tables(sorted(tables), desired, recorded, progress))
    result = run_statement(statement, rows, timeout, lambda text: click.echo(f"warning: {text}", err=True))
    print_rows(result, result.records(), form)


def _read_tables(
    tables: Iterable[str], desired: Desired | None, recorded: StackExport, progress: Progress
) -> Iterator[tuple[str, Iterable[object]]]:
    """Yield the rows of each table; without tables of the account, no request is sent to AWS."""
    if desired is not None:
        _require_same_account(desired, recorded)
        by_resource = {each.resource: each for each in recorded.credentials if not each.is_leaving}
        yield "desired", list_desired_rows(desired, by_resource)
    account_tables = [table for table in tables if table != "desired"]
    if account_tables:
        from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import

        account = Account()
        account.require_account(None if desired is None else desired.account, "the specs are for")
        for owner in sorted({each.account for each in recorded.credentials if each.account}):
            account.require_account(owner, "this state is of")
        yield from _read_account_tables(
            account, account_tables, {each.id: each for each in recorded.credentials}, progress
        )


def _require_same_account(desired: Desired, recorded: StackExport) -> None:
    """Reject a state of a different account than the specs; without tables of the account, nothing else checks this.

    Raises:
        StateError: the accounts differ.
    """
    others = sorted({each.account for each in recorded.credentials if each.account} - {desired.account})
    if desired.account is not None and others:
        raise StateError(f"this state is of account {others[0]}, but the specs are for account {desired.account}")


def _read_account_tables(
    account: Account, tables: Iterable[str], recorded: Mapping[str, RecordedCredential], progress: Progress
) -> Iterator[tuple[str, Iterable[object]]]:
    for table in tables:
        match table:
            case "users":
                yield table, list_user_rows(account.users.all())
            case "access_keys":
                keys_by_user = account.access_keys.of_users((user.name for user in account.users.all()), progress)
                yield table, [key for keys in keys_by_user.values() if keys is not None for key in keys]
            case _:
                account.inventory.reread([], progress)  # the rest of the bulk read, user by user
                yield table, list_credential_rows(account.inventory.all(), recorded)
