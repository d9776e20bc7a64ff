"""The two slots of renewed credentials in a preview; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.pull_request.changes import Note
from iamcreds.pull_request.properties import format_value, parse_date
from iamcreds.resource_names import slot_name, split_slot
from iamcreds.resource_types import CREDENTIAL_TYPE
from iamcreds.slots import rank_slot
from iamcreds.text.names import CREDENTIAL_ID
from iamcreds.text.numbers import parse_whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.pull_request.preview import State, Step


@dataclass(frozen=True)
class RecordedSlots:
    """The credentials of a preview before its changes, by URN.

    Attributes:
        states: the credentials as the refresh found them.
        gone: the recorded credentials that the refresh did not find.
    """

    states: Mapping[str, State]
    gone: Mapping[str, State]

    def is_renewal(self, step: Step) -> bool:
        """Return True if the step creates the successor of the credential in the other slot."""
        other = self._find_other(step.urn)
        if step.new is None or other is None:
            return False
        rotation, own = count_rotations(step.new.inputs), step.old or self.gone.get(step.urn)
        is_newer = own is None or rotation > count_rotations(own.outputs)
        return is_newer and rotation > count_rotations(other.outputs)

    def is_previous(self, old: State) -> bool:
        """Return True if the other slot has the successor of this credential."""
        other = self._find_other(old.urn)
        return other is not None and _rank(other) > _rank(old)

    def explain_renewal(self, step: Step) -> Iterator[Note]:
        """Yield the notes of a renewal: the end of the credential in the other slot, and the replaced one."""
        other = self._find_other(step.urn)
        if other is not None:
            yield _describe_end(other)
        if step.old is not None:
            yield Note("replaces", step.old.id)

    def _find_other(self, urn: str) -> State | None:
        name, slot = split_slot(urn)
        return self.states.get(slot_name(name, 1 if slot > 1 else 2))


def find_recorded_slots(steps: Iterable[Step]) -> RecordedSlots:
    """Return the credentials before the changes of a preview; a refresh comes before the other steps."""
    states: dict[str, State] = {}
    gone: dict[str, State] = {}
    for step in steps:
        old = step.old
        if old is None or old.type != CREDENTIAL_TYPE or old.is_leaving:
            continue
        if step.op == "refresh" and step.new is None:
            gone[old.urn] = old
        else:
            state = step.new if step.op == "refresh" and step.new is not None else old
            states |= {old.urn: state, step.urn: state}  # a rename has both URNs
    return RecordedSlots(states, gone)


def count_rotations(properties: Mapping[str, object]) -> int:
    """Return the number of predecessors in inputs or outputs, 0 if it is absent or not valid."""
    return parse_whole_number(properties.get("rotation")) or 0


def note_previous(old: State) -> Note:
    """Return the note of a deletion or deactivation of the previous credential."""
    return Note(f"previous, valid until {_format_expiry(old)}".removesuffix(" until "))


def _rank(state: State) -> tuple[int, int]:
    return rank_slot(state.urn, count_rotations(state.outputs))


def _describe_end(old: State) -> Note:
    """Return the note about the credential that a renewal precedes."""
    id_ = old.id if CREDENTIAL_ID.fullmatch(old.id) else "the previous one"
    date = _format_expiry(old)
    match old.outputs.get("status"):
        case Status.EXPIRED:
            return Note(f"{id_} expired on {date}".removesuffix(" on "))
        case Status.ACTIVE:
            return Note(f"{id_} stays valid until {date}".removesuffix(" until "))
        case status:
            return Note(f"{id_} is", format_value(status, quoted=False))


def _format_expiry(old: State) -> str:
    date = parse_date(old.outputs.get("expiration_date"))
    return "" if date is None else f"{date:%Y-%m-%d}"
