"""The two slots of renewed and rotated credentials in a preview; pure.

Both slots have the declared name in the comment. The slot with the greater `rotation` has the current credential.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.pull_request.changes import Note
from iamcreds.pull_request.properties import format_name, format_value, parse_date
from iamcreds.resource_names import slot_name, split_slot
from iamcreds.resource_types import CREDENTIAL_TYPE
from iamcreds.slots import rank_slot
from iamcreds.text.names import CREDENTIAL_ID
from iamcreds.text.numbers import parse_whole_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from iamcreds.pull_request.preview import State, Step


@dataclass(frozen=True)
class RecordedSlots:
    """The credentials of a preview before its changes, by URN.

    Attributes:
        states: the credentials as the refresh found them.
        gone: the recorded credentials that the refresh did not find.
        steps: the steps of the credentials.
        names: the declared names by user and service.
    """

    states: Mapping[str, State]
    gone: Mapping[str, State]
    steps: Mapping[str, Step]
    names: Mapping[tuple[str, str], Collection[str]]

    def is_renewal(self, step: Step) -> bool:
        """Return True if the step creates the successor of the credential in the other slot before its expiry."""
        other = self._find_other(step.urn)
        if step.new is None or other is None or is_rotation(step):
            return False
        rotation, own = count_rotations(step.new.inputs), step.old or self.gone.get(step.urn)
        is_newer = own is None or rotation > count_rotations(own.outputs)
        return is_newer and rotation > count_rotations(other.outputs)

    def is_previous(self, old: State) -> bool:
        """Return True if the other slot has the successor of this credential."""
        other = self._find_other(old.urn)
        return other is not None and _rank(other) > _rank(old)

    def is_retirement(self, step: Step) -> bool:
        """Return True if the step deactivates or deletes a previous credential because its overlap has ended.

        It is a removal instead if the same run resets or replaces the current credential, or if a reset has issued the
        current password. It also is if specs no longer declare successors, or if a retired credential is Active again.
        """
        old, current = step.old, None if step.old is None else self.steps.get(_find_other_urn(step.old.urn))
        if old is None or old.is_retained or current is None or current.op not in ("same", "update"):
            return False
        if current.old is None or current.new is None or not _is_newer(current.old, old):
            return False
        is_kept = count_rotations(current.new.inputs) == count_rotations(current.old.outputs)
        is_reset = current.new.inputs.get("reset") not in (None, old.inputs.get("reset"))
        return is_kept and not is_reset and not _is_reactivated(old) and self._has_successors(current.new)

    def explain_renewal(self, step: Step) -> Iterator[Note]:
        """Yield the notes of a renewal: the end of the credential in the other slot, and the replaced one."""
        other = self._find_other(step.urn)
        if other is not None:
            yield _describe_end(other)
        if step.old is not None:
            yield Note("replaces", step.old.id)

    def _has_successors(self, new: State) -> bool:
        """Return True if specs reserve both slots for this credential, and do not declare two credentials."""
        is_only_one = len(self.names[_find_group(new)]) == 1
        return is_only_one and (parse_whole_number(new.inputs.get("declared")) or 1) > 1

    def _find_other(self, urn: str) -> State | None:
        return self.states.get(_find_other_urn(urn))


def find_recorded_slots(steps: Iterable[Step], planned: Sequence[Step]) -> RecordedSlots:
    """Return the credentials before the changes of a preview; a refresh comes before the other steps.

    `planned` has at most one step for each resource.
    """
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
    by_urn = {urn: step for step in planned for urn in (step.old.urn if step.old else step.urn, step.urn)}
    return RecordedSlots(states, gone, by_urn, _find_names(planned))


def _find_names(planned: Iterable[Step]) -> Mapping[tuple[str, str], Collection[str]]:
    names = defaultdict[tuple[str, str], set[str]](set)
    for step in planned:
        if step.new is not None and step.new.type == CREDENTIAL_TYPE:
            names[_find_group(step.new)].add(split_slot(step.urn)[0])
    return names


def count_rotations(properties: Mapping[str, object]) -> int:
    """Return the number of predecessors in inputs or outputs, 0 if it is absent or not valid."""
    return parse_whole_number(properties.get("rotation")) or 0


def is_rotation(step: Step) -> bool:
    """Return True if the step issues a new password as the successor of the credential in the other slot."""
    if step.new is None or step.op == "same" or "rotates" not in step.new.inputs:
        return False
    return step.old is None or count_rotations(step.new.inputs) > count_rotations(step.old.outputs)


def explain_rotation(step: Step) -> Iterator[Note]:
    """Yield the notes of a rotation: the previous credential, and the one that is reset or replaced."""
    id_ = step.new.inputs.get("rotates") if step.new else None
    yield Note(f"{_format_id(id_)} stays valid for the overlap")
    if step.old is not None:
        yield Note("resets and activates" if step.op == "update" else "replaces", step.old.id)


def explain_retirement(step: Step) -> Iterator[Note]:
    """Yield the notes of a retirement: its reason and its effect."""
    yield Note("overlap has ended")
    yield Note(f"{'deletes' if step.new is None else 'deactivates'} the previous credential")


def note_previous(old: State) -> Note:
    """Return the note of a deletion or deactivation of the previous credential."""
    if old.outputs.get("status") != Status.ACTIVE:
        return Note("previous")
    return Note(f"previous, valid until {_format_expiry(old)}".removesuffix(" until "))


def _find_other_urn(urn: str) -> str:
    name, slot = split_slot(urn)
    return slot_name(name, 1 if slot > 1 else 2)


def _find_group(state: State) -> tuple[str, str]:
    return format_name(state, "user"), format_name(state, "service")


def _rank(state: State) -> tuple[int, int]:
    return rank_slot(state.urn, count_rotations(state.outputs))


def _is_newer(current: State, old: State) -> bool:
    """Return True if a rotation or renewal has issued the current credential; a slot number is not enough."""
    return count_rotations(current.outputs) > count_rotations(old.outputs)


def _is_reactivated(old: State) -> bool:
    """Return True if a retired credential was activated outside Pulumi, so its password may be in use."""
    return old.inputs.get("status") == Status.INACTIVE and old.outputs.get("status") != Status.INACTIVE


def _describe_end(old: State) -> Note:
    """Return the note about the credential that a renewal precedes."""
    id_, date = _format_id(old.id), _format_expiry(old)
    match old.outputs.get("status"):
        case Status.EXPIRED:
            return Note(f"{id_} expired on {date}".removesuffix(" on "))
        case Status.ACTIVE:
            return Note(f"{id_} stays valid until {date}".removesuffix(" until "))
        case status:
            return Note(f"{id_} is", format_value(status, quoted=False))


def _format_id(id_: object) -> str:
    return id_ if isinstance(id_, str) and CREDENTIAL_ID.fullmatch(id_) else "the previous one"


def _format_expiry(old: State) -> str:
    date = parse_date(old.outputs.get("expiration_date"))
    return "" if date is None else f"{date:%Y-%m-%d}"
