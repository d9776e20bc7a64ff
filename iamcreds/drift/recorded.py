"""The comparison of specs, a stack's state and an account, in which each difference is about one id; pure.

The state tells which live id is which declared credential, so nothing has to be matched by numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.changed import ResetPending, StatusDiffers, SwitchedOff
from iamcreds.drift.rules.expiry import check_expiry
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UnmanagedCredential
from iamcreds.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta

    from iamcreds.drift.rules.difference import CredentialDifference
    from iamcreds.drift.selection import Selection
    from iamcreds.model import Credential, Desired, DesiredCredential, Inventory, RecordedCredential


@dataclass(frozen=True)
class RecordedState:
    """The credentials of a state, by resource name and by id; one that waits to be deleted has no resource any more."""

    by_resource: Mapping[str, RecordedCredential]
    by_id: Mapping[str, RecordedCredential]

    def find(self, wanted: DesiredCredential) -> RecordedCredential | None:
        """Return the recorded credential of a declared one, also by one of its former names."""
        names = (wanted.resource_name, *wanted.former_resource_names)
        return next((self.by_resource[name] for name in names if name in self.by_resource), None)


def make_recorded_state(recorded: Iterable[RecordedCredential]) -> RecordedState:
    """Return the state that has these credentials."""
    every = tuple(recorded)
    current = {found.resource: found for found in every if not found.is_leaving}
    return RecordedState(current, {found.id: found for found in every})


def compare_recorded(
    chosen: Desired, inventory: Inventory, state: RecordedState, soon: timedelta
) -> Iterator[CredentialDifference]:
    """Yield the differences of declared credentials; an expiry within `soon` of the inventory's time is a finding."""
    live = {credential.id: credential for credential in inventory.credentials}
    present = {user.name for user in inventory.users}
    for user in chosen.users:
        for wanted in user.credentials if user.name in present else ():
            found = state.find(wanted)
            yield from _compare_one(wanted, found, None if found is None else live.get(found.id), inventory, soon)


def find_unmanaged(
    chosen: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[UnmanagedCredential]:
    """Yield the existing credentials that the state does not have, of users whose credentials the specs declare."""
    users = {user.name: user for user in chosen.users if user.judges_credentials}
    for live in inventory.credentials:
        user = users.get(live.user)
        if user is not None and live.id not in state.by_id and selection.has(live.user, live.service):
            declared = tuple(wanted for wanted in user.credentials if wanted.service == live.service)
            yield UnmanagedCredential(
                user=user.name, service=live.service, place=user.place, desired=declared, live=(live,)
            )


def find_no_longer_declared(
    desired: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[NoLongerDeclared]:
    """Yield the recorded credentials that none of the specs declares."""
    found = (state.find(wanted) for user in desired.users for wanted in user.credentials)
    declared = {recorded.id for recorded in found if recorded is not None}
    live = {credential.id: credential for credential in inventory.credentials}
    for recorded in state.by_id.values():
        if recorded.id not in declared and selection.has(recorded.user, recorded.service):
            there = () if recorded.id not in live else (live[recorded.id],)
            yield NoLongerDeclared(user=recorded.user, service=recorded.service, live=there, recorded=recorded)


def _compare_one(
    wanted: DesiredCredential,
    recorded: RecordedCredential | None,
    live: Credential | None,
    inventory: Inventory,
    soon: timedelta,
) -> Iterator[CredentialDifference]:
    user, service, place, desired = wanted.user, wanted.service, wanted.place, (wanted,)
    if recorded is None or live is None or live.user != user:
        known, owner = (None if recorded is None else recorded.id), (None if live is None else live.user)
        yield MissingCredential(
            user=user, service=service, place=place, desired=desired, live=(), recorded=known, lives_under=owner
        )
        return
    if wanted.status is not None and live.status not in (wanted.status, Status.EXPIRED):
        yield StatusDiffers(
            user=user, service=service, place=place, desired=desired, live=(live,), status=wanted.status
        )
    if wanted.status is None and live.status is Status.INACTIVE:
        yield SwitchedOff(user=user, service=service, place=place, desired=desired, live=(live,))
    if wanted.reset not in (None, recorded.reset):
        yield ResetPending(
            user=user, service=service, place=place, desired=desired, live=(live,), recorded=recorded.reset
        )
    yield from check_expiry(live, desired, place, inventory.read_at, soon)
