"""The read of the secret stores for a comparison: one list of each store in use, and a read of each disagreement."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.drift.stored_secrets import FoundSecret, LeftSecret, StoredSecrets, find_judged, find_left
from iamcreds.due_dates import find_issue
from iamcreds.errors import AccountError, ConfigError, UnauthenticatedError
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.delivery import DeliveredSecret
    from iamcreds.desired import Desired
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.drift.selection import Selection
    from iamcreds.stores.deliveries import Deliveries
    from iamcreds.stores.store import Store, StoredSecret

LAG = timedelta(minutes=5)
"""The time for which lists may lack a change.

ListSecrets "might not reflect changes from the last five minutes" (AWS Secrets Manager API Reference).
"""


def read_secrets(
    deliveries: Deliveries, chosen: Desired, state: RecordedState, selection: Selection, now: datetime
) -> StoredSecrets:
    """Read the stores that the selected specs and the state use; without deliveries, no call is necessary.

    A store or secret that cannot be read does not prevent the comparison.

    Args:
        deliveries: the secret stores of the run.
        chosen: the selected part of the specs.
        state: the stack's state.
        selection: the selected users and services.
        now: the server time.

    Raises:
        UnauthenticatedError: AWS rejects the credentials of the caller.
    """
    reading = _Reading(deliveries)
    for store, region in sorted(_find_stores(deliveries, chosen, state, selection)):
        reading.list_store(store, region)
    for _, recorded, delivered in find_judged(chosen, state):
        place = recorded.deliver.store if recorded.deliver else "", delivered.region
        reading.judge(place, delivered, is_young=now - find_issue(recorded) < LAG)
    left = tuple(reading.confirm_left(chosen, state, selection))
    return StoredSecrets(reading.found, left, reading.unchecked, tuple(reading.list_notes()))


def _find_stores(
    deliveries: Deliveries, chosen: Desired, state: RecordedState, selection: Selection
) -> set[tuple[str, str]]:
    """Return the stores and regions of recorded deliveries, and of declared ones whose region is known."""
    stores = {
        (recorded.deliver.store, recorded.delivered.region)
        for recorded in state.by_id.values()
        if recorded.deliver is not None and recorded.delivered is not None
        if selection.has(recorded.user, recorded.service)
    }
    for declared in (each.deliver for user in chosen.users for each in user.credentials):
        region = None if declared is None else declared.region or deliveries.region
        stores |= set() if declared is None or region is None else {(declared.store, region)}
    return stores


@dataclass
class _Reading:
    """The reads of one run.

    Attributes:
        deliveries: the secret stores of the run.
        listed: the listed secrets of each store and region by ARN.
        found: the secrets of recorded deliveries by ARN.
        unchecked: the number of recorded deliveries that were not compared with their secret.
        young: the number of those that the list may still lack.
        errors: the first error of each store and region.
    """

    deliveries: Deliveries
    listed: dict[tuple[str, str], dict[str, StoredSecret]] = field(default_factory=dict)
    found: dict[str, FoundSecret] = field(default_factory=dict)
    unchecked: int = 0
    young: int = 0
    errors: dict[tuple[str, str], str] = field(default_factory=dict)

    def list_store(self, store: str, region: str) -> None:
        """List a store."""
        try:
            secrets = self.deliveries.list_secrets(store, region)
        except UnauthenticatedError:
            raise
        except (AccountError, ConfigError) as error:
            self._note((store, region), error)
        else:
            self.listed[store, region] = {stored.arn: stored for stored in secrets.values()}

    def judge(self, place: tuple[str, str], delivered: DeliveredSecret, *, is_young: bool) -> None:
        """Read the secret of a recorded delivery, unless the list confirms it or may still lack it."""
        listed = self.listed.get(place)
        if listed is None:
            self.unchecked += 1
            return
        store, stored = self.deliveries.open_store(*place), listed.get(delivered.arn)
        if stored is None or not stored.has(delivered):
            if is_young:
                self.unchecked += 1
                self.young += 1
                return
            is_read, stored = self._describe(place, store, delivered.arn)
            if not is_read:
                self.unchecked += 1
                return
        self.found[delivered.arn] = FoundSecret(store.title, stored)

    def confirm_left(self, chosen: Desired, state: RecordedState, selection: Selection) -> Iterator[LeftSecret]:
        """Yield the secrets that the stack does not deliver; a list may still have deleted ones."""
        for place, listed in self.listed.items():
            store = self.deliveries.open_store(*place)
            for user, service, secret in find_left(listed.values(), place[0], chosen, state, selection):
                _, stored = self._describe(place, store, secret.arn)
                if stored is not None and stored.deleted is None and stored.credential == secret.credential:
                    yield LeftSecret(store.title, stored, user.name, service, user.location)

    def _describe(self, place: tuple[str, str], store: Store, arn: str) -> tuple[bool, StoredSecret | None]:
        """Return True and the secret, None if it does not exist; False if it could not be read."""
        try:
            return True, store.describe(arn)
        except UnauthenticatedError:
            raise
        except AccountError as error:
            self._note(place, error)
            return False, None

    def list_notes(self) -> Iterator[str]:
        """Yield the reasons why deliveries were not compared with their secret."""
        yield from self.errors.values()
        if self.young:
            number = format_count(self.young, "delivery", "deliveries")
            yield f"{number} of the last five minutes not checked, because the store's lists may lag: run again later"

    def _note(self, place: tuple[str, str], error: Exception) -> None:
        """Keep the first error of a store."""
        self.errors.setdefault(place, f"deliveries to {place[1]} not checked: {error}")
