"""The existing credentials of declared ones, without the previous credentials; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.matching import find_newest, split_adopted
from iamcreds.due_dates import find_issue, find_rotation
from iamcreds.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from iamcreds.desired import Desired, DesiredCredential
    from iamcreds.drift.matching import Pair
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.model import Credential, Inventory


@dataclass(frozen=True)
class CurrentCredential:
    """An existing credential that is the current one of a declared credential.

    Attributes:
        credential: the existing credential.
        desired: the declared credential; None if only the state shows which of several it is.
        issued: the time of its last create or reset, or of its creation if the state does not have it; None without the
            state.
        rotation_due: the time from which an update rotates it; None if no update does, or without the state.
    """

    credential: Credential
    desired: DesiredCredential | None
    issued: datetime | None = None
    rotation_due: datetime | None = None


def find_current(chosen: Desired, inventory: Inventory, state: RecordedState) -> Iterator[CurrentCredential]:
    """Yield the existing credential of each declared one; one that was deactivated manually has no rotation."""
    by_id = {credential.id: credential for credential in inventory.credentials}
    for desired in (each for user in chosen.users for each in user.credentials):
        recorded = state.find(desired)
        existing = None if recorded is None else by_id.get(recorded.id)
        if recorded is not None and existing is not None:
            is_rotated = existing.status is Status.ACTIVE
            due = find_rotation(desired, recorded, inventory.account) if is_rotated else None
            yield CurrentCredential(existing, desired, find_issue(recorded), due)


def find_shown(pairs: Iterable[Pair]) -> Iterator[CurrentCredential]:
    """Yield the existing credentials that may be declared ones, without the state."""
    for pair in pairs:
        if pair.has_slots:
            yield CurrentCredential(find_newest(pair), pair.declared[0])
        elif pair.declared:
            adopted, rest = split_adopted(pair)
            parts = [*adopted, rest] if len(rest.declared) == len(rest.existing) == 1 else adopted
            known = {part.existing[0]: part.declared[0] for part in parts}
            yield from (CurrentCredential(existing, known.get(existing)) for existing in pair.existing)
