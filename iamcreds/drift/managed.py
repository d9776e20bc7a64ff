"""The differences of one declared credential that exists and that the stack's state has; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.deliveries import compare_delivery
from iamcreds.drift.rules.changed import Deactivated, ResetPending, StatusDiffers
from iamcreds.drift.rules.delivery import DeliveryLost
from iamcreds.drift.rules.expiry import check_expiry
from iamcreds.drift.rules.rotation import check_due_rotation, check_rotation
from iamcreds.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.drift.rules.difference import CredentialDifference
    from iamcreds.drift.rules.expiring import ExpiryFacts
    from iamcreds.model import Credential, Inventory, RecordedCredential


def compare_managed(
    desired: DesiredCredential,
    recorded: RecordedCredential,
    facts: ExpiryFacts,
    state: RecordedState,
    inventory: Inventory,
) -> Iterator[CredentialDifference]:
    """Yield the differences of a declared credential. A due rotation is one only if no other difference reports it.

    Args:
        desired: the declared credential.
        recorded: the current credential in the state.
        facts: the facts about its expiry and its rotation.
        state: the stack's state.
        inventory: the account.
    """
    differences: list[CredentialDifference] = [
        *_compare_one(desired, recorded, facts.existing),
        *check_expiry(facts),
        *(() if facts.rotation is None else check_rotation(facts.rotation)),
        *compare_delivery(desired, facts.existing, state, inventory, facts.rotation),
    ]
    yield from differences
    is_reported = any(each.due is not None or isinstance(each, DeliveryLost) for each in differences)
    if facts.rotation is not None and not is_reported:
        yield from check_due_rotation(facts.rotation)


def stays_expired(desired: DesiredCredential, recorded: RecordedCredential, existing: Credential) -> bool:
    """Return True if the next update after its expiry does not replace the credential: it was deactivated manually."""
    is_off = recorded.was_deactivated if existing.status is Status.EXPIRED else existing.status is Status.INACTIVE
    has_lifetime = desired.expire_after_days in (recorded.age_days, existing.lifetime_days)
    is_unchanged = desired.status is None and desired.reset in (None, recorded.reset)
    return is_off and has_lifetime and is_unchanged


def _compare_one(
    desired: DesiredCredential, recorded: RecordedCredential, existing: Credential
) -> Iterator[CredentialDifference]:
    """Yield the differences of an existing declared credential, except those of its expiry, rotation and delivery."""
    user, service, location = desired.user, desired.service, desired.location
    if desired.status is not None and existing.status not in (desired.status, Status.EXPIRED):
        yield StatusDiffers(
            user=user,
            service=service,
            location=location,
            desired=(desired,),
            existing=(existing,),
            status=desired.status,
        )
    if desired.status is None and existing.status is Status.INACTIVE:
        yield Deactivated(user=user, service=service, location=location, desired=(desired,), existing=(existing,))
    if desired.reset not in (None, recorded.reset):
        yield ResetPending(
            user=user,
            service=service,
            location=location,
            desired=(desired,),
            existing=(existing,),
            recorded=recorded.reset,
        )
