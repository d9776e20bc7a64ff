"""The comparison of specs, a stack's state and an account; pure.

The state maps ids to declared credentials, so each difference is about one id.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from iamcreds.drift.managed import compare_managed, stays_expired
from iamcreds.drift.rules.expiring import ExpiryFacts
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UnmanagedCredential, UnresolvedCreate
from iamcreds.drift.successors import (
    check_previous,
    find_facts,
    find_next_successor,
    find_previous_of,
    is_lost,
    takes,
)
from iamcreds.resource_names import split_slot
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from iamcreds.desired import Desired, DesiredCredential, DesiredUser
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.drift.rules.difference import CredentialDifference
    from iamcreds.drift.selection import Selection
    from iamcreds.model import Credential, Inventory, RecordedCredential


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
            previous = find_previous_of(desired, by_id, state)
            yield from check_previous(previous, state, managed)
            if recorded is None or managed is None or managed.user != user.name:
                missing = MissingCredential(
                    user=user.name,
                    service=desired.service,
                    location=desired.location,
                    desired=(desired,),
                    existing=(),
                    recorded=None if recorded is None else recorded.id,
                    current_user=None if managed is None else managed.user,
                    blocked_by=() if takes(desired, unmanaged, len(declared)) else unmanaged,
                )
                yield from () if state.is_creating(desired) else (missing,)
            elif is_lost(desired, managed, state, by_id):
                yield from () if state.is_creating(desired) else (_find_lost(desired, managed, unmanaged),)
            else:
                facts = ExpiryFacts(
                    existing=managed,
                    desired=(desired,),
                    location=desired.location,
                    at=inventory.read_at,
                    soon=soon,
                    is_quota_used=max(_count(declared), len(existing)) >= MAX_PER_SERVICE,
                    recorded=recorded,
                    is_kept=stays_expired(desired, recorded, managed),
                    blocked_by=unmanaged,
                    rotation=find_facts(desired, state, inventory, by_id, existing),
                    previous=None if previous is None else previous.credential,
                )
                yield from compare_managed(desired, recorded, facts, state, inventory)


def _find_lost(
    desired: DesiredCredential, retired: Credential, unmanaged: tuple[Credential, ...]
) -> MissingCredential:  # fmt: skip
    """Return the difference of a credential of which only the retired previous one exists."""
    return MissingCredential(
        user=desired.user,
        service=desired.service,
        location=desired.location,
        desired=(desired,),
        existing=(),
        retired=retired.id,
        blocked_by=() if retired.expires is None else unmanaged,  # a password is reset in its slot
    )


def _count(declared: Sequence[DesiredCredential]) -> int:
    """Return the share of IAM's quota that these credentials of one user and service declare."""
    return sum(each.number for each in declared)


def _group(inventory: Inventory) -> dict[tuple[str, str], list[Credential]]:
    """Return the existing credentials by user and service."""
    groups: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    for credential in inventory.credentials:
        groups[credential.user, credential.service].append(credential)
    return groups


def _find_siblings(user: DesiredUser, service: str) -> tuple[DesiredCredential, ...]:
    """Return the declared credentials of a user for a service."""
    return tuple(each for each in user.credentials if each.service == service)


def find_pending_creates(
    desired: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[UnresolvedCreate]:
    """Yield the pending creates of the state, with the credentials that they may have created."""
    declared = {each.declared_name: each for user in desired.users for each in user.credentials}
    for (user, service), creates in state.creates.items():
        group = (each for each in inventory.credentials if (each.user, each.service) == (user, service))
        candidates = tuple(each for each in group if each.id not in state.by_id)
        for create in creates if selection.has(user, service) else ():
            credential = declared.get(split_slot(create.resource)[0])
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
            blocked = _find_blocked(existing, recorded, inventory.account)
            due = [date for date in blocked.values() if date is not None]
            yield UnmanagedCredential(
                user=user.name,
                service=existing.service,
                location=user.location,
                desired=declared,
                existing=(existing,),
                is_recent=existing.id in inventory.young_credentials,
                missing=tuple(desired for desired, each in recorded.items() if each is None or each.id not in own),
                is_state_known=True,
                blocks_renewal=bool(blocked),
                renewal_due=min(due, default=None),
            )


def _find_blocked(
    unmanaged: Credential, recorded: Mapping[DesiredCredential, RecordedCredential | None], account: str
) -> dict[DesiredCredential, datetime | None]:
    """Return the due dates of the successors that the unmanaged one blocks, by credential; None if unknown."""
    return {
        desired: find_next_successor(desired, each, account)
        for desired, each in recorded.items()
        if desired.has_successors and each is not None and not takes(desired, [unmanaged], 1)
    }


def find_no_longer_declared(
    desired: Desired, inventory: Inventory, state: RecordedState, selection: Selection
) -> Iterator[NoLongerDeclared]:
    """Yield the recorded credentials that no spec declares; `rotate` and `renewBefore` declare both slots."""
    declared, left = _find_declared(desired, state)
    by_id = {credential.id: credential for credential in inventory.credentials}
    for recorded in state.by_id.values():
        if recorded.id not in declared and selection.has(recorded.user, recorded.service):
            existing = () if recorded.id not in by_id else (by_id[recorded.id],)
            current = left.get(recorded.id)
            yield NoLongerDeclared(
                user=recorded.user,
                service=recorded.service,
                location=None if current is None else current.location,
                desired=() if current is None else (current,),
                existing=existing,
                recorded=recorded,
            )


def _find_declared(desired: Desired, state: RecordedState) -> tuple[set[str], dict[str, DesiredCredential]]:
    """Return the declared ids, and by id the previous credentials of those that no longer have successors."""
    declared: set[str] = set()
    left: dict[str, DesiredCredential] = {}
    for each in (each for user in desired.users for each in user.credentials):
        slots = state.find_slots(each)
        if slots.current is not None:
            declared.add(slots.current.id)
        if slots.previous is not None and each.has_successors:
            declared.add(slots.previous.id)
        elif slots.previous is not None:
            left[slots.previous.id] = each
    return declared, left
