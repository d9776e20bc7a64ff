"""The projections of declared credentials, from the account and, if given, the stack's state; pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from iamcreds.drift.successors import find_taken
from iamcreds.model import Unmanaged
from iamcreds.planning.slot_facts import SlotFacts
from iamcreds.planning.slot_plan import StoreFacts
from iamcreds.schedule.known_slots import read_recorded_slots, read_shown_slots
from iamcreds.schedule.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iamcreds.desired import DesiredCredential, DesiredUser
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.recorded_state import RecordedState
    from iamcreds.model import Credential


@dataclass(frozen=True)
class Declared:
    """The declared credentials in an account.

    Attributes:
        drift: the comparison of the specs with the account.
        groups: the existing credentials by user and service.
    """

    drift: Drift
    groups: Mapping[tuple[str, str], Sequence[Credential]]

    def find_projections(self, user: DesiredUser) -> Iterator[Projection]:
        """Yield a projection for each credential of a user that exists or will, if its slots are known."""
        state = self.drift.state
        policy = None if state is None else user.credential_policy
        for desired in user.credentials:
            facts = self._show_facts(user, desired) if state is None else self._read_facts(user, desired, state)
            if facts is not None and not facts.is_renamed:
                yield Projection(
                    facts=facts,
                    user=user,
                    account=self.drift.inventory.account,
                    max_age_days=None if policy is None else policy.max_age_days,
                )

    @cached_property
    def _by_id(self) -> dict[str, Credential]:
        return {credential.id: credential for credential in self.drift.inventory.credentials}

    def _show_facts(self, user: DesiredUser, desired: DesiredCredential) -> SlotFacts | None:
        slots = read_shown_slots(
            desired, _find_siblings(user, desired), self.groups.get((user.name, desired.service), ())
        )
        return None if slots is None else SlotFacts(desired, slots)

    def _read_facts(self, user: DesiredUser, desired: DesiredCredential, state: RecordedState) -> SlotFacts | None:
        """Return the facts of a credential; None if it is unknown which unmanaged one it imports or adopts.

        Siblings, which only defer a rotation to the next run of the same day, have no effect on dates.
        """
        slots = read_recorded_slots(desired, state, self._by_id, self.drift.inventory.young_credentials)
        group, siblings = self.groups.get((user.name, desired.service), ()), _find_siblings(user, desired)
        unmanaged = [] if user.unmanaged is Unmanaged.DELETE else list(filter(state.is_unmanaged, group))
        lacking = [each for each in siblings if state.find(each) is None]
        if not slots and len(lacking) > 1 and any(find_taken(each, unmanaged, len(siblings)) for each in lacking):
            return None
        last_read = state.find_last_read(state.find(desired))
        store = StoreFacts(is_lost=state.is_secret_lost(desired), last_read=last_read)
        return SlotFacts(desired, slots, unmanaged, store=store)


def _find_siblings(user: DesiredUser, desired: DesiredCredential) -> list[DesiredCredential]:
    return [each for each in user.credentials if each.service == desired.service]
