"""The comparison of specs, a stack's state and an account; pure.

The state maps ids to declared credentials, so each difference is about one id.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.changed import Deactivated, ResetPending, StatusDiffers
from iamcreds.drift.rules.expiry import check_expiry
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UnmanagedCredential, UnresolvedCreate
from iamcreds.model import Existing, Status
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

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

    def find(self, desired: DesiredCredential) -> RecordedCredential | None:
        """Return the recorded credential of a declared one, by its current or a former resource name."""
        names = (desired.resource_name, *desired.former_resource_names)
        return next((self.by_resource[name] for name in names if name in self.by_resource), None)

    @property
    def issued(self) -> dict[str, datetime]:
        """The times of the last create or reset by id, without credentials whose time is unknown."""
        return {each.id: each.issued for each in self.by_id.values() if each.issued is not None}

    def is_creating(self, desired: DesiredCredential) -> bool:
        """Return True if a create of the declared credential is pending."""
        creates = self.creates.get((desired.user, desired.service), ())
        return any(create.resource == desired.resource_name for create in creates)

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
    by_id = {credential.id: credential for credential in inventory.credentials}
    groups = _group(inventory)
    present = {user.name for user in inventory.users}
    for user in chosen.users:
        for desired in user.credentials if user.name in present else ():
            existing, declared = groups.get((user.name, desired.service), []), _find_siblings(user, desired.service)
            recorded = state.find(desired)
            managed = None if recorded is None else by_id.get(recorded.id)
            unmanaged = tuple(filter(state.is_unmanaged, existing))
            if recorded is not None and managed is not None and managed.user == user.name:
                is_quota_used = max(len(declared), len(existing)) >= MAX_PER_SERVICE
                yield from _compare_one(desired, recorded, managed)
                yield from check_expiry(
                    managed,
                    (desired,),
                    desired.location,
                    inventory.read_at,
                    soon,
                    is_quota_used=is_quota_used,
                    is_managed=True,
                    is_kept=_stays_expired(desired, recorded, managed),
                    blocked_by=unmanaged,
                )
            elif not state.is_creating(desired):
                yield MissingCredential(
                    user=user.name,
                    service=desired.service,
                    location=desired.location,
                    desired=(desired,),
                    existing=(),
                    recorded=None if recorded is None else recorded.id,
                    current_user=None if managed is None else managed.user,
                    blocked_by=() if _takes(desired, unmanaged, len(declared)) else unmanaged,
                )


def _group(inventory: Inventory) -> dict[tuple[str, str], list[Credential]]:
    """Return the existing credentials by user and service."""
    groups: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    for credential in inventory.credentials:
        groups[credential.user, credential.service].append(credential)
    return groups


def _find_siblings(user: DesiredUser, service: str) -> tuple[DesiredCredential, ...]:
    """Return the declared credentials of a user for a service."""
    return tuple(each for each in user.credentials if each.service == service)


def _stays_expired(desired: DesiredCredential, recorded: RecordedCredential, existing: Credential) -> bool:
    """Return True if the next update does not replace the credential after its expiry."""
    has_lifetime = desired.expire_after_days in (recorded.age_days, existing.lifetime_days)
    is_unchanged = desired.status is None and desired.reset in (None, recorded.reset)
    return recorded.was_deactivated and has_lifetime and is_unchanged


def _takes(desired: DesiredCredential, unmanaged: Sequence[Credential], declared: int) -> bool:
    """Return True if the plan of the next update imports or adopts one of the unmanaged credentials."""
    valid = [existing for existing in unmanaged if existing.status is not Status.EXPIRED]
    fitting = [existing for existing in valid if existing.lifetime_days == desired.expire_after_days]
    if any(existing.id == desired.adopt for existing in (valid if desired.expire_after_days is None else fitting)):
        return True
    is_adopted = desired.adopt is None and desired.existing is Existing.ADOPT and len(unmanaged) <= declared
    return is_adopted and bool(fitting)


def find_pending_creates(
    desired: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[UnresolvedCreate]:
    """Yield the pending creates of the state, with the credentials that they may have created."""
    declared = {each.resource_name: each for user in desired.users for each in user.credentials}
    for (user, service), creates in state.creates.items():
        group = (each for each in inventory.credentials if (each.user, each.service) == (user, service))
        candidates = tuple(each for each in group if each.id not in state.by_id)
        for create in creates if selection.has(user, service) else ():
            credential = declared.get(create.resource)
            yield UnresolvedCreate(
                user=user,
                service=service,
                location=None if credential is None else credential.location,
                desired=() if credential is None else (credential,),
                existing=candidates,
                resource=create.resource,
            )


def find_unmanaged(
    chosen: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[UnmanagedCredential]:
    """Yield the unmanaged credentials of users whose credentials the specs declare."""
    users = {user.name: user for user in chosen.users if user.judges_credentials}
    own = {existing.id for existing in inventory.credentials if existing.user in users}
    for existing in inventory.credentials:
        user = users.get(existing.user)
        if user is not None and state.is_unmanaged(existing) and selection.has(existing.user, existing.service):
            declared = _find_siblings(user, existing.service)
            recorded = {each: state.find(each) for each in declared}
            yield UnmanagedCredential(
                user=user.name,
                service=existing.service,
                location=user.location,
                desired=declared,
                existing=(existing,),
                is_recent=existing.id in inventory.young_credentials,
                missing=tuple(desired for desired, each in recorded.items() if each is None or each.id not in own),
                is_state_known=True,
            )


def find_no_longer_declared(
    desired: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[NoLongerDeclared]:
    """Yield the recorded credentials that no spec declares."""
    matches = (state.find(each) for user in desired.users for each in user.credentials)
    declared = {recorded.id for recorded in matches if recorded is not None}
    by_id = {credential.id: credential for credential in inventory.credentials}
    for recorded in state.by_id.values():
        if recorded.id not in declared and selection.has(recorded.user, recorded.service):
            existing = () if recorded.id not in by_id else (by_id[recorded.id],)
            yield NoLongerDeclared(user=recorded.user, service=recorded.service, existing=existing, recorded=recorded)


def _compare_one(
    desired: DesiredCredential, recorded: RecordedCredential, existing: Credential
) -> Iterator[CredentialDifference]:
    """Yield the differences of an existing declared credential, except its expiry."""
    user, service, location = desired.user, desired.service, desired.location
    if desired.status is not None and existing.status not in (desired.status, Status.EXPIRED):
        yield StatusDiffers(
            user=user,
            service=service,
            location=location,
            desired=(desired,),
            existing=(existing,),
            status=desired.status,
        )
    if desired.status is None and existing.status is Status.INACTIVE:
        yield Deactivated(user=user, service=service, location=location, desired=(desired,), existing=(existing,))
    if desired.reset not in (None, recorded.reset):
        yield ResetPending(
            user=user,
            service=service,
            location=location,
            desired=(desired,),
            existing=(existing,),
            recorded=recorded.reset,
        )
