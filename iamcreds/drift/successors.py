"""The previous credentials and the successors of declared credentials, with the stack's state; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.rules.changed import RetiredIsActive
from iamcreds.drift.rules.next_rotation import RotationFacts
from iamcreds.due_dates import find_renewal_date, find_rotation
from iamcreds.model import Existing, Status
from iamcreds.resource_names import split_slot
from iamcreds.slots import PreviousCredential

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredCredential
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.model import Credential, Inventory, RecordedCredential


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
    current = None if slots.current is None else by_id.get(slots.current.id)
    is_reset = slots.current is not None and desired.reset not in (None, slots.current.reset)
    is_kept = current is not None and current.status is Status.INACTIVE and not is_reset
    retirement = slots.find_retirement(desired, by_id, state.find_last_read(slots.current))
    return PreviousCredential(existing, desired, retirement, is_kept)


def is_lost(
    desired: DesiredCredential, existing: Credential, state: RecordedState, by_id: Mapping[str, Credential]
) -> bool:
    """Return True if the recorded credential is a retired previous one, and the state has lost the current one.

    The next update issues a new password in its slot then. A failed create has this result, or a refresh after a manual
    deletion. `existing` is the recorded credential, and `by_id` has the existing ones.
    """
    slots = state.find_slots(desired)
    current = slots.current
    if current is None or desired.status is not None or not (current.is_retired and existing.status is Status.INACTIVE):
        return False
    other = None if slots.previous is None else by_id.get(slots.previous.id)
    has_slots = desired.has_successors or split_slot(current.resource)[1] > 1
    return has_slots and (other is None or other.status is Status.EXPIRED)


def find_facts(
    desired: DesiredCredential,
    state: RecordedState,
    inventory: Inventory,
    by_id: Mapping[str, Credential],
    group: Sequence[Credential],
) -> RotationFacts | None:
    """Return the facts that decide how the next update rotates a credential; None if it does not rotate or exist.

    Args:
        desired: the declared credential.
        state: the stack's state.
        inventory: the account.
        by_id: its credentials by id.
        group: those of the declared user and service.
    """
    recorded = state.find(desired)
    existing = None if recorded is None else by_id.get(recorded.id)
    if desired.rotate is None or recorded is None or existing is None:
        return None
    unmanaged = tuple(filter(state.is_unmanaged, group))
    return RotationFacts(
        desired=desired,
        recorded=recorded,
        existing=existing,
        at=inventory.read_at,
        planned=find_rotation(desired, recorded, inventory.account),
        previous=find_previous_of(desired, by_id, state),
        blocked_by=() if takes(desired, unmanaged, 1) else unmanaged,
    )


def takes(desired: DesiredCredential, unmanaged: Sequence[Credential], declared: int) -> bool:
    """Return True if the plan of the next update imports or adopts one of the unmanaged credentials."""
    return find_taken(desired, unmanaged, declared) is not None


def find_taken(desired: DesiredCredential, unmanaged: Sequence[Credential], declared: int) -> Credential | None:
    """Return the unmanaged credential that the plan of the next update imports or adopts, None for none.

    Args:
        desired: the declared credential, which does not exist yet.
        unmanaged: the unmanaged credentials of its user and service.
        declared: the number of declared credentials of its user and service.
    """
    valid = [existing for existing in unmanaged if existing.status is not Status.EXPIRED]
    fitting = [existing for existing in valid if existing.lifetime_days == desired.expire_after_days]
    importable = valid if desired.expire_after_days is None else fitting
    imported = next((existing for existing in importable if existing.id == desired.adopt), None)
    is_adopted = desired.adopt is None and desired.existing is Existing.ADOPT and len(unmanaged) <= declared
    return imported if imported is not None or not is_adopted else next(iter(fitting), None)


def check_previous(
    previous: PreviousCredential | None, state: RecordedState, current: Credential | None
) -> Iterator[RetiredIsActive]:
    """Yield the difference of a previous credential that an update retired, and that is Active nevertheless."""
    if previous is None or previous.credential.status is not Status.ACTIVE:
        return
    if state.by_id[previous.credential.id].is_retired:
        is_inactive = current is not None and current.status is Status.INACTIVE
        is_only_one = current is None or current.status is Status.EXPIRED
        yield RetiredIsActive(
            user=previous.desired.user,
            service=previous.desired.service,
            location=previous.desired.location,
            desired=(previous.desired,),
            existing=(previous.credential,),
            inactive=current.id if current is not None and is_inactive else None,
            is_only_one=is_only_one,
        )


def find_next_successor(desired: DesiredCredential, recorded: RecordedCredential, account: str) -> datetime | None:
    """Return the time from which an update creates or resets the successor of a recorded credential; None for never."""
    if desired.rotate is None:
        return find_renewal_date(desired, recorded.expires)
    return find_rotation(desired, recorded, account)
