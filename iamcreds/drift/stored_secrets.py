"""The secrets of deliveries as the stores have them, and those that a stack has left in a store; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iamcreds.delivery import DeliveredSecret, name_tagged_user
from iamcreds.services import service_name
from iamcreds.text.names import SERVICE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.desired import Desired, DesiredCredential, DesiredUser
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.drift.selection import Selection
    from iamcreds.model import RecordedCredential, SourceLocation
    from iamcreds.stores.store import StoredSecret


@dataclass(frozen=True)
class FoundSecret:
    """The secret of a recorded delivery in its store.

    Attributes:
        title: the name of the store for messages.
        stored: the secret, None if it does not exist.
    """

    title: str
    stored: StoredSecret | None


@dataclass(frozen=True)
class LeftSecret:
    """A secret that has the tag of a declared user's credential, and that the stack does not deliver.

    Attributes:
        title: the name of the store for messages.
        stored: the secret.
        user: the IAM user's name.
        service: the service's full name.
        location: the source location of the user.
    """

    title: str
    stored: StoredSecret
    user: str
    service: str
    location: SourceLocation


@dataclass(frozen=True)
class StoredSecrets:
    """The secrets in the stores of a comparison.

    Attributes:
        found: the secrets of recorded deliveries by their recorded ARN, as far as the comparison judges them.
        left: the secrets that the stack does not deliver.
        unchecked: the number of recorded deliveries that were not compared with their secret.
        notes: the reasons: the errors of the reads, one for each store, and recent deliveries.
    """

    found: Mapping[str, FoundSecret] = field(default_factory=dict)
    left: tuple[LeftSecret, ...] = ()
    unchecked: int = 0
    notes: tuple[str, ...] = ()


def find_judged(
    chosen: Desired, state: RecordedState
) -> Iterator[tuple[DesiredCredential, RecordedCredential, DeliveredSecret]]:
    """Yield the declared credentials whose secret the state has delivered to the declared store, with that secret.

    The store has the password of the current slot. A removed or moved delivery is a change that an update applies.
    """
    for desired in (each for user in chosen.users for each in user.credentials):
        recorded = state.find(desired)
        if desired.deliver is None or recorded is None or recorded.delivered is None or recorded.deliver is None:
            continue
        if not desired.deliver.is_moved(recorded.deliver):
            yield desired, recorded, recorded.delivered


def find_left(
    listed: Iterable[StoredSecret], store: str, chosen: Desired, state: RecordedState, selection: Selection
) -> Iterator[tuple[DesiredUser, str, StoredSecret]]:
    """Yield the listed secrets that the stack does not deliver, with the declared user and the service of their tag.

    Args:
        listed: the secrets of a store with the tag of a credential.
        store: the store, see `iamcreds.delivery.STORES`.
        chosen: the selected part of the specs.
        state: the stack's state.
        selection: the selected users and services.
    """
    users = {name_tagged_user(user.name): user for user in chosen.users if user.judges_credentials}
    delivered = {each.delivered.arn for each in state.by_id.values() if each.delivered is not None}
    for stored in listed:
        tag, _, alias = (stored.credential or "").rpartition("/")
        user, service = users.get(tag), service_name(alias)
        if user is None or SERVICE_NAME.fullmatch(service) is None or stored.arn in delivered:
            continue
        is_creating = (user.name, service) in state.creates
        if selection.has(user.name, service) and not is_creating and not _is_declared(user, service, store, stored):
            yield user, service, stored


def _is_declared(user: DesiredUser, service: str, store: str, stored: StoredSecret) -> bool:
    """Return True if specs declare the secret for a credential of the user and service: an update may deliver it."""
    account, region = stored.arn.split(":")[4], find_region(stored.arn)
    declared = (each.deliver for each in user.credentials if each.service == service)
    return any(
        each is not None
        and each.store == store
        and each.region in (None, region)
        and each.resolve_name(user.name, service, account) == stored.name
        for each in declared
    )


def find_region(arn: str) -> str:
    """Return the region in the ARN of a secret."""
    return DeliveredSecret(arn, "").region
