"""The comparison of existing credentials with the credential policies of declared users; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.drift.rules.checked_credential import CheckedCredential
from iamcreds.drift.rules.credential_limits import check_credential
from iamcreds.drift.successors import find_facts
from iamcreds.model import Status
from iamcreds.slots import Slots, find_previous

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iamcreds.desired import CredentialPolicy, Desired, DesiredCredential, DesiredUser
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.drift.rules.credential_limits import CredentialFinding
    from iamcreds.drift.selection import Selection
    from iamcreds.model import Credential, Inventory


def find_violations(
    chosen: Desired, inventory: Inventory, selection: Selection, state: RecordedState | None
) -> Iterator[CredentialFinding]:
    """Yield the findings about existing credentials of declared users, managed or not.

    Ages are checked with the state only, because IAM returns no date of the last reset.
    """
    declared = {} if state is None else _match(chosen, state)
    groups: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    for existing in inventory.credentials:
        groups[existing.user, existing.service].append(existing)
    by_id = {existing.id: existing for existing in inventory.credentials}
    for user, policy, existing in _select(chosen, inventory, selection):
        group = groups[user.name, existing.service]
        checked = _check_by_group(user, existing, group)
        if state is not None:
            desired = declared.get(existing.id)
            checked = _check_by_id(user, desired, existing, state, by_id)
            if desired is not None and not checked.is_previous:
                rotation = find_facts(desired, state, inventory, by_id, group)
                checked = replace(checked, rotate=desired.rotate, rotation=rotation)
        yield from check_credential(policy, checked, inventory.read_at)


def count_unknown_ages(chosen: Desired, inventory: Inventory, selection: Selection) -> int:
    """Count the active credentials with a maximum age, which are not checked without the state."""
    return sum(
        existing.status is Status.ACTIVE and policy.max_age_days is not None
        for _, policy, existing in _select(chosen, inventory, selection)
    )


def _select(
    chosen: Desired, inventory: Inventory, selection: Selection
) -> Iterator[tuple[DesiredUser, CredentialPolicy, Credential]]:
    """Yield the selected existing credentials of the declared users with a policy."""
    users = {user.name: (user, user.credential_policy) for user in chosen.users}
    for existing in inventory.credentials:
        user, policy = users.get(existing.user, (None, None))
        if user is not None and policy is not None and selection.has(existing.user, existing.service):
            yield user, policy, existing


def _match(chosen: Desired, state: RecordedState) -> Mapping[str, DesiredCredential]:
    """Return the declared credentials by recorded id. Both slots of a credential have its declared name."""
    slots = ((each, state.find_slots(each)) for user in chosen.users for each in user.credentials)
    return {
        recorded.id: desired
        for desired, of_one in slots
        for recorded in (of_one.current, of_one.previous)
        if recorded is not None
    }


def _check_by_id(
    user: DesiredUser,
    desired: DesiredCredential | None,
    existing: Credential,
    state: RecordedState,
    by_id: Mapping[str, Credential],
) -> CheckedCredential:
    recorded = state.by_id.get(existing.id)
    slots = Slots() if desired is None else state.find_slots(desired)
    last_read = state.find_last_read(slots.current)
    is_previous = slots.previous is not None and slots.previous.id == existing.id
    return CheckedCredential(
        user=user.name,
        service=existing.service,
        status=existing.status,
        existing=existing,
        issued=None if recorded is None else recorded.issued,
        is_declared=desired is not None and not is_previous,
        age_days=None if desired is None else desired.expire_after_days,
        is_managed=recorded is not None,
        is_previous=is_previous and desired is not None and desired.has_successors,
        retirement=None if desired is None else slots.find_retirement(desired, by_id, last_read),
        has_protect=desired is not None and desired.protect,
        is_protected=recorded is not None and recorded.is_protected,
        desired=() if desired is None else (desired,),
        location=user.location if desired is None else desired.location,
    )


def _check_by_group(user: DesiredUser, existing: Credential, every: Sequence[Credential]) -> CheckedCredential:
    """Return a credential without the state; `every` has the existing ones of its user and service.

    Its declaration is known if that has its id, or if all declared lifetimes are equal and none is unmanaged. If two
    exist for a rotating one, only their actual values count, because either may be the previous one.
    """
    group = tuple(each for each in user.credentials if each.service == existing.service)
    named = tuple(each for each in group if each.adopt == existing.id)
    desired = named or group
    ages = {each.expire_after_days for each in desired}
    is_declared = bool(named) or (len(ages) == 1 and len(every) <= sum(each.number for each in group))
    is_previous = any(find_previous(each, every) == existing for each in group)
    is_ambiguous = len(every) > 1 and any(each.rotate for each in group)
    return CheckedCredential(
        user=user.name,
        service=existing.service,
        status=existing.status,
        existing=existing,
        is_age_known=False,
        is_declared=is_declared and not is_previous and not is_ambiguous,
        is_previous=is_previous,
        age_days=desired[0].expire_after_days if is_declared else None,
        is_managed=None,
        has_protect=any(each.protect for each in desired),
        desired=desired,
        location=desired[0].location if len(desired) == 1 else user.location,
    )
