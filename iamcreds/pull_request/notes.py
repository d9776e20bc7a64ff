"""The notes of a change: reasons, consequences and suggestions; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.pull_request.changes import Action, Change, Note
from iamcreds.pull_request.properties import format_value
from iamcreds.pull_request.successors import find_declared_name
from iamcreds.resource_names import credential_name
from iamcreds.services import Family, service_family

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.pull_request.preview import State, Step


_RENAMED = "the IAM user was renamed: to keep the password, declare the new name with"


def explain(step: Step, actions: Sequence[Action], recorded: State | None) -> Iterator[Note]:
    """Return the notes of a change; `recorded` is the state before the refresh."""
    old, new = step.old, step.new
    if recorded and not {Action.CREATE, Action.ADOPT}.isdisjoint(actions):
        yield Note("deleted outside Pulumi")
    if Action.ADOPT in actions and new:
        yield Note("by reset" if Action.RESET in actions else "unchanged")
        if Action.RESET not in actions and "password" not in new.inputs:
            yield Note("its password is unknown until a reset")
    if Action.RENAME in actions and old:
        yield Note("was", find_declared_name(old))
    if old and old.outputs.get("status") == "Expired":
        yield Note("expired")
    elif old and recorded and recorded.outputs.get("status") != old.outputs.get("status"):
        yield Note("status changed outside Pulumi to", format_value(old.outputs.get("status"), quoted=False))
    if Action.RESET in actions and new and "reset" in new.inputs:
        yield Note("reset trigger", format_value(new.inputs.get("reset"), quoted=False))
    if Action.RECORD in actions and old and new:
        yield from _explain_record(old, new)
    if old and not {Action.DELETE, Action.REPLACE}.isdisjoint(actions) and not old.is_retained:
        yield from note_lost_password(old.inputs.get("service"), old.outputs.get("status"))
        yield from _suggest_former_user(old, recorded)
    yield from (Note("changed", reason) for reason in step.reasons if reason != "status")


def note_lost_password(service: object, status: object) -> Iterator[Note]:
    """Yield the note of a deletion if the credential is Active."""
    if status == Status.ACTIVE:
        has_key = isinstance(service, str) and service_family(service) is Family.API_KEY
        yield Note("deletes a working API key" if has_key else "deletes a working password")


def _suggest_former_user(old: State, recorded: State | None) -> Iterator[Note]:
    """Yield the note that suggests `was` if the refresh found the deleted credential under a new user name."""
    former = recorded.outputs.get("user") if recorded else None
    if former is not None and former != old.outputs.get("user"):
        yield Note(_RENAMED, f"was: {format_value(former, quoted=False)}")


def _explain_record(old: State, new: State) -> Iterator[Note]:
    """Yield the notes of an update that changes only the state."""
    yield Note("nothing changes in AWS")
    status = new.inputs.get("status")
    if status != old.inputs.get("status"):
        if status is None:
            yield Note("status is no longer enforced")
        else:
            yield Note("status is now enforced:", format_value(status, quoted=False))
    if "reset" in old.inputs and "reset" not in new.inputs:
        yield Note("removing `reset` does not reset the password")


def suggest_names(changes: Sequence[Change]) -> Iterator[Change]:
    """Add a note to each new credential that may be a renamed one, because a deletion has the same user and service.

    `was` keeps the credential and its password after a rename of the credential or of the user.
    """
    deleted: dict[tuple[str, str], list[str]] = defaultdict(list)
    of_users: dict[tuple[str, str], list[Note]] = defaultdict(list)
    for change in changes:
        name = credential_name(change.name, change.user, change.service)
        if Action.DELETE in change.actions and name is not None and not change.is_previous:
            deleted[change.user, change.service].append(name)
        of_users[change.user, change.service] += [note for note in change.notes if note.text == _RENAMED]
    for change in changes:
        if Action.CREATE in change.actions:
            former = deleted[change.user, change.service]
            notes = [Note("for a rename, declare", f"was: {name}") for name in former]
            notes += of_users[change.user, change.service]
            yield replace(change, notes=(*change.notes, *dict.fromkeys(notes)))
        else:
            yield change
