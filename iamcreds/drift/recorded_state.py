"""The part of a stack's state that a comparison needs; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.resource_names import split_slot
from iamcreds.slots import Slots, find_slots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential, PendingCreate, RecordedCredential, StackExport


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

    def find_slots(self, desired: DesiredCredential) -> Slots:
        """Return the recorded credentials of a declared one."""
        return find_slots(self.by_resource, desired)

    def find(self, desired: DesiredCredential) -> RecordedCredential | None:
        """Return the current recorded credential of a declared one."""
        return self.find_slots(desired).current

    def find_previous(self, desired: DesiredCredential) -> RecordedCredential | None:
        """Return the previous recorded credential of a declared one, None before a successor or after its deletion."""
        return self.find_slots(desired).previous

    @property
    def issued(self) -> dict[str, datetime]:
        """The times of the last create or reset by id, without credentials whose time is unknown."""
        return {each.id: each.issued for each in self.by_id.values() if each.issued is not None}

    def is_creating(self, desired: DesiredCredential) -> bool:
        """Return True if a create of the declared credential is pending, in either of its slots."""
        creates = self.creates.get((desired.user, desired.service), ())
        return any(split_slot(create.resource)[0] == desired.declared_name for create in creates)

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
