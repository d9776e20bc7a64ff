"""The deliveries of secrets to stores in a preview; pure. The names of secrets are among the changed properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.delivery import Delivery
from iamcreds.pull_request.changes import Action, Note
from iamcreds.services import SECRET_OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from iamcreds.pull_request.preview import State, Step

_ISSUES = frozenset({Action.CREATE, Action.RENEW, Action.ROTATE, Action.ADOPT, Action.REPLACE, Action.RESET})
"""The actions that give the state a password to deliver."""


def is_delivery(old: State, new: State) -> bool:
    """Return True if an update delivers the state's password, or changes the settings of the secret in the store."""
    desired = new.inputs.get("deliver")
    return desired is not None and ("delivers" in new.inputs or desired != old.outputs.get("deliver"))


def explain_delivery(step: Step, actions: Collection[Action]) -> Iterator[Note]:
    """Yield the notes about the secret in the store."""
    old, new = step.old, step.new
    recorded = None if old is None else old.outputs.get("deliver")
    if new is None or new.inputs.get("deliver") is None:
        if old is not None and recorded is not None:
            yield from _explain_removal(old, actions, is_kept=new is not None)
        return
    desired, before = Delivery.find(new.inputs["deliver"]), Delivery.find(recorded)
    is_new = recorded is None or desired is None or before is None or desired.is_moved(before)
    if not _ISSUES.isdisjoint(actions) or (Action.DELIVER in actions and is_new):
        yield Note("delivers to a secret store") if desired is None else Note("delivers to", desired.store)
        if recorded is not None and is_new:
            yield Note("the former secret stays in its store")
    elif Action.DELIVER in actions and recorded == new.inputs["deliver"]:
        yield Note("the store has lost the password: delivers it again")
    elif Action.DELIVER in actions:
        yield Note("changes settings of the secret in the store")
    if Action.DELIVER in actions and desired is not None and not desired.keep_in_state and _has_secret(old):
        yield Note("then the state no longer has the password")


def _explain_removal(old: State, actions: Collection[Action], *, is_kept: bool) -> Iterator[Note]:
    """Yield the notes about the secret of a deleted credential, or of one that is no longer delivered."""
    delivery = Delivery.find(old.outputs["deliver"])
    if not is_kept:
        if delivery is not None and delivery.delete_secret:
            yield Note("also deletes its secret from the store")
        return
    yield Note("removing `deliver` keeps the secret in the store")
    if _ISSUES.isdisjoint(actions) and not _has_secret(old):
        yield Note("the password is unknown to the state until a reset")


def _has_secret(old: State | None) -> bool:
    return old is not None and any(name in old.outputs for name in SECRET_OUTPUTS.values())
