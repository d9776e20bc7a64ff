"""The detection of drift: reads pages for a whole account, and single users only if a page leaves a doubt."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from iamcreds.drift.comparing import SOON, compare, watched_users
from iamcreds.drift.recorded import make_recorded_state
from iamcreds.drift.rules.access_key_limits import needs_closer_look
from iamcreds.drift.selection import EVERYTHING
from iamcreds.errors import AccountError, UnauthenticatedError, UnreachableError
from iamcreds.model import Inventory
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from iamcreds.aws import Account
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import AccessKeyPolicy, CredentialReport, Desired, RecordedCredential, StackExport, User
    from iamcreds.progress import Progress


def detect_drift(  # noqa: PLR0913 - each is a thing of its own
    account: Account,
    desired: Desired,
    now: datetime,
    soon: timedelta = SOON,
    selection: Selection = EVERYTHING,
    *,
    recorded: StackExport | None = None,
    exact: bool = False,
    progress: Progress = no_progress,
) -> Drift:
    """Read the account and compare it with the specs, as `iamcreds drift` does before it prints.

    Args:
        account: the account, which must be the one that the specs are for.
        desired: the specs, all of them.
        now: the present, in UTC.
        soon: an expiry within this time is a finding.
        selection: what is asked for.
        recorded: the exported state of the stack, so that each difference is about one id; None if it is unknown.
        exact: read the access keys of every watched user.
        progress: hears how far it is.

    Raises:
        WrongAccountError: the specs are for another account.
        NothingSelectedError: what is asked for is neither desired nor live.
        AccountError
    """
    account.require_account(desired.account, "the specs are for")
    known = () if recorded is None else recorded.credentials
    for owner in {found.account for found in known}:
        account.require_account(owner, "this state is of")
    inventory = read_inventory(account, selection.narrow(desired), now, recorded=known, exact=exact, progress=progress)
    selection.require_known(desired, inventory)
    return compare(desired, inventory, soon, selection, None if recorded is None else make_recorded_state(recorded))


def read_inventory(  # noqa: PLR0913 - each is a thing of its own
    account: Account,
    desired: Desired,
    now: datetime,
    *,
    recorded: Sequence[RecordedCredential] = (),
    exact: bool = False,
    progress: Progress = no_progress,
) -> Inventory:
    """Read the part of the account that the desired state needs.

    Users and credentials are read in pages, both at once. A user of whom a credential seems to be missing is read once
    more, alone. Access keys are read of watched users only: of all of them (`exact`, or where AWS gives no credential
    report), or of those who may break their policy by the credential report.

    Args:
        account: the account.
        desired: the specs, as far as they matter.
        now: the present, in UTC.
        recorded: the credentials of the stack's state; a user whose list lacks one of them is read once more, too.
        exact: read the access keys of every watched user.
        progress: hears how far it is.

    Raises:
        AccountError
    """
    number = account.id()  # first, because STS says within seconds whether there is an endpoint at all
    with ThreadPoolExecutor(max_workers=1) as pool:
        progress("listing credentials", 0)
        listing = pool.submit(account.inventory.all)
        progress("listing users", 0)
        missing = account.users.find_missing(user.name for user in desired.users)
        present = {name: policy for name, policy in watched_users(desired).items() if name not in missing}
        report, refusal = (None, None) if exact or not present else _read_report(account, progress)
        listing.result()
    short = _short_of_credentials(account, desired, missing)
    account.inventory.reread({*short, *_lacking(account, recorded)}, progress)
    users, credentials = tuple(account.users.all()), tuple(account.inventory.all())
    watched = sorted(present if report is None else _suspects(users, present, report, now))
    keys = account.access_keys.of_users(watched, progress)
    made = {live.id: live.created for live in credentials} | {found.id: found.created for found in recorded}
    return Inventory(
        account=number,
        read_at=now,
        users=users,
        credentials=credentials,
        access_keys=tuple(key for user in watched for key in keys[user] or ()),
        access_keys_read=tuple(watched),
        report=report,
        report_missing=refusal,
        young_users=frozenset(user.name for user in users if account.clock.is_young(user.created)),
        young_credentials=frozenset(credential_id for credential_id, at in made.items() if account.clock.is_young(at)),
    )


def _short_of_credentials(account: Account, desired: Desired, missing: set[str]) -> list[str]:
    """Return the users who seem to have fewer credentials than declared: a list may lag, or be of one user only."""
    numbers = Counter((live.user, live.service) for live in account.inventory.all())
    return [
        user.name
        for user in desired.users
        if user.name not in missing
        and any(
            number > numbers[user.name, service]
            for service, number in Counter(wanted.service for wanted in user.credentials).items()
        )
    ]


def _lacking(account: Account, recorded: Iterable[RecordedCredential]) -> Iterator[str]:
    """Yield the users of recorded credentials that a list lacks."""
    live = {credential.id for credential in account.inventory.all()}
    return (found.user for found in recorded if found.id not in live)


def _read_report(account: Account, progress: Progress) -> tuple[CredentialReport | None, str | None]:
    """Return the credential report, or the reason for its absence: it saves calls, and nothing depends on it."""
    try:
        return account.credential_report.read(progress), None
    except (UnreachableError, UnauthenticatedError):
        raise
    except AccountError as error:
        return None, str(error)


def _suspects(
    users: tuple[User, ...], watched: Mapping[str, AccessKeyPolicy], report: CredentialReport, now: datetime
) -> Iterator[str]:
    """Yield the watched users who may violate their policy, or whom the report lacks."""
    reported = {user.name: user for user in report.users}
    for user in users:
        policy = watched.get(user.name)
        if policy is None:
            continue
        entry = reported.get(user.name)
        # A user made since the report, or made anew under the same name.
        is_unknown = entry is None or entry.created.replace(microsecond=0) != user.created.replace(microsecond=0)
        if is_unknown or (entry is not None and needs_closer_look(policy, entry, now)):
            yield user.name
