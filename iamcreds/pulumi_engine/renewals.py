"""The plans of credentials with successors, from the stack's state and the account; made before the registration.

The engine's responses to the program do not include the refreshed state, so the program lists the credentials itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime.settings import is_dry_run

from iamcreds.errors import ConfigError, IamcredsError, UserDeniedError
from iamcreds.model import Credential, Status
from iamcreds.planning.rotation import Slot, SlotPlan, avoid_adoption, plan_slots
from iamcreds.pulumi_engine.approved_plan import read_approval
from iamcreds.pulumi_engine.provider import DECLARED_FOR, parse_now
from iamcreds.pulumi_engine.recorded_slots import find_slot_names, keep_recorded, read_slots
from iamcreds.services import Family, service_family
from iamcreds.slots import find_renewal, rank_slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from iamcreds.aws import Account
    from iamcreds.model import Desired, DesiredCredential, DesiredUser, RecordedCredential
    from iamcreds.pulumi_engine.responses import RegisteredResource
    from iamcreds.pulumi_engine.stack_state import StackState

_NO_STATE = "the stack's state cannot be read, and renewals cannot be planned without it. Run again"
_WRONG_TIME = (
    "config `now` is only for previews, because it changes which keys are renewed. Nothing was changed; run"
    " `pulumi config rm now`"
)
_RENEWED = "{name}: {id} expires on {date} and works until then. Its successor is created as {successor}"
_DELETED = "{name}: the previous credential {id}, valid until {date}, is deleted"
_DELETED_EARLY = "{name}: the previous credential {id} is deleted although it works, because `renewBefore` was removed"
_NOT_RESET = (
    "{name}: the current key is not reset, because `--target` does not include {resource}. Run `pulumi up --target"
    " '**::{name}*'`"
)
_BLOCKED = (
    "{name}: {ids} (unmanaged) leaves no quota for the successor of {id}, to be created from {date}. Delete {ids}"
    " before, unless this stack has replaced it: then the next `up` deletes it"
)
_DENIED = (
    "{name}: no renewal is planned, and its credentials stay as they are in the state, because AWS denied access:"
    " {error}"
)
_NOT_ADOPTED = (
    "{name}: {ids} (unmanaged) cannot become the successor of {id}, because it does not expire later. Delete {ids} to"
    " renew {id}"
)


async def plan_renewals(desired: Desired, state: StackState | None) -> Mapping[str, SlotPlan]:
    """Return the plan of each credential with successors, by its declared name.

    Without such credentials, this costs no call to AWS. Otherwise it costs one list per 1,000 credentials and one call
    for the account.

    Raises:
        pulumi.RunError: the state or the account cannot be read, or config `now` changes the plan of an update.
    """
    credentials = (each for user in desired.users for each in user.credentials)
    renewing = [each for each in credentials if has_slots(each, state)]
    if not renewing:
        return {}
    if state is None:
        raise pulumi.RunError(_NO_STATE)
    notes: list[str] = []
    try:
        plans = await asyncio.to_thread(_plan, renewing, desired.account or state.account, state, notes)
    except IamcredsError as error:
        raise pulumi.RunError(str(error)) from None
    for note in notes:
        pulumi.log.warn(note)
    _report(plans)
    return plans


def declare_slots(user: DesiredUser, plans: Mapping[str, SlotPlan]) -> DesiredUser:
    """Return the user with the planned slots of each credential."""
    names = [each.resource_name for each in user.credentials]
    if not plans.keys() & set(names):
        return user
    slots = [plans[each.resource_name].slots if each.resource_name in plans else (each,) for each in user.credentials]
    return replace(user, credentials=tuple(slot for group in slots for slot in group))


def has_slots(credential: DesiredCredential, state: StackState | None) -> bool:
    """Return True if specs declare successors, or if the state has one."""
    recorded = {} if state is None else find_slot_names(credential, state)
    return max(credential.number, *recorded, 1) > 1


def _plan(
    renewing: Sequence[DesiredCredential], account_id: str | None, state: StackState, notes: list[str]
) -> dict[str, SlotPlan]:
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import, and most programs do not need it

    account = Account(warn=notes.append)
    account.require_account(account_id, DECLARED_FOR)
    time = pulumi.Config().get("now")
    plans = plan_credentials(account, renewing, state, parse_now(time) if time else _now(account), notes.append)
    if time and not is_dry_run() and plans != plan_credentials(account, renewing, state, _now(account), notes.append):
        raise ConfigError(_WRONG_TIME)
    return plans


def plan_credentials(
    account: Account,
    renewing: Iterable[DesiredCredential],
    state: StackState,
    now: datetime,
    warn: Callable[[str], None],
) -> dict[str, SlotPlan]:
    """Return the plan of each of these credentials, by its declared name.

    If AWS denies the read of a user, its slots are declared as recorded, and the provider rejects only them.

    Raises:
        AccountError: as AWS responds.
        StateError: the slots of a credential in the state are ambiguous or not valid.
    """
    plans = {}
    for credential in renewing:
        recorded = read_slots(credential, state)
        try:
            slots = {number: Slot(each, _read(account, credential, each)) for number, each in recorded.items()}
            unmanaged = _list_unmanaged(account, credential, state)
        except UserDeniedError as error:
            warn(_DENIED.format(name=credential.declared_name, error=error))
            plans[credential.declared_name] = keep_recorded(credential, recorded)
            continue
        planned = plan_slots(credential, slots, now)
        plan = plans[credential.declared_name] = avoid_adoption(planned, unmanaged)
        for warning in _find_blocked(credential, slots, unmanaged, _BLOCKED if plan is planned else _NOT_ADOPTED):
            warn(warning)
    return plans


def _now(account: Account) -> datetime:
    """Return server time; with an approved plan not later than it, so `up` does no more than it."""
    now, approval = account.clock.now(), read_approval()
    return now if approval is None else min(now, approval.planned_at)


def _read(account: Account, credential: DesiredCredential, recorded: RecordedCredential) -> Credential | None:
    """Return the existing credential; one so young that lists may lack it counts as recorded.

    If IAM renamed the user and specs do not, the credential is not of the declared user, and is replaced.
    """
    existing = account.inventory.find(recorded.user, recorded.id)
    if existing is not None:
        return existing if existing.user in (credential.user, credential.user_was) else None
    if not account.clock.is_young(recorded.created):
        return None
    return Credential(
        id=recorded.id,
        user=recorded.user,
        service=recorded.service,
        status=recorded.status,
        created=recorded.created,
        family=service_family(recorded.service) or Family.API_KEY,
        login="",
        expires=recorded.expires,
    )


def _list_unmanaged(account: Account, credential: DesiredCredential, state: StackState) -> list[Credential]:
    existing = account.inventory.of(credential.user, credential.service)
    return [each for each in existing if each.id not in state.every]


def _find_blocked(
    credential: DesiredCredential, slots: Mapping[int, Slot], unmanaged: Iterable[Credential], message: str
) -> Iterator[str]:
    """Yield a warning if an unmanaged credential uses the quota that a later successor needs."""
    ids = " and ".join(each.id for each in unmanaged)
    current = max(slots.values(), key=_rank, default=None)
    due = None if current is None else find_renewal(credential, current.existing)
    if ids and current is not None and due is not None:
        yield message.format(name=credential.declared_name, ids=ids, id=current.recorded.id, date=_format(due))


def _rank(slot: Slot) -> tuple[int, int]:
    return rank_slot(slot.recorded.resource, slot.recorded.rotation)


def _report(plans: Mapping[str, SlotPlan]) -> None:
    """Show renewals and deletions with ids and dates."""
    for name, plan in plans.items():
        if plan.renewed is not None and plan.renewed.expires is not None:
            successor = plan.slots[1].resource_name
            date = _format(plan.renewed.expires)
            pulumi.log.info(_RENEWED.format(name=name, id=plan.renewed.id, date=date, successor=successor))
        if plan.deleted is not None:
            _report_deletion(name, plan.deleted, plan.slots[0])


def warn_of_missing_resets(plans: Mapping[str, SlotPlan], resources: Iterable[RegisteredResource]) -> None:
    """Warn of each planned reset that `--target` left out: the current credential may be a different resource."""
    by_name = {each.name: each for each in resources}
    for name, plan in plans.items():
        current = by_name.get(plan.slots[0].resource_name)
        if plan.is_reset and current is not None and current.is_left_out(plan.slots[0].reset):
            pulumi.log.warn(_NOT_RESET.format(name=name, resource=current.name))


def _report_deletion(name: str, deleted: Credential, current: DesiredCredential) -> None:
    if current.renew_before_hours is None and deleted.status is Status.ACTIVE:
        pulumi.log.warn(_DELETED_EARLY.format(name=name, id=deleted.id))
    elif deleted.expires is not None:
        pulumi.log.info(_DELETED.format(name=name, id=deleted.id, date=_format(deleted.expires)))


def _format(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
