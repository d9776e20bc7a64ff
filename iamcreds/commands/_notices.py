"""Notices to owners in `drift`: they are sent after a complete run, and also after one that fails."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import click

from iamcreds.commands._comparison import OWNERS
from iamcreds.commands._errors import describe_os_error
from iamcreds.commands._state_file import read_recorded
from iamcreds.errors import IamcredsError, WrongAccountError
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from iamcreds.desired import Desired
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import StackExport
    from iamcreds.report.notice import Failure
    from iamcreds.report.owner_mail import MailServer
    from iamcreds.schedule.notices import Notice

    ReadAccount = Callable[[StackExport | None], Drift]
    Mails = Mapping[str, tuple[str, str]]

_MAX_NAMED = 5


def find_server(urls: Sequence[str]) -> MailServer | None:
    """Return the mail server for owners, None if the addresses of --notify do not include them.

    Raises:
        NotificationError: the environment has no valid address of a mail server, or apprise is not installed.
    """
    if OWNERS not in urls:
        return None
    from iamcreds.report.owner_mail import VARIABLE, find_mail_server  # noqa: PLC0415 - drift takes 30 ms to import

    return find_mail_server(os.environ.get(VARIABLE))


@dataclass
class Owners:
    """The owners of the selected users and credentials, and their notices of one run.

    Attributes:
        server: the mail server, None if no notices are sent.
        period: the time between two runs.
        desired: all specs.
        selection: the selected users and services.
        failed: the owners whose mail was not sent.
    """

    server: MailServer | None
    period: timedelta
    desired: Desired
    selection: Selection
    failed: list[str] = field(default_factory=list)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """End a run with exit code 1 if a mail was not sent; the error is on standard error already."""
        try:
            yield
        except click.exceptions.Exit:
            if not self.failed:
                raise
        if self.failed:
            raise click.exceptions.Exit(1)

    def read(self, state: IO[bytes] | None, plugins: Sequence[str], read_account: ReadAccount) -> Drift:
        """Read the state and the account, and send the notices, also if one of both cannot be read."""
        recorded = None
        try:
            recorded = None if state is None else read_recorded(state, plugins)
            drift = read_account(recorded)
        except Exception as error:
            if self.server is not None:
                self._send_after_failure(error, recorded, None if state is None else read_account)
            raise
        if self.server is not None:
            self._send_notices(drift)
        return drift

    def _send_after_failure(
        self, error: Exception, recorded: StackExport | None, read_account: ReadAccount | None
    ) -> None:
        """Send the notices whose dates are known; `read_account` is None if no state was given."""
        from iamcreds.report.notice import Basis, Failure  # noqa: PLC0415 - drift takes 30 ms to import

        errors: tuple[str, ...] = (_describe(error),)
        is_ambiguous = isinstance(error, WrongAccountError) and self.desired.account is None
        drift = None if recorded is None or is_ambiguous else self._assume_drift(recorded)
        if drift is not None:
            self._send_notices(drift, Failure(Basis.STATE, errors))
            return
        if read_account is not None and not is_ambiguous:
            try:
                drift = read_account(None)
            except Exception as second:  # noqa: BLE001 - the mail contains it, and the first error ends the run
                errors = tuple(dict.fromkeys((*errors, _describe(second))))
            else:
                self._send_notices(drift, Failure(Basis.ACCOUNT, errors))
                return
        self._send_unknown(Failure(Basis.NOTHING, errors))

    def _assume_drift(self, recorded: StackExport) -> Drift | None:
        """Return the comparison with the account as the state records it, None if that is for a different account."""
        from iamcreds.drift.comparing import compare  # noqa: PLC0415 - drift takes 30 ms to import
        from iamcreds.drift.recorded_state import make_recorded_state  # noqa: PLC0415 - same
        from iamcreds.schedule.recorded_account import assume_account  # noqa: PLC0415 - same

        inventory = assume_account(self.desired, recorded, datetime.now(UTC))
        if inventory is None:
            return None
        return compare(self.desired, inventory, selection=self.selection, state=make_recorded_state(recorded))

    def _send_notices(self, drift: Drift, failure: Failure | None = None) -> None:
        from iamcreds.report.notice import Basis, group_notices, list_undated, write_notices  # noqa: PLC0415 - as above
        from iamcreds.schedule.events import make_schedule  # noqa: PLC0415 - same
        from iamcreds.schedule.notices import HORIZON, find_notices  # noqa: PLC0415 - same

        schedule = make_schedule(self.desired, drift, drift.inventory.read_at + HORIZON, self.selection)
        groups = group_notices(find_notices(self.desired, schedule, self.period))
        owners = sorted(owner for owner in groups if owner is not None)
        if failure is not None and failure.basis is Basis.ACCOUNT:
            owners = sorted({*owners, *list_undated(self.selection.narrow(self.desired))})
        account = drift.inventory.account
        mails = {owner: write_notices(groups.get(owner, []), account, self.period, failure) for owner in owners}
        sent = self._send(mails)
        _report_sent({owner: groups.get(owner, []) for owner in sent}, len(groups.get(None, [])))

    def _send_unknown(self, failure: Failure) -> None:
        from iamcreds.report.notice import group_owned, write_unknown  # noqa: PLC0415 - as above

        groups = group_owned(self.selection.narrow(self.desired))
        sent = self._send(
            {owner: write_unknown(owned, self.desired.account, failure) for owner, owned in groups.items()}
        )
        click.echo(f"sent {format_count(len(sent), 'notice')} about unknown dates, because the run failed", err=True)

    def _send(self, mails: Mails) -> list[str]:
        """Send each owner a mail, even if some of them fail, and return the owners who got it; report the others."""
        sent = [owner for owner, mail in mails.items() if self.server is not None and self.server.send(owner, *mail)]
        self.failed += [owner for owner in mails if owner not in sent]
        if self.failed:
            names = ", ".join(owner.removeprefix("mailto:") for owner in self.failed[:_MAX_NAMED])
            more = len(self.failed) - _MAX_NAMED
            others = f" and {format_count(more, 'other')}" if more > 0 else ""
            click.echo(
                f"Error: cannot send the notices of {names}{others}. Run `apprise -vv -b test ADDRESS` with the address"
                " in IAMCREDS_OWNERS_URL to see the reason; it contains secrets and is not shown",
                err=True,
            )
        return sent


def _report_sent(sent: Mapping[str, Sequence[Notice]], unowned: int) -> None:
    notices = format_count(sum(map(len, sent.values())), "notice")
    click.echo(f"sent {notices} to {format_count(len(sent), 'owner')}", err=True)
    if unowned:
        click.echo(f"note: {format_count(unowned, 'notice')} not sent, because the specs declare no `owner`", err=True)


def _describe(error: Exception) -> str:
    """Return the text of an error; that of an unexpected one might contain a secret."""
    match error:
        case click.exceptions.Exit():
            return "the state has unknown code"
        case click.ClickException():
            return error.format_message()
        case OSError():
            return describe_os_error(error)
        case IamcredsError():
            return str(error)
        case _:
            return type(error).__name__
