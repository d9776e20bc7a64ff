"""The previous credentials and the successors of declared credentials, with the stack's state; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.changed import RetiredIsActive
from iamcreds.due_dates import find_renewal_date, find_rotation
from iamcreds.model import Status
from iamcreds.slots import PreviousCredential

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredCredential
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.model import Credential, Inventory, RecordedCredential


@dataclass(frozen=True)
class NextRotation:
    """The next rotation of an existing credential.

    Attributes:
        credential: the current credential.
        desired: the declared credential.
        due: the time from which an update rotates it; None if no update does.
    """

    credential: Credential
    desired: DesiredCredential
    due: datetime | None


def find_next_rotations(chosen: Desired, inventory: Inventory, state: RecordedState) -> Iterator[NextRotation]:
    """Yield the next rotation of each existing credential that rotates; one that was deactivated manually has none."""
    by_id = {credential.id: credential for credential in inventory.credentials}
    for desired in (each for user in chosen.users for each in user.credentials):
        recorded = None if desired.rotate is None else state.find(desired)
        existing = None if recorded is None else by_id.get(recorded.id)
        if recorded is not None and existing is not None:
            is_rotated = existing.status is Status.ACTIVE
            yield NextRotation(
                existing, desired, find_rotation(desired, recorded, inventory.account) if is_rotated else None
            )


def find_previous_credentials(
    chosen: Desired, inventory: Inventory, state: RecordedState
) -> Iterator[PreviousCredential]:
    """Yield the existing credentials whose successor is recorded; updates retire or delete them."""
    by_id = {credential.id: credential for credential in inventory.credentials}
    for user in chosen.users:
        found = (find_previous_of(desired, by_id, state) for desired in user.credentials)
        yield from (previous for previous in found if previous is not None)


def find_previous_of(
    desired: DesiredCredential, by_id: Mapping[str, Credential], state: RecordedState
) -> PreviousCredential | None:
    """Return the existing previous credential of a declared one; `by_id` has the existing ones."""
    slots = state.find_slots(desired)
    existing = None if slots.previous is None else by_id.get(slots.previous.id)
    if existing is None or not desired.has_successors:
        return None
    return PreviousCredential(existing, desired, slots.find_retirement(desired))


def check_previous(
    previous: PreviousCredential | None, state: RecordedState, current: Credential | None
) -> Iterator[RetiredIsActive]:
    """Yield the difference of a previous credential that an update retired, and that is Active nevertheless."""
    if previous is None or previous.credential.status is not Status.ACTIVE:
        return
    if state.by_id[previous.credential.id].is_retired:
        is_inactive = current is not None and current.status is Status.INACTIVE
        yield RetiredIsActive(
            user=previous.desired.user,
            service=previous.desired.service,
            location=previous.desired.location,
            desired=(previous.desired,),
            existing=(previous.credential,),
            inactive=current.id if current is not None and is_inactive else None,
        )


def find_next_successor(desired: DesiredCredential, recorded: RecordedCredential, account: str) -> datetime | None:
    """Return the time from which an update creates or resets the successor of a recorded credential; None for never."""
    if desired.rotate is None:
        return find_renewal_date(desired, recorded.expires)
    return find_rotation(desired, recorded, account)
