"""The comparison of specs with an account; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.drift.current import find_current, find_shown
from iamcreds.drift.deliveries import count_unchecked, find_leftover_secrets
from iamcreds.drift.matching import Pair, compare_credentials, split_previous
from iamcreds.drift.policies import count_unknown_ages, find_violations
from iamcreds.drift.recorded import (
    compare_recorded,
    find_no_longer_declared,
    find_pending_creates,
    find_unmanaged,
)
from iamcreds.drift.renaming import find_new_names
from iamcreds.drift.rules.access_key_limits import check_access_keys
from iamcreds.drift.rules.difference import Difference, Kind
from iamcreds.drift.rules.missing import MissingUser
from iamcreds.drift.rules.undeclared import UndeclaredUser
from iamcreds.drift.selection import EVERYTHING
from iamcreds.drift.successors import find_previous_credentials
from iamcreds.drift.waivers import list_ended, list_unused, split_waived

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from iamcreds.desired import AccessKeyPolicy, Desired, Waiver
    from iamcreds.drift.current import CurrentCredential
    from iamcreds.drift.recorded_state import RecordedState, SecretPlace
    from iamcreds.drift.selection import Selection
    from iamcreds.drift.waivers import WaivedDifference
    from iamcreds.model import AccessKey, Credential, Inventory
    from iamcreds.slots import PreviousCredential

SOON = timedelta(days=14)
"""The default time before an expiry in which it is a finding."""

_KINDS = list(Kind)


@dataclass(frozen=True)
class Drift:
    """The result of comparing specs with an account.

    Attributes:
        inventory: the complete account, without filters.
        differences: sorted by kind, user, service, id and rule.
        unsettled: differences that eventual consistency may explain, in the same order.
        waived: differences that specs waive, which count for nothing, in the same order.
        ended_waivers: the waivers that have ended, and whose differences count again.
        unused_waivers: the waivers that no difference matches; empty without a state.
        users: the number of selected declared users.
        credentials: the number of their declared credentials.
        watched: the number of users with an access key policy.
        resets: the number of reset triggers that were not checked, because the state is unknown.
        ages: the number of credentials whose age was not checked, because the state is unknown.
        rotations: the number of credentials whose rotation was not checked, because the state is unknown.
        deliveries: the number of deliveries whose secret was not checked, because the state is unknown or the store
            cannot be read.
        are_ids_unknown: True if the state is needed to match existing with declared credentials.
        are_keys_skipped: True if access keys were not compared, because the selection has services.
        ignored: the number of credentials of undeclared users that the selection excludes.
        previous: the existing credentials whose successors exist, which are not compared.
        state: the stack's state, None without one.
        current: the existing credentials of declared ones, without those in `previous`.
        store_notes: the reasons why deliveries were not compared with their store.
    """

    inventory: Inventory
    differences: tuple[Difference, ...]
    unsettled: tuple[Difference, ...]
    users: int
    credentials: int
    watched: int
    resets: int
    ages: int
    rotations: int
    are_ids_unknown: bool
    are_keys_skipped: bool
    ignored: int
    waived: tuple[WaivedDifference, ...] = ()
    ended_waivers: tuple[Waiver, ...] = ()
    unused_waivers: tuple[Waiver, ...] = ()
    previous: tuple[PreviousCredential, ...] = ()
    state: RecordedState | None = None
    current: tuple[CurrentCredential, ...] = ()
    deliveries: int = 0
    store_notes: tuple[str, ...] = ()

    @property
    def issued(self) -> Mapping[str, datetime] | None:
        """The times of the last create or reset by credential id, as far as the state has them; None without one."""
        return None if self.state is None else self.state.issued

    @property
    def secrets(self) -> Mapping[str, SecretPlace] | None:
        """The places of secrets by credential id; None without a state."""
        return None if self.state is None else self.state.places

    def by_kind(self, kind: Kind) -> tuple[Difference, ...]:
        """Return the differences of one kind."""
        return tuple(difference for difference in self.differences if difference.kind is kind)


def list_rules(base: type[Difference] = Difference) -> list[type[Difference]]:
    """Return the class of every rule."""
    below = [rule for direct in base.__subclasses__() for rule in list_rules(direct)]
    return [base, *below] if "rule" in vars(base) else below


def watched_users(desired: Desired) -> dict[str, AccessKeyPolicy]:
    """Return the access key policies by user."""
    return {user.name: user.access_keys for user in desired.users if user.access_keys is not None}


def group_access_keys(inventory: Inventory) -> dict[str, list[AccessKey]]:
    """Return the access keys of every user whose keys were read, by user, oldest first."""
    keys: dict[str, list[AccessKey]] = {user: [] for user in inventory.access_keys_read}
    for key in inventory.access_keys:
        keys[key.user].append(key)
    return keys


def compare(
    desired: Desired,
    inventory: Inventory,
    soon: timedelta = SOON,
    selection: Selection = EVERYTHING,
    state: RecordedState | None = None,
) -> Drift:
    """Compare all the specs with the account, and return the selected differences.

    The current time is that of the inventory, and an expiry within `soon` after it is a finding. With the stack's
    state, each difference is about one id.
    """
    chosen = selection.narrow(desired)
    pairs = tuple(_pairs(chosen, inventory, selection))
    undeclared = tuple(_undeclared_users(desired, inventory, selection, state))
    differences: list[Difference] = [
        *_missing_users(chosen, inventory, selection),
        *(
            (difference for pair in pairs for difference in compare_credentials(pair, inventory.read_at, soon))
            if state is None
            else (
                *compare_recorded(chosen, inventory, state, soon),
                *find_unmanaged(chosen, inventory, state, selection),
                *find_no_longer_declared(desired, inventory, state, selection),
                *find_pending_creates(desired, inventory, state, selection),
                *find_leftover_secrets(state),
            )
        ),
        *(undeclared if selection.has_undeclared else ()),
        *_access_key_findings(chosen, inventory),
        *find_violations(chosen, inventory, selection, state),
    ]
    differences.sort(key=_order)
    settled = [difference for difference in differences if not difference.may_be_lag(inventory)]
    counted, waived = split_waived(chosen, settled, inventory.read_at)
    return Drift(
        inventory=inventory,
        differences=counted,
        waived=waived,
        ended_waivers=list_ended(chosen, counted, inventory.read_at),
        unused_waivers=list_unused(chosen, differences, selection, state),
        unsettled=tuple(difference for difference in differences if difference.may_be_lag(inventory)),
        users=len(chosen.users),
        credentials=sum(len(user.credentials) for user in chosen.users),
        watched=len(watched_users(chosen)),
        resets=0 if state else sum(each.reset is not None for user in chosen.users for each in user.credentials),
        ages=0 if state else count_unknown_ages(chosen, inventory, selection),
        rotations=0 if state else sum(each.rotate is not None for user in chosen.users for each in user.credentials),
        are_ids_unknown=state is None and any(pair.declared and pair.existing for pair in pairs),
        are_keys_skipped=bool(selection.services),
        ignored=0 if selection.has_undeclared else len(undeclared),
        previous=tuple(
            (pair.previous for pair in pairs if pair.previous is not None)
            if state is None
            else find_previous_credentials(chosen, inventory, state)
        ),
        state=state,
        current=tuple(find_shown(pairs) if state is None else find_current(chosen, inventory, state)),
        deliveries=count_unchecked(chosen, state),
        store_notes=() if state is None or state.secrets is None else state.secrets.notes,
    )


def _order(difference: Difference) -> tuple[int, str, str, str, str]:
    kind = _KINDS.index(difference.kind)
    return kind, difference.user, difference.service, difference.id, difference.rule


def _pairs(chosen: Desired, inventory: Inventory, selection: Selection) -> Iterator[Pair]:
    by_service: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    services: dict[str, set[str]] = defaultdict(set)
    for credential in inventory.credentials:
        if selection.has(credential.user, credential.service):
            by_service[credential.user, credential.service].append(credential)
            services[credential.user].add(credential.service)
    present = {user.name for user in inventory.users}
    for user in chosen.users:
        if user.name in present and user.judges_credentials:
            for service in sorted(services[user.name].union(each.service for each in user.credentials)):
                declared = tuple(each for each in user.credentials if each.service == service)
                existing, recent = tuple(by_service[user.name, service]), inventory.young_credentials
                yield split_previous(Pair(user, service, declared, existing, recent, chosen.path))


def _missing_users(chosen: Desired, inventory: Inventory, selection: Selection) -> Iterator[MissingUser]:
    present = {user.name for user in inventory.users}
    new_names = find_new_names(inventory)
    by_lower = {name.lower(): name for name in present}
    for user in chosen.users:
        if user.name not in present and (user.credentials or not selection.services):
            yield MissingUser(
                user=user.name,
                location=user.location,
                desired=user.credentials,
                renamed_to=new_names.get(user.name),
                is_created_by_stack=user.iam_user is not None and not user.iam_user.is_imported,
                case_variant=by_lower.get(user.name.lower()),
                has_iam_user=user.iam_user is not None,
                was=user.was if user.was in present else None,
            )


def _undeclared_users(
    desired: Desired, inventory: Inventory, selection: Selection, state: RecordedState | None
) -> Iterator[UndeclaredUser]:
    present = {user.name for user in inventory.users}
    declared = {user.name for user in desired.users}
    by_lower = {name.lower(): name for name in declared}
    declared |= {user.was for user in desired.users if user.was is not None and user.name not in present}
    missing = {user.name for user in desired.users if user.iam_user is None} - present
    former = {new: old for old, new in find_new_names(inventory).items() if old in missing}
    for credential in inventory.credentials:
        is_unmanaged = credential.user not in declared and (state is None or state.is_unmanaged(credential))
        if is_unmanaged and selection.has(credential.user, credential.service):
            yield UndeclaredUser(
                user=credential.user,
                service=credential.service,
                existing=(credential,),
                is_recent=credential.id in inventory.young_credentials,
                declared_as=by_lower.get(credential.user.lower()),
                folder=None if desired.path in desired.files else desired.path,
                renamed_from=former.get(credential.user),
            )


def _access_key_findings(chosen: Desired, inventory: Inventory) -> Iterator[Difference]:
    keys = group_access_keys(inventory)
    for user in chosen.users:
        if user.access_keys is not None and user.name in keys:
            findings = check_access_keys(user.name, user.access_keys, keys[user.name], inventory.read_at)
            yield from (replace(finding, location=user.location) for finding in findings)
