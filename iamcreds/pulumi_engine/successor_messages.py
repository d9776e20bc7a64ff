"""The messages about rotations and renewals of a run; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.due_dates import add_time, find_renewal
from iamcreds.model import Existing, Status
from iamcreds.resource_names import split_slot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.errors import UserDeniedError
    from iamcreds.model import Credential
    from iamcreds.planning.slot_facts import SlotFacts
    from iamcreds.planning.slot_plan import Slot, SlotPlan
    from iamcreds.pulumi_engine.responses import RegisteredResource

_RENEWED = "{name}: {id} expires on {date} and works until then. Its successor is created as {successor}"
_ROTATED = (
    "{name}: a new password or key is issued in {successor}. {id} works until the overlap ends, on {date} or later"
)
_WAITS = (
    "{name}: a rotation is due, but the previous password still works. The first `pulumi up` after {date} retires it,"
    " and the next one rotates"
)
_LOST = (
    "{name}: neither the declared secret nor the state has the current password, so a rotation is due ahead of time."
    " The current password still works"
)
_DEFERRED = "{name}: a rotation is due, but {reason}. A later `pulumi up` rotates this credential"
LIMIT_REACHED = "`maxPerRun` is reached"
NOT_APPROVED = "the approved plan does not name it"
"""The reasons why a rotation waits for a later run."""
_RETIRED = "{name}: the previous credential {id} is {action}, because its overlap has ended"
_DELETED = "{name}: the previous credential {id}{until} is deleted"
_DELETED_EARLY = (
    "{name}: the previous credential {id} is deleted although it still works, because `rotate` or `renewBefore` was"
    " removed"
)
_NOT_RESET = (
    "{name}: the current password or key is not reset, because `--target` does not include {resource}. Run `pulumi up"
    " --target '**::{name}*'`"
)
_BLOCKED = (
    "{name}: {ids} (unmanaged) leaves no quota for the successor of {id}{date}. Delete {ids} first, unless it is a"
    " replaced credential of this stack, which the next `up` deletes"
)
_DENIED = (
    "{name}: no rotation or renewal is planned, because AWS denied access, and its credentials stay unchanged: {error}"
)
_NOT_ADOPTED = (
    "{name}: {ids} (unmanaged) cannot become the successor of {id}, because it does not expire later. Delete {ids} to"
    " let `up` create a successor"
)
_REACTIVATED = (
    "{name}: {id} is Active although an earlier run retired it, and this run retires it again. This is expected after"
    " an interrupted update, or within a minute. After a manual activation or a restored earlier state, its password"
    " may be in use"
)


@dataclass(frozen=True)
class Message:
    """A message to the user."""

    text: str
    is_warning: bool = False


def describe_plan(desired: DesiredCredential, plan: SlotPlan, now: datetime) -> Iterator[Message]:
    """Yield the messages about a plan, with ids and dates."""
    name = desired.declared_name
    if plan.renewed is not None and plan.renewed.expires is not None:
        date, successor = _format(plan.renewed.expires), plan.slots[1].resource_name
        yield Message(_RENEWED.format(name=name, id=plan.renewed.id, date=date, successor=successor))
    if plan.is_lost and (plan.rotated or plan.waits_until or plan.deferral):
        yield Message(_LOST.format(name=name), is_warning=True)
    if plan.rotated is not None and desired.rotate is not None and not plan.is_blocked:
        end = add_time(now, timedelta(hours=desired.rotate.overlap_hours))
        date = _format(end if plan.rotated.expires is None else min(end, plan.rotated.expires))
        successor = plan.slots[1].resource_name
        yield Message(_ROTATED.format(name=name, id=plan.rotated.id, date=date, successor=successor))
    if plan.deferral is not None:
        yield Message(_DEFERRED.format(name=name, reason=plan.deferral))
    if plan.waits_until is not None:
        yield Message(_WAITS.format(name=name, date=_format(plan.waits_until)), is_warning=True)
    if plan.retired is not None:
        action = "deactivated" if len(plan.slots) > 1 else "deleted"
        yield Message(_RETIRED.format(name=name, id=plan.retired.id, action=action))
    if plan.deleted is not None:
        yield from _describe_deletion(desired, plan.deleted)


def _describe_deletion(desired: DesiredCredential, deleted: Credential) -> Iterator[Message]:
    name, id_ = desired.declared_name, deleted.id
    if not desired.has_successors and deleted.status is Status.ACTIVE:
        yield Message(_DELETED_EARLY.format(name=name, id=id_), is_warning=True)
    else:
        until = "" if deleted.expires is None else f", valid until {_format(deleted.expires)},"
        yield Message(_DELETED.format(name=name, id=id_, until=until))


def describe_denial(credential: DesiredCredential, error: UserDeniedError) -> str:
    """Describe a credential whose slots cannot be planned, because AWS denied the read of its user."""
    return _DENIED.format(name=credential.declared_name, error=error)


def find_warnings(facts: SlotFacts, plan: SlotPlan) -> Iterator[str]:
    """Yield the warnings about credentials that block a successor, or that someone has activated again."""
    yield from _find_blocked(facts, plan)
    yield from _find_reactivated(facts.desired, facts.slots.values(), plan)


def _find_blocked(facts: SlotFacts, plan: SlotPlan) -> Iterator[str]:
    """Yield a warning if an unmanaged credential uses the quota that a later successor needs."""
    desired, current = facts.desired, facts.current
    ids = " and ".join(each.id for each in facts.unmanaged)
    if not ids or current is None:
        return
    is_adopting = desired.existing is Existing.ADOPT
    is_spared = is_adopting and plan.slots[-1].existing is None
    due = plan.due or find_renewal(desired, current.existing)
    if is_spared or (desired.rotate is None and due is not None) or (desired.rotate is not None and not is_adopting):
        message = _NOT_ADOPTED if is_spared else _BLOCKED
        date = "" if due is None else f", to be created from {_format(due)}"
        yield message.format(name=desired.declared_name, ids=ids, id=current.recorded.id, date=date)


def _find_reactivated(desired: DesiredCredential, slots: Iterable[Slot], plan: SlotPlan) -> Iterator[str]:
    """Yield a warning if this run deactivates or deletes a credential that an earlier run retired."""
    kept = {each.slot for each in plan.slots if each.status is not Status.INACTIVE}
    for each in slots:
        existing = each.existing
        is_active = existing is not None and existing.status is Status.ACTIVE
        if each.recorded.is_retired and is_active and split_slot(each.recorded.resource)[1] not in kept:
            yield _REACTIVATED.format(name=desired.declared_name, id=each.recorded.id)


def find_missing_resets(plans: Mapping[str, SlotPlan], resources: Iterable[RegisteredResource]) -> Iterator[str]:
    """Yield a warning for each planned reset that `--target` left out: the current slot may be a different resource."""
    by_name = {each.name: each for each in resources}
    for name, plan in plans.items():
        current = by_name.get(plan.slots[0].resource_name)
        if plan.is_reset and current is not None and current.is_left_out(plan.slots[0].reset):
            yield _NOT_RESET.format(name=name, resource=current.name)


def _format(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
