"""Desired x live -> drift; pure. Without state, so a live id is never claimed to be this or that declared name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.drift import access_keys as policy
from iamcreds.drift import credentials as matching
from iamcreds.drift.credentials import Pair
from iamcreds.durations import format_duration
from iamcreds.errors import NothingSelectedError
from iamcreds.formatting import format_count
from iamcreds.model import Drift, Finding, Kind
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.model import AccessKey, AccessKeyPolicy, Credential, Desired, DesiredUser, Inventory

RULES = {
    **policy.RULES,
    "expired": "a credential of a declared user and service has expired",
    "expiring-soon": "a credential of a declared user and service expires within the time asked for",
    "missing-credential": "fewer credentials are live than declared",
    "status-differs": "a live status is not the declared one",
    "switched-off": "a credential without a declared status is Inactive: somebody switched it off, and it stays so",
    "undeclared-user": "a user whom no spec declares has a credential",
    "unmanaged-credential": "more credentials of a declared user are live than declared",
}
"""Every rule a finding can name, and what breaks it; names are for good."""

SOON = timedelta(days=14)
"""An expiry within this time is a finding, unless another time is asked for."""


@dataclass(frozen=True)
class Selection:
    """Which users (names) and services (full names) are asked for; where none is named, all are."""

    users: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    def has(self, user: str, service: str) -> bool:
        """Whether the user's credentials for the service are asked for."""
        return self._has_user(user) and self._has_service(service)

    def of(self, desired: Desired) -> Desired:
        """The specs as far as they are asked for.

        Access keys belong to no service: where services are asked for, no user has a policy for them.
        """
        return replace(desired, users=tuple(map(self._of_user, filter(self._has, desired.users))))

    def check(self, desired: Desired, inventory: Inventory) -> None:
        """See to it that everything asked for is desired or live.

        Raises:
            NothingSelectedError: something is neither.
        """
        users = {user.name for user in desired.users} | {user.name for user in inventory.users}
        services = {one.service for user in desired.users for one in user.credentials}
        services |= {one.service for one in inventory.credentials}
        unknown = [f"user {name}" for name in sorted(self.users - users)]
        unknown += [f"service {service_alias(name)}" for name in sorted(self.services - services)]
        if unknown:
            raise NothingSelectedError(f"neither the specs nor the account know {' or '.join(unknown)}")

    def _has(self, user: DesiredUser) -> bool:
        return self._has_user(user.name)

    def _has_user(self, name: str) -> bool:
        return not self.users or name in self.users

    def _has_service(self, service: str) -> bool:
        return not self.services or service in self.services

    def _of_user(self, user: DesiredUser) -> DesiredUser:
        if not self.services:
            return user
        credentials = tuple(one for one in user.credentials if self._has_service(one.service))
        return replace(user, credentials=credentials, access_keys=None)


EVERYTHING = Selection()


def watched_users(desired: Desired) -> dict[str, AccessKeyPolicy]:
    """The policies of the users whose access keys are watched, by user."""
    return {user.name: user.access_keys for user in desired.users if user.access_keys is not None}


def compare(desired: Desired, inventory: Inventory, soon: timedelta = SOON, selection: Selection = EVERYTHING) -> Drift:
    """What differs between the specs (all of them) and the account, as far as it is asked for.

    The present is the time of the inventory; an expiry within `soon` of it is a finding.
    """
    chosen = selection.of(desired)
    pairs = tuple(_pairs(chosen, inventory, selection))
    missing = _missing(chosen, inventory, selection)
    found = [
        *map(_missing_user, missing),
        *(one for pair in pairs for one in matching.findings(pair, inventory.read_at, soon)),
        *_undeclared(desired, inventory, selection),
        *_access_keys(chosen, inventory),
    ]
    kinds = list(Kind)
    drift = Drift(
        inventory=inventory,
        findings=tuple(sorted(found, key=lambda one: (kinds.index(one.kind), one.user, one.service, one.id, one.rule))),
        users=len(chosen.users),
        credentials=sum(len(user.credentials) for user in chosen.users),
        watched=len(watched_users(chosen)),
        resets=sum(one.reset is not None for user in chosen.users for one in user.credentials),
    )
    return replace(drift, notes=tuple(_notes(drift, pairs, unwatched=bool(selection.services))))


def _pairs(chosen: Desired, inventory: Inventory, selection: Selection) -> Iterator[Pair]:
    live: dict[tuple[str, str], list[Credential]] = defaultdict(list)
    services: dict[str, set[str]] = defaultdict(set)
    for one in inventory.credentials:
        if selection.has(one.user, one.service):
            live[one.user, one.service].append(one)
            services[one.user].add(one.service)
    present = {user.name for user in inventory.users}
    for user in chosen.users:
        if user.name in present:
            for service in sorted(services[user.name].union(one.service for one in user.credentials)):
                declared = tuple(one for one in user.credentials if one.service == service)
                yield Pair(user, service, declared, tuple(live[user.name, service]))


def _missing(chosen: Desired, inventory: Inventory, selection: Selection) -> list[DesiredUser]:
    present = {user.name for user in inventory.users}
    absent = (user for user in chosen.users if user.name not in present)
    return [user for user in absent if user.credentials or not selection.services]


def _missing_user(user: DesiredUser) -> Finding:
    number = len(user.credentials)
    rest = f", so {format_count(number, 'declared credential')} cannot be" if number else ""
    message = f"the account has no such IAM user{rest}"
    desired = format_count(number, "credential")
    return Finding(user.name, "", "missing-user", message, "", Kind.DRIFT, user.place, desired, "no such user")


def _undeclared(desired: Desired, inventory: Inventory, selection: Selection) -> Iterator[Finding]:
    declared = {user.name for user in desired.users}
    for one in inventory.credentials:
        if one.user not in declared and selection.has(one.user, one.service):
            live = f"{one.status}, created on {one.created:%Y-%m-%d}"
            message = f"has {service_alias(one.service)} credential {one.id} ({live}), and no spec declares this user"
            yield Finding(one.user, one.id, "undeclared-user", message, one.service, Kind.UNDECLARED, None, None, live)


def _access_keys(chosen: Desired, inventory: Inventory) -> Iterator[Finding]:
    keys = _by_user(inventory.access_keys)
    read = set(inventory.access_keys_read)
    for user in chosen.users:
        if user.access_keys is not None and user.name in read:
            found = policy.findings(user.name, user.access_keys, keys.get(user.name, ()), inventory.read_at)
            yield from (replace(one, place=user.place) for one in found)


def _by_user(keys: Iterable[AccessKey]) -> Mapping[str, list[AccessKey]]:
    found: dict[str, list[AccessKey]] = defaultdict(list)
    for key in keys:
        found[key.user].append(key)
    return found


def _notes(drift: Drift, pairs: Iterable[Pair], *, unwatched: bool) -> Iterator[str]:
    """What was not looked at, and on what the answer rests."""
    inventory = drift.inventory
    read = len(inventory.access_keys_read)
    if drift.resets:
        triggers = format_count(drift.resets, "reset trigger")
        yield f"{triggers} not checked: only the stack's state knows what was carried out"
    if any(pair.declared and pair.live for pair in pairs):
        yield "ids not checked: only the stack's state knows which live id is which declared credential"
    if unwatched:
        yield "access keys were not looked at: they belong to no service"
    if inventory.report_missing is not None:
        reason = f"there is no credential report ({inventory.report_missing})"
        yield f"the access keys of {format_count(read, 'watched user')} were read one by one, because {reason}"
    if inventory.report is not None:
        age = format_duration(inventory.read_at - inventory.report.generated)
        yield (
            f"access keys of {format_count(drift.watched, 'watched user')}: those of {read:,} were read now, the others"
            f" judged by the credential report, which is {age} old: a key made or switched on since, or older than its"
            " last change, is only seen with --exact"
        )
