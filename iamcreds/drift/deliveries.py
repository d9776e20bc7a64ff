"""The comparison of the state's deliveries with the secret stores; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.rules.delivery import DeliveryFacts, LeftoverSecret, check_delivery, describe_secret
from iamcreds.drift.stored_secrets import find_region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.desired import Desired, DesiredCredential
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.drift.rules.delivery import DeliveryDifference
    from iamcreds.drift.rules.next_rotation import RotationFacts
    from iamcreds.model import Credential, Inventory


def compare_delivery(
    desired: DesiredCredential,
    existing: Credential,
    state: RecordedState,
    inventory: Inventory,
    rotation: RotationFacts | None,
) -> Iterator[DeliveryDifference]:
    """Yield the difference of a current credential's secret, if the store was read.

    Args:
        desired: the declared credential.
        existing: the existing credential that the state has for it.
        state: the stack's state.
        inventory: the account.
        rotation: the facts of its rotation, None without a rotation.
    """
    recorded = state.find(desired)
    found = state.find_secret(recorded)
    if recorded is not None and found is not None:
        facts = DeliveryFacts(
            desired=desired,
            recorded=recorded,
            existing=existing,
            found=found,
            account=inventory.account,
            at=inventory.read_at,
            rotation=rotation,
        )
        yield from check_delivery(facts)


def find_leftover_secrets(state: RecordedState) -> Iterator[LeftoverSecret]:
    """Yield the secrets that the stack no longer delivers."""
    for left in () if state.secrets is None else state.secrets.left:
        secret = describe_secret(left.stored.name, left.title, find_region(left.stored.arn))
        yield LeftoverSecret(
            user=left.user, service=left.service, location=left.location, stored=left.stored, secret=secret
        )


def count_unchecked(chosen: Desired, state: RecordedState | None) -> int:
    """Return the number of deliveries that were not compared with their store."""
    if state is None or state.secrets is None:
        return sum(each.deliver is not None for user in chosen.users for each in user.credentials)
    return state.secrets.unchecked
