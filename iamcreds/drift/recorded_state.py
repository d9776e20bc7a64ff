"""The part of a stack's state that a comparison needs; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from iamcreds.resource_names import split_slot
from iamcreds.slots import Slots, find_slots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from iamcreds.delivery import DeliveredSecret
    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.stored_secrets import FoundSecret, StoredSecrets
    from iamcreds.model import Credential, PendingCreate, RecordedCredential, StackExport


@dataclass(frozen=True)
class SecretPlace:
    """The place of a credential's secret.

    Attributes:
        is_in_state: True if the state has it.
        delivered: the secret in a store, None without one.
    """

    is_in_state: bool
    delivered: DeliveredSecret | None = None

    def describe(self) -> str:
        """Return the ARN, `state`, or both; empty for an imported credential without a password."""
        places = [] if self.delivered is None else [self.delivered.arn]
        return " and ".join([*places, *(["state"] if self.is_in_state else [])])


@dataclass(frozen=True)
class RecordedState:
    """The credentials and the pending creates of a state, and the secrets that it has delivered.

    Attributes:
        by_resource: credentials by resource name, without replaced copies that have not been deleted yet.
        by_id: credentials by id.
        creates: pending creates by user and service (full name).
        secrets: the secrets in the stores of its deliveries, None if they were not read.
    """

    by_resource: Mapping[str, RecordedCredential]
    by_id: Mapping[str, RecordedCredential]
    creates: Mapping[tuple[str, str], Sequence[PendingCreate]]
    secrets: StoredSecrets | None = None

    def find_slots(self, desired: DesiredCredential) -> Slots:
        """Return the recorded credentials of a declared one."""
        return find_slots(self.by_resource, desired)

    def find(self, desired: DesiredCredential) -> RecordedCredential | None:
        """Return the current recorded credential of a declared one."""
        return self.find_slots(desired).current

    def find_previous(self, desired: DesiredCredential) -> RecordedCredential | None:
        """Return the previous recorded credential of a declared one, None before a successor or after its deletion."""
        return self.find_slots(desired).previous

    @cached_property
    def issued(self) -> dict[str, datetime]:
        """The times of the last create or reset by id, without credentials whose time is unknown."""
        return {each.id: each.issued for each in self.by_id.values() if each.issued is not None}

    @cached_property
    def places(self) -> dict[str, SecretPlace]:
        """The places of secrets by id of their credential."""
        return {each.id: SecretPlace(each.has_secret, each.delivered) for each in self.by_id.values()}

    def find_secret(self, recorded: RecordedCredential | None) -> FoundSecret | None:
        """Return the secret of a recorded credential in its store, None if it was not read."""
        if self.secrets is None or recorded is None or recorded.delivered is None:
            return None
        return self.secrets.found.get(recorded.delivered.arn)

    def is_secret_lost(self, desired: DesiredCredential) -> bool:
        """Return True if only a new password can be delivered: the store has not got it as declared, nor has the state.

        This is the case if the store lost the recorded version, and if the declared delivery differs from the recorded.
        """
        recorded = self.find(desired)
        if recorded is None or recorded.has_secret:
            return False
        if desired.deliver is not None and desired.deliver.needs_secret(recorded.deliver):
            return True
        found = self.find_secret(recorded)
        return found is not None and (found.stored is None or not found.stored.has(recorded.delivered))

    def find_last_read(self, recorded: RecordedCredential | None) -> date | None:
        """Return the day of the last read of a credential's secret in its store, None if it is unknown."""
        found = self.find_secret(recorded)
        return None if found is None or found.stored is None else found.stored.last_read

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
