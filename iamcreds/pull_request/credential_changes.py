"""The changes of the stack's credentials in a preview, including replaced copies; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.pull_request.changes import Action, Change, Note
from iamcreds.pull_request.deliveries import explain_delivery, is_delivery
from iamcreds.pull_request.notes import explain, note_lost_password
from iamcreds.pull_request.preview import MASK
from iamcreds.pull_request.properties import UNKNOWN, compare_properties, format_name, parse_date
from iamcreds.pull_request.successors import (
    count_rotations,
    explain_retirement,
    explain_rotation,
    find_declared_name,
    find_rotated,
    is_rotation,
    note_previous,
)
from iamcreds.resource_types import CREDENTIAL_TYPE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from iamcreds.pull_request.preview import State, Step
    from iamcreds.pull_request.successors import RecordedSlots

ACTIONS = {
    "create": Action.CREATE,
    "import": Action.CREATE,
    "delete": Action.DELETE,
    "delete-replaced": Action.DELETE,
    "replace": Action.REPLACE,
    "create-replacement": Action.REPLACE,
    "import-replacement": Action.REPLACE,
    "update": None,
    "same": None,
}
"""The actions by engine step. For None, they depend on the properties."""
_OF_PREVIOUS = frozenset({Action.DELETE, Action.DEACTIVATE})
_OF_SUCCESSORS = frozenset({Action.RENEW, Action.ROTATE, Action.RETIRE})
_EFFECTS = {Action.ROTATE: {Action.RESET, Action.ACTIVATE, Action.DELIVER}, Action.RETIRE: {Action.DEACTIVATE}}
"""The actions of an update in AWS that a rotation and a retirement include."""
_STATUSES = {"Active": Action.ACTIVATE, "Inactive": Action.DEACTIVATE}
_IDLE = (Status.INACTIVE, Status.EXPIRED)
"""The statuses of a credential whose password does not work."""


def find_credential_changes(
    steps: Iterable[Step], recorded: Mapping[str, State], slots: RecordedSlots
) -> Iterator[Change]:
    """Yield the changes of credentials; `recorded` contains the states before the refresh, by URN."""
    for step in steps:
        state = step.state
        if state is None or state.type != CREDENTIAL_TYPE:
            continue
        actions, is_previous = tuple(_find_actions(step, slots)), step.old is not None and slots.is_previous(step.old)
        if actions:
            yield Change(
                user=format_name(state, "user"),
                name=find_declared_name(state),
                service=format_name(state, "service"),
                actions=actions,
                notes=tuple(_explain(step, actions, recorded, slots)),
                properties=tuple(compare_properties(step.old, step.new)),
                location=step.location,
                credential_id=step.old.id if step.old else str(state.inputs.get("adopts", "")),
                steps=tuple(_find_steps(step, actions)),
                created=parse_date(step.old.outputs.get("create_date")) if step.old else None,
                is_previous=is_previous,
                rotates=find_rotated(step) if Action.ROTATE in actions else "",
            )


def _explain(
    step: Step, actions: Sequence[Action], recorded: Mapping[str, State], slots: RecordedSlots
) -> Iterator[Note]:
    """Return the notes of a change, including those about the other slot."""
    if Action.RENEW in actions:
        yield from slots.explain_renewal(step)
    elif Action.ROTATE in actions:
        yield from explain_rotation(step)
    elif Action.RETIRE in actions:
        yield from explain_retirement(step)
    elif not _OF_PREVIOUS.isdisjoint(actions) and step.old and slots.is_previous(step.old):
        yield note_previous(step.old)
    yield from explain_delivery(step, actions)
    if not _OF_SUCCESSORS.issuperset(actions):
        yield from explain(step, actions, recorded.get(step.old.urn if step.old else step.urn))


def find_old_copies(steps: Iterable[Step]) -> Iterator[Change]:
    """Yield the deletions of replaced copies that are still in the state.

    The engine performs these deletions without a step; only the refresh has steps of replaced copies.
    """
    for step in steps:
        old = step.old
        if step.op == "refresh" and old and old.is_leaving and old.type == CREDENTIAL_TYPE and step.new is not None:
            user, service = format_name(old, "user"), format_name(old, "service")
            yield Change(
                user,
                find_declared_name(old),
                service,
                (Action.DELETE,),
                (
                    Note("replaced earlier, not deleted yet:", old.id),
                    *note_lost_password(service, step.new.outputs.get("status")),
                ),
                (),
                old.location,
                old.id,
                created=parse_date(old.outputs.get("create_date")),
            )


def _find_steps(step: Step, actions: Collection[Action]) -> Iterator[Action]:
    """Yield the steps of `up` on the existing credential that need an approval, in addition to the actions."""
    action = ACTIONS[step.op]
    if action is not None:
        yield action  # a renewal, a rotation or a retirement may replace or delete it
    if Action.ROTATE in actions and step.op == "update":
        yield Action.RESET
        yield Action.ACTIVATE
    yield from _find_enforced(step, actions)


def _find_enforced(step: Step, actions: Collection[Action]) -> Iterator[Action]:
    """Yield the declared status that `up` sends, even if it equals the listed one."""
    if step.new is None:
        return
    is_reset_by_adoption = Action.ADOPT in actions and Action.RESET in actions and "adopt" not in step.new.inputs
    status = step.new.inputs.get("status", "")
    is_declared_now = step.op == "update" and step.old and step.old.inputs.get("status", "") != status
    if (is_reset_by_adoption or is_declared_now) and str(status) in _STATUSES:
        yield _STATUSES[str(status)]


def _find_actions(step: Step, slots: RecordedSlots) -> Iterator[Action]:
    action = ACTIONS[step.op]
    if action in (Action.CREATE, Action.REPLACE):
        yield from _find_create(step, action, slots)
    elif action is Action.DELETE:
        yield _find_deletion(step, slots)
    elif step.old and step.new:
        if find_declared_name(step.old) != find_declared_name(step.new):
            yield Action.RENAME
        if step.op == "update":
            yield from list(_find_update(step, slots)) or [Action.RECORD]
        if step.old.is_protected != step.new.is_protected:
            yield Action.PROTECT if step.new.is_protected else Action.UNPROTECT


def _find_create(step: Step, action: Action, slots: RecordedSlots) -> Iterator[Action]:
    """Yield the actions of a create or of a replacement, which is a removal if the password may be in use."""
    status = step.old.outputs.get("status") if step.old else None
    kind = Action.ROTATE if is_rotation(step) else Action.RENEW if slots.is_renewal(step) else None
    if action is Action.CREATE and step.new and _adopts(step.new):
        yield from (*([kind] if kind is Action.ROTATE else []), Action.ADOPT)
        yield from _find_effects_of_adopting(step.new)
    elif kind is None:
        yield action
    else:
        unused = _IDLE if kind is Action.ROTATE else (Status.EXPIRED,)
        yield from (kind, *([action] if step.old and status not in unused else []))


def _find_deletion(step: Step, slots: RecordedSlots) -> Action:
    """Return the action of a deletion, which is a removal unless a previous credential has expired or is retired."""
    is_expired = step.old is not None and step.old.outputs.get("status") == Status.EXPIRED
    if is_expired and step.old is not None and slots.is_previous(step.old):
        return Action.DELETE_EXPIRED
    return Action.RETIRE if slots.is_retirement(step) else Action.DELETE


def _find_update(step: Step, slots: RecordedSlots) -> Iterator[Action]:
    """Yield the actions of an update: a rotation or a retirement as one action, and the others by their effect."""
    if step.old is None or step.new is None:
        return
    effects = list(_find_effects(step.old, step.new))
    is_retired = Action.DEACTIVATE in effects and slots.is_retirement(step)
    kind = Action.ROTATE if is_rotation(step) else Action.RETIRE if is_retired else None
    if kind is None:
        yield from effects
        return
    yield kind
    yield from (effect for effect in effects if effect not in _EFFECTS[kind])
    if kind is Action.ROTATE and step.old.outputs.get("status") not in _IDLE:
        yield Action.RESET  # of a password that may be in use


def _adopts(new: State) -> bool:
    """Return True if it adopts or imports a credential, even if the id is unknown before `up`."""
    return "adopts" in new.inputs or new.inputs.get("adopt") == UNKNOWN


def _find_effects_of_adopting(new: State) -> Iterator[Action]:
    """Yield the actions of an adoption in AWS; an import has none except for a declared reset or status."""
    if "adopt" not in new.inputs or "reset" in new.inputs:
        yield Action.RESET
    if "adopts_status" in new.inputs:
        yield _switch(new)


def _find_effects(old: State, new: State) -> Iterator[Action]:
    """Yield the actions of an update in AWS; a declared status has one if the existing status differs.

    A secret trigger or status is masked, so a change is assumed.
    """
    is_rotated = count_rotations(new.inputs) > count_rotations(old.outputs)
    if is_rotated or _may_change("reset", old, new):
        yield Action.RESET
    if _may_change("status", old, new):
        yield _switch(new)
    elif is_rotated and "status" not in new.inputs and old.outputs.get("status") == Status.INACTIVE:
        yield Action.ACTIVATE  # a new password is meant to be used
    if is_delivery(old, new):
        yield Action.DELIVER


def _may_change(name: str, old: State, new: State) -> bool:
    desired = new.inputs.get(name)
    return desired == MASK or desired not in (None, old.outputs.get(name))


def _switch(new: State) -> Action:
    return Action.ACTIVATE if new.inputs.get("status") == "Active" else Action.DEACTIVATE
