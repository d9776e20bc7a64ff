"""The comparison of specs, a stack's state and an account; pure.

The state maps ids to declared credentials, so each difference is about one id.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.changed import ResetPending, StatusDiffers, SwitchedOff
from iamcreds.drift.rules.expiry import check_expiry
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UnmanagedCredential, UnresolvedCreate
from iamcreds.model import Existing, Status
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from iamcreds.drift.rules.difference import CredentialDifference
    from iamcreds.drift.selection import Selection
    from iamcreds.model import (
        Credential,
        Desired,
        DesiredCredential,
        DesiredUser,
        Inventory,
        PendingCreate,
        RecordedCredential,
        StackExport,
    )


@dataclass(frozen=True)
class RecordedState:
    """The credentials and the pending creates of a state.

    Attributes:
        by_resource: credentials by resource name, without replaced copies that have not been deleted yet.
        by_id: credentials by id.
        creates: pending creates by user and service (full name).
    """

    by_resource: Mapping[str, RecordedCredential]
    by_id: Mapping[str, RecordedCredential]
    creates: Mapping[tuple[str, str], Sequence[PendingCreate]]

    def find(self, wanted: DesiredCredential) -> RecordedCredential | None:
        """Return the recorded credential of a declared one, by its current or a former resource name."""
        names = (wanted.resource_name, *wanted.former_resource_names)
        return next((self.by_resource[name] for name in names if name in self.by_resource), None)

    def is_creating(self, wanted: DesiredCredential) -> bool:
        """Return True if a create of the declared credential is pending."""
        creates = self.creates.get((wanted.user, wanted.service), ())
        return any(create.resource == wanted.resource_name for create in creates)

    def is_unmanaged(self, credential: Credential) -> bool:
        """Return True if the state does not have the credential and no pending create may have created it."""
        return credential.id not in self.by_id and (credential.user, credential.service) not in self.creates


def make_recorded_state(export: StackExport) -> RecordedState:
    """Return the state of an export."""
    by_id = {credential.id: credential for credential in export.credentials}
    by_resource = {each.resource: each for each in export.credentials if not each.is_leaving}
    creates: dict[tuple[str, str], list[PendingCreate]] = defaultdict(list)
    for create in export.creates:
        creates[create.user, create.service].append(create)
    return RecordedState(by_resource, by_id, dict(creates))


def compare_recorded(
    chosen: Desired, inventory: Inventory, state: RecordedState, soon: timedelta
) -> Iterator[CredentialDifference]:
    """Yield the differences of declared credentials; an expiry within `soon` after the inventory is a finding."""
    live = {credential.id: credential for credential in inventory.credentials}
    groups = _group(inventory)
    present = {user.name for user in inventory.users}
    for user in chosen.users:
        for wanted in user.credentials if user.name in present else ():
            existing, declared = groups.get((user.name, wanted.service), []), _find_siblings(user, wanted.service)
            recorded = state.find(wanted)
            managed = None if recorded is None else live.get(recorded.id)
            unmanaged = tuple(filter(state.is_unmanaged, existing))
            if recorded is not None and managed is not None and managed.user == user.name:
                is_quota_used = max(len(declared), len(existing)) >= MAX_PER_SERVICE
                yield from _compare_one(wanted, recorded, managed)
                yield from check_expiry(
                    managed,
                    (wanted,),
                    wanted.place,
                    inventory.read_at,
                    soon,
                    is_quota_used=is_quota_used,
                    is_managed=True,
                    blocked_by=unmanaged,
                )
            elif not state.is_creating(wanted):
                yield MissingCredential(
                    user=user.name,
                    service=wanted.service,
                    place=wanted.place,
                    desired=(wanted,),
                    live=(),
                    recorded=None if recorded is None else recorded.id,
                    current_user=None if managed is None else managed.user,
                    blocked_by=() if _takes(wanted, unmanaged, len(declared)) else unmanaged,
                )


def _group(inventory: Inventory) -> dict[tuple[str, str], list[Credential]]:
    """Return the existing credentials by user and service."""
    groups: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    for credential in inventory.credentials:
        groups[credential.user, credential.service].append(credential)
    return groups


def _find_siblings(user: DesiredUser, service: str) -> tuple[DesiredCredential, ...]:
    """Return the declared credentials of a user for a service."""
    return tuple(wanted for wanted in user.credentials if wanted.service == service)


def _takes(wanted: DesiredCredential, unmanaged: Sequence[Credential], declared: int) -> bool:
    """Return True if the plan of the next update imports or adopts one of the unmanaged credentials."""
    if any(live.id == wanted.adopt and live.status is not Status.EXPIRED for live in unmanaged):
        return True
    is_adopted = wanted.adopt is None and wanted.existing is Existing.ADOPT and len(unmanaged) <= declared
    return is_adopted and any(live.expires is None for live in unmanaged)


def find_pending_creates(
    desired: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[UnresolvedCreate]:
    """Yield the pending creates of the state, with the credentials that they may have created."""
    declared = {wanted.resource_name: wanted for user in desired.users for wanted in user.credentials}
    for (user, service), creates in state.creates.items():
        existing = (live for live in inventory.credentials if (live.user, live.service) == (user, service))
        candidates = tuple(live for live in existing if live.id not in state.by_id)
        for create in creates if selection.has(user, service) else ():
            wanted = declared.get(create.resource)
            yield UnresolvedCreate(
                user=user,
                service=service,
                place=None if wanted is None else wanted.place,
                desired=() if wanted is None else (wanted,),
                live=candidates,
                resource=create.resource,
            )


def find_unmanaged(
    chosen: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[UnmanagedCredential]:
    """Yield the unmanaged credentials of users whose credentials the specs declare."""
    users = {user.name: user for user in chosen.users if user.judges_credentials}
    own = {live.id for live in inventory.credentials if live.user in users}
    for live in inventory.credentials:
        user = users.get(live.user)
        if user is not None and state.is_unmanaged(live) and selection.has(live.user, live.service):
            declared = _find_siblings(user, live.service)
            recorded = {wanted: state.find(wanted) for wanted in declared}
            yield UnmanagedCredential(
                user=user.name,
                service=live.service,
                place=user.place,
                desired=declared,
                live=(live,),
                is_recent=live.id in inventory.young_credentials,
                missing=tuple(wanted for wanted, each in recorded.items() if each is None or each.id not in own),
                is_state_known=True,
            )


def find_no_longer_declared(
    desired: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[NoLongerDeclared]:
    """Yield the recorded credentials that no spec declares."""
    matches = (state.find(wanted) for user in desired.users for wanted in user.credentials)
    declared = {recorded.id for recorded in matches if recorded is not None}
    live = {credential.id: credential for credential in inventory.credentials}
    for recorded in state.by_id.values():
        if recorded.id not in declared and selection.has(recorded.user, recorded.service):
            existing = () if recorded.id not in live else (live[recorded.id],)
            yield NoLongerDeclared(user=recorded.user, service=recorded.service, live=existing, recorded=recorded)


def _compare_one(
    wanted: DesiredCredential, recorded: RecordedCredential, live: Credential
) -> Iterator[CredentialDifference]:
    """Yield the differences of an existing declared credential, except its expiry."""
    user, service, place, desired = wanted.user, wanted.service, wanted.place, (wanted,)
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
