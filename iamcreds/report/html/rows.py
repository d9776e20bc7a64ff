"""The subject of the report, and the rows of its tables of credentials and services; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.comparing import SOON
from iamcreds.drift.selection import EVERYTHING
from iamcreds.model import Status
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from iamcreds.desired import Desired, DesiredCredential
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.model import Credential, SourceLocation


DECLARED = "declared"


@dataclass(frozen=True)
class Subject:
    """The subject of a report.

    Attributes:
        drift: the result of the comparison.
        desired: the complete desired state.
        soon: the time before an expiry in which it is a finding.
        selection: the selected users and services.
    """

    drift: Drift
    desired: Desired
    soon: timedelta = SOON
    selection: Selection = EVERYTHING

    @property
    def read_at(self) -> datetime:
        """The time of the inventory, which is the current time of the report."""
        return self.drift.inventory.read_at

    def days_since(self, then: datetime) -> int:
        """Return the whole days from a date to the current time of the report."""
        return max(0, (self.read_at - then).days)


@dataclass(frozen=True)
class CredentialRow:
    """An existing credential.

    Attributes:
        credential: the credential.
        service: the short name of its service.
        issued: the time of its last create or reset, None if that is unknown.
        days: the age of its password in days, from then on, or from its creation.
        managed: a description of its declaration.
        location: its location in the specs, or that of its user; None for an undeclared user.
        is_previous: True if its successor exists.
        rotation_due: the time from which an update rotates it, None for never, or if that is unknown.
        secret: the place of its secret, empty if that is unknown; the store has only the secret of the current one.
    """

    credential: Credential
    service: str
    issued: datetime | None
    days: int
    managed: str
    location: SourceLocation | None
    is_previous: bool = False
    rotation_due: datetime | None = None
    secret: str = ""

    @property
    def is_declared(self) -> bool:
        """Return True if it is declared, or the previous one of a declared credential."""
        return self.is_previous or self.managed == DECLARED


@dataclass(frozen=True)
class ServiceRow:
    """The numbers of a service's declared and existing credentials."""

    service: str
    declared: int
    existing: int
    active: int
    inactive: int
    expired: int
    expiring: int
    users: int


def build_credential_rows(subject: Subject) -> Iterator[CredentialRow]:
    """Yield every selected existing credential, by user, service and id."""
    declared = defaultdict(list)
    for user in subject.desired.users:
        for desired in user.credentials:
            declared[desired.user, desired.service].append(desired)
    users = {user.name: user.location for user in subject.desired.users}
    credentials = list(select_credentials(subject))
    previous = {each.credential.id: each for each in subject.drift.previous}
    rotations = {each.credential.id: each.rotation_due for each in subject.drift.current}
    existing = Counter((each.user, each.service) for each in credentials if each.id not in previous)
    for credential in credentials:
        pair = credential.user, credential.service
        location = declared[pair][0].location if len(declared[pair]) == 1 else users.get(credential.user)
        managed = _describe_managed(_count(subject, declared[pair]), existing[pair], is_known=credential.user in users)
        issued = (subject.drift.issued or {}).get(credential.id)
        days = subject.days_since(issued or credential.created)
        if is_previous := credential.id in previous:
            location, managed = previous[credential.id].desired.location, previous[credential.id].describe()
        service = service_alias(credential.service)
        due = rotations.get(credential.id)
        place = None if is_previous else (subject.drift.secrets or {}).get(credential.id)
        secret = "" if place is None else place.describe()
        yield CredentialRow(credential, service, issued, days, managed, location, is_previous, due, secret)


def _count(subject: Subject, declared: Sequence[DesiredCredential]) -> int:
    """Return the number of existing credentials that these may be: without the state, two for one that rotates."""
    is_state_known = subject.drift.issued is not None
    return sum(1 if is_state_known or each.rotate is None else each.number for each in declared)


def select_credentials(subject: Subject) -> Iterator[Credential]:
    """Yield the selected existing credentials."""
    for credential in subject.drift.inventory.credentials:
        if subject.selection.has(credential.user, credential.service):
            yield credential


def _describe_managed(declared: int, existing: int, *, is_known: bool) -> str:
    if not is_known:
        return "undeclared user"
    if not declared:
        return "unmanaged"
    return DECLARED if existing <= declared else f"{existing - declared} of {existing} unmanaged"


def build_service_rows(subject: Subject) -> Iterator[ServiceRow]:
    """Yield every service with a declared or existing credential."""
    desired = subject.selection.narrow(subject.desired)
    declared = Counter(each.service for user in desired.users for each in user.credentials)
    existing = defaultdict(list)
    for credential in select_credentials(subject):
        existing[credential.service].append(credential)
    for service in sorted(declared.keys() | existing.keys(), key=service_alias):
        credentials = existing[service]
        statuses = Counter(credential.status for credential in credentials)
        yield ServiceRow(
            service=service_alias(service),
            declared=declared[service],
            existing=len(credentials),
            active=statuses[Status.ACTIVE],
            inactive=statuses[Status.INACTIVE],
            expired=statuses[Status.EXPIRED],
            expiring=sum(credential.expires is not None for credential in credentials),
            users=len({credential.user for credential in credentials}),
        )
