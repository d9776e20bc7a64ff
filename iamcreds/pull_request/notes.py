"""The notes of a change: its reasons, its consequences, and what may have been meant instead; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.model import credential_name
from iamcreds.pull_request.changes import Action, Change, Note
from iamcreds.pull_request.properties import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.pull_request.preview import State, Step


def explain(step: Step, actions: Sequence[Action], recorded: State | None) -> Iterator[Note]:
    """Return the notes of a change; `recorded` is the state before the refresh."""
    old, new = step.old, step.new
    if recorded and not {Action.CREATE, Action.ADOPT}.isdisjoint(actions):
        yield Note("somebody deleted it")
    if Action.ADOPT in actions and new:
        yield Note("by reset" if Action.RESET in actions else "as it is")
        if Action.RESET not in actions and "password" not in new.inputs:
            yield Note("its password is unknown until a reset")
    if Action.RENAME in actions and old:
        yield Note("was", old.name)
    if old and old.outputs.get("status") == "Expired":
        yield Note("it has expired")
    elif old and recorded and recorded.outputs.get("status") != old.outputs.get("status"):
        yield Note("somebody made it", format_value(old.outputs.get("status"), quoted=False))
    if Action.RESET in actions and new and "reset" in new.inputs:
        yield Note("because of", format_value(new.inputs.get("reset"), quoted=False))
    if Action.RECORD in actions and old and new:
        yield from _explain_record(old, new)
    yield from (Note("another", reason) for reason in step.reasons if reason != "status")


def _explain_record(old: State, new: State) -> Iterator[Note]:
    """Return the notes of an update that changes the state only."""
    yield Note("nothing changes in AWS")
    status = new.inputs.get("status")
    if status != old.inputs.get("status"):
        if status is None:
            yield Note("from now on no status is enforced")
        else:
            yield Note("from now on this is enforced:", format_value(status, quoted=False))
    if "reset" in old.inputs and "reset" not in new.inputs:
        yield Note("taking `reset` out resets nothing")


def suggest_names(changes: Sequence[Change]) -> Iterator[Change]:
    """Add a note to each new credential that may be a renamed one: of the same user and service, one is deleted.

    `was` keeps the credential and its password under a different name.
    """
    deleted: dict[tuple[str, str], list[str]] = defaultdict(list)
    for change in changes:
        name = credential_name(change.name, change.user, change.service)
        if Action.DELETE in change.actions and name is not None:
            deleted[change.user, change.service].append(name)
    for change in changes:
        former = deleted[change.user, change.service] if Action.CREATE in change.actions else []
        notes = [Note("did you mean to rename one? then write", f"was: {name}") for name in former]
        yield replace(change, notes=(*change.notes, *notes))
