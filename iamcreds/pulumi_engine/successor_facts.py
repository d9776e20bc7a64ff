"""The read of the facts that decide the plan of a credential with successors, from the state and the account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.errors import AccountError, ConfigError
from iamcreds.planning.slot_facts import SlotFacts
from iamcreds.planning.slot_plan import Slot, StoreFacts, make_existing
from iamcreds.slots import rank_slot
from iamcreds.stores.tokens import make_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.aws import Account
    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential, RecordedCredential
    from iamcreds.pulumi_engine.stack_state import StackState
    from iamcreds.stores.deliveries import Deliveries


def read_facts(
    account: Account,
    deliveries: Deliveries,
    credential: DesiredCredential,
    recorded: Mapping[int, RecordedCredential],
    state: StackState,
) -> SlotFacts:
    """Return the facts about a credential with these recorded slots.

    Raises:
        AccountError: as AWS responds.
    """
    slots = {number: Slot(each, _read(account, each)) for number, each in recorded.items()}
    own = {each.id for each in recorded.values()}
    others = [each for each in account.inventory.of(credential.user, credential.service) if each.id not in own]
    unmanaged = [each for each in others if each.id not in state.every]
    siblings = [each for each in others if each.id in state.every]
    return SlotFacts(credential, slots, unmanaged, siblings, _read_store(deliveries, credential, recorded))


def _read_store(
    deliveries: Deliveries, credential: DesiredCredential, recorded: Mapping[int, RecordedCredential]
) -> StoreFacts | None:
    """Return the facts about the current credential; None if it was never rotated, or if the store cannot be read.

    Then the provider rejects the credential, if it needs the store.
    """
    current = max(recorded.values(), key=lambda each: rank_slot(each.resource, each.rotation), default=None)
    declared = credential.deliver
    if current is None or declared is None or (credential.rotate is None and len(recorded) == 1):
        return None
    is_needed = declared.needs_secret(current.deliver)
    if is_needed and current.has_secret:
        return None
    delivered = None if is_needed else current.delivered
    try:
        stored = deliveries.find(deliveries.find_target(declared, credential.user, credential.service), delivered)
    except (AccountError, ConfigError):
        return StoreFacts(is_lost=True) if is_needed else None
    if stored is None:
        return StoreFacts(is_lost=not current.has_secret)
    is_stored = stored.has(delivered)
    is_finished = any(
        stored.attempt and stored.token == make_token(each.id, current.rotation + 1, credential.reset, stored.attempt)
        for each in recorded.values()
        if each is not current
    )
    return StoreFacts(
        is_lost=not (is_stored or is_finished or current.has_secret),
        is_confirmed=is_stored and stored.deleted is None and not stored.is_rotated,
        is_finished=is_finished,
        last_read=stored.last_read if is_stored else None,
    )


def find_user(
    account: Account, credential: DesiredCredential, recorded: Mapping[int, RecordedCredential]
) -> DesiredCredential:
    """Return the credential with the user of its slots, if the program does not know the user yet."""
    if credential.user or not recorded:
        return credential
    current = max(recorded.values(), key=lambda each: rank_slot(each.resource, each.rotation))
    existing = account.inventory.find(current.user, current.id)
    return replace(credential, user=current.user if existing is None else existing.user)


def _read(account: Account, recorded: RecordedCredential) -> Credential | None:
    """Return the existing credential; one so young that lists may lack it counts as recorded."""
    existing = account.inventory.find(recorded.user, recorded.id)
    if existing is not None:
        return existing
    return make_existing(recorded) if account.clock.is_young(recorded.created) else None
