"""The two slots of renewed and rotated credentials in a preview; pure.

Both slots have the declared name in the comment. The slot with the greater `rotation` has the current credential.
Two resources are slots of one credential only if they have the same user and service.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.pull_request.changes import Note
from iamcreds.pull_request.properties import format_name, format_value, parse_date
from iamcreds.resource_names import slot_name, split_slot
from iamcreds.resource_types import CREDENTIAL_TYPE, urn_name
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
        groups: the user and service, or several during a change of the user.
    """

    states: Mapping[str, State]
    gone: Mapping[str, State]
    steps: Mapping[str, Step]
    groups: Mapping[str, Collection[tuple[str, str]]]

    def is_renewal(self, step: Step) -> bool:
        """Return True if the step creates the successor of the credential in the other slot before its expiry."""
        other = self._find_other(step.urn)
        if step.new is None or other is None or is_rotation(step):
            return False
        rotation, own = count_rotations(step.new.inputs), step.old or self.gone.get(step.urn)
        is_newer = own is None or rotation > count_rotations(own.outputs)
        return is_newer and rotation > count_rotations(other.outputs)

    def is_previous(self, old: State) -> bool:
        """Return True if the other slot has the successor of this credential; a slot number is not enough."""
        other = self._find_other(old.urn)
        return other is not None and count_rotations(other.outputs) > count_rotations(old.outputs)

    def is_retirement(self, step: Step) -> bool:
        """Return True if a deactivation or deletion is of a previous credential whose overlap has ended.

        Only then, the new inputs of the current credential name it. Without them, it is a removal: a reset, specs that
        no longer declare successors, a retired credential that was activated again, or `--target`.
        """
        old = step.old
        current = None if old is None or old.is_retained else self.steps.get(self._find_other_urn(old.urn))
        if old is None or current is None or current.new is None or current.op not in ("same", "update"):
            return False
        return bool(old.id) and current.new.inputs.get("retires") == old.id

    def explain_renewal(self, step: Step) -> Iterator[Note]:
        """Yield the notes of a renewal: the end of the credential in the other slot, and the replaced one."""
        other = self._find_other(step.urn)
        if other is not None:
            yield _describe_end(other)
        if step.old is not None:
            yield Note("replaces", step.old.id)

    def _find_other(self, urn: str) -> State | None:
        return self.states.get(self._find_other_urn(urn))

    def _find_other_urn(self, urn: str) -> str:
        """Return the URN of the other slot, or an empty one if that has a different user or service."""
        name, slot = split_slot(urn)
        other = slot_name(name, 1 if slot > 1 else 2)
        return "" if set(self.groups.get(urn, ())).isdisjoint(self.groups.get(other, ())) else other


def find_recorded_slots(steps: Iterable[Step], planned: Sequence[Step]) -> RecordedSlots:
    """Return the credentials before the changes of a preview; a refresh comes before the other steps.

    `planned` has at most one step for each resource.
    """
    states: dict[str, State] = {}
    gone: dict[str, State] = {}
    groups = defaultdict[str, set[tuple[str, str]]](set)
    for step in steps:
        old = step.old
        for urn, state in _list_states(step):
            groups[urn].add(find_group(state))
        if old is None or old.type != CREDENTIAL_TYPE or old.is_leaving:
            continue
        if step.op == "refresh" and step.new is None:
            gone[old.urn] = old
        else:
            state = step.new if step.op == "refresh" and step.new is not None else old
            states |= {old.urn: state, step.urn: state}  # a rename has both URNs
    by_urn = {urn: step for step in planned for urn in (step.old.urn if step.old else step.urn, step.urn)}
    return RecordedSlots(states, gone, by_urn, groups)


def _list_states(step: Step) -> Iterator[tuple[str, State]]:
    """Yield the states of a credential's step by its URNs; a rename has two."""
    for state in (step.old, step.new):
        if state is not None and state.type == CREDENTIAL_TYPE and not state.is_leaving:
            yield from ((urn, state) for urn in {state.urn, step.urn})


def find_group(state: State) -> tuple[str, str]:
    """Return the user and the service of a credential."""
    return format_name(state, "user"), format_name(state, "service")


def find_declared_urn(state: State) -> str:
    """Return the URN of slot 1 for both slots.

    A credential in slot 2 has a `rotation`. Without it, the name of a program's own credential ends with `~2`.
    """
    is_successor = count_rotations(state.inputs) > 0 or count_rotations(state.outputs) > 0
    return split_slot(state.urn)[0] if is_successor else state.urn


def find_declared_name(state: State) -> str:
    """Return the name that both slots have in the comment; see `find_declared_urn`."""
    return urn_name(find_declared_urn(state))


def count_rotations(properties: Mapping[str, object]) -> int:
    """Return the number of predecessors in inputs or outputs, 0 if it is absent or not valid."""
    return parse_whole_number(properties.get("rotation")) or 0


def is_rotation(step: Step) -> bool:
    """Return True if the step issues a new password as the successor of the credential in the other slot."""
    if step.new is None or step.op == "same" or "rotates" not in step.new.inputs:
        return False
    return step.old is None or count_rotations(step.new.inputs) > count_rotations(step.old.outputs)


def find_rotated(step: Step) -> str:
    """Return the id of the credential whose successor a rotation issues, or an empty text if it is not valid."""
    id_ = step.new.inputs.get("rotates") if step.new else None
    return id_ if isinstance(id_, str) and CREDENTIAL_ID.fullmatch(id_) else ""


def explain_rotation(step: Step) -> Iterator[Note]:
    """Yield the notes of a rotation: the previous credential, and the one that is reset or replaced."""
    yield Note(f"{_format_id(find_rotated(step))} stays valid for the overlap")
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


def _format_id(id_: str) -> str:
    return id_ if CREDENTIAL_ID.fullmatch(id_) else "the previous one"


def _format_expiry(old: State) -> str:
    date = parse_date(old.outputs.get("expiration_date"))
    return "" if date is None else f"{date:%Y-%m-%d}"
