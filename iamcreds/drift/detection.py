"""The detection of drift. It lists the whole account, and reads single users only if a list may be incomplete."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.drift.comparing import SOON, compare, watched_users
from iamcreds.drift.reading_secrets import read_secrets
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.access_key_limits import needs_closer_look
from iamcreds.drift.selection import EVERYTHING
from iamcreds.errors import AccountError, UnauthenticatedError, UnreachableError
from iamcreds.model import Inventory
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from iamcreds.aws import Account
    from iamcreds.desired import AccessKeyPolicy, Desired
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import CredentialReport, RecordedCredential, StackExport, User
    from iamcreds.progress import Progress
    from iamcreds.stores.deliveries import Deliveries


def detect_drift(  # noqa: PLR0913 - independent options
    account: Account,
    desired: Desired,
    now: datetime,
    soon: timedelta = SOON,
    selection: Selection = EVERYTHING,
    *,
    recorded: StackExport | None = None,
    deliveries: Deliveries | None = None,
    exact: bool = False,
    progress: Progress = no_progress,
) -> Drift:
    """Read the account and compare it with the specs, like `iamcreds drift`.

    Args:
        account: the account, which must be that of the specs.
        desired: all specs.
        now: the current time, in UTC.
        soon: the time before an expiry in which it is a finding.
        selection: the selected users and services.
        recorded: the exported state of the stack, or None. With it, each difference is about one id.
        deliveries: the secret stores, which are read only with the state; None checks no deliveries.
        exact: read the access keys of every watched user.
        progress: receives progress reports.

    Raises:
        WrongAccountError: the specs or the state are for a different account.
        NothingSelectedError: a selected user or service is neither declared nor exists.
        AccountError
    """
    account.require_account(desired.account, "the specs are for")
    credentials = () if recorded is None else recorded.credentials
    for owner in {credential.account for credential in credentials}:
        account.require_account(owner, "this state is of")
    chosen = selection.narrow(desired)
    inventory = read_inventory(account, chosen, now, recorded=credentials, exact=exact, progress=progress)
    selection.require_known(desired, inventory)
    state = None if recorded is None else make_recorded_state(recorded)
    if state is not None and deliveries is not None:
        progress("listing secrets", 0)
        secrets = read_secrets(deliveries, chosen, state, selection, account.clock.now())
        state = replace(state, secrets=secrets)
    return compare(desired, inventory, soon, selection, state)


def read_inventory(  # noqa: PLR0913 - independent options
    account: Account,
    desired: Desired,
    now: datetime,
    *,
    recorded: Sequence[RecordedCredential] = (),
    exact: bool = False,
    progress: Progress = no_progress,
) -> Inventory:
    """Read the part of the account that the comparison needs.

    Users and credentials are listed in parallel. If a credential seems to be missing, its user is read again
    individually. Access keys are read for watched users only. If `exact` is set or AWS returns no credential
    report, that is each of them; otherwise, those who may violate their policy according to the report.

    Args:
        account: the account.
        desired: the selected part of the specs.
        now: the current time, in UTC.
        recorded: the credentials of the stack's state; if the list lacks one of them, its user is read again, too.
        exact: read the access keys of every watched user.
        progress: receives progress reports.

    Raises:
        AccountError
    """
    number = account.id()  # first, because STS fails within seconds if the endpoint is unreachable
    with ThreadPoolExecutor(max_workers=1) as pool:
        progress("listing credentials", 0)
        listing = pool.submit(account.inventory.all)
        progress("listing users", 0)
        missing = account.users.find_missing(user.name for user in desired.users)
        present = {name: policy for name, policy in watched_users(desired).items() if name not in missing}
        report, report_error = (None, None) if exact or not present else _read_report(account, progress)
        listing.result()
    short = _short_of_credentials(account, desired, missing)
    account.inventory.reread({*short, *_lacking(account, recorded)}, progress)
    users, credentials = tuple(account.users.all()), tuple(account.inventory.all())
    watched = sorted(present if report is None else _suspects(users, present, report, now))
    keys = account.access_keys.of_users(watched, progress)
    created = {each.id: each.created for each in credentials} | {each.id: each.created for each in recorded}
    return Inventory(
        account=number,
        read_at=now,
        users=users,
        credentials=credentials,
        access_keys=tuple(key for user in watched for key in keys[user] or ()),
        access_keys_read=tuple(watched),
        report=report,
        report_missing=report_error,
        young_users=frozenset(user.name for user in users if account.clock.is_young(user.created)),
        young_credentials=frozenset(id_ for id_, at in created.items() if account.clock.is_young(at)),
    )


def _short_of_credentials(account: Account, desired: Desired, missing: set[str]) -> list[str]:
    """Return the users with fewer listed than declared credentials; the list may be outdated or incomplete."""
    numbers = Counter((existing.user, existing.service) for existing in account.inventory.all())
    return [
        user.name
        for user in desired.users
        if user.name not in missing
        and any(
            number > numbers[user.name, service]
            for service, number in Counter(each.service for each in user.credentials).items()
        )
    ]


def _lacking(account: Account, recorded: Iterable[RecordedCredential]) -> Iterator[str]:
    """Yield the users of recorded credentials that the list lacks."""
    existing = {credential.id for credential in account.inventory.all()}
    return (credential.user for credential in recorded if credential.id not in existing)


def _read_report(account: Account, progress: Progress) -> tuple[CredentialReport | None, str | None]:
    """Return the credential report, or the error if there is none. The report only saves calls."""
    try:
        return account.credential_report.read(progress), None
    except (UnreachableError, UnauthenticatedError):
        raise
    except AccountError as error:
        return None, str(error)


def _suspects(
    users: tuple[User, ...], watched: Mapping[str, AccessKeyPolicy], report: CredentialReport, now: datetime
) -> Iterator[str]:
    """Yield the watched users who may violate their policy or are not in the report."""
    reported = {user.name: user for user in report.users}
    for user in users:
        policy = watched.get(user.name)
        if policy is None:
            continue
        entry = reported.get(user.name)
        # A user created or recreated after the report.
        is_unknown = entry is None or entry.created.replace(microsecond=0) != user.created.replace(microsecond=0)
        if is_unknown or (entry is not None and needs_closer_look(policy, entry, now)):
            yield user.name
