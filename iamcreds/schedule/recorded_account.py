"""The account as a stack's state records it, for the schedule of a run that cannot read the account; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.model import Inventory, User
from iamcreds.planning.slot_plan import make_existing

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.desired import Desired
    from iamcreds.model import StackExport


def assume_account(desired: Desired, recorded: StackExport, now: datetime) -> Inventory | None:
    """Return the declared users and the recorded credentials, None if the state is not known to be of one account.

    Args:
        desired: all specs.
        recorded: the exported state of the stack.
        now: the current time, in UTC.
    """
    accounts = {desired.account, *(each.account for each in recorded.credentials)} - {None}
    if len(accounts) != 1:
        return None
    (account,) = accounts
    return Inventory(
        account=str(account),
        read_at=now,
        users=tuple(User(user.name, now) for user in desired.users),
        credentials=tuple(map(make_existing, recorded.credentials)),
    )
