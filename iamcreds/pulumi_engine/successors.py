"""The plans of credentials with successors, from the stack's state and the account; made before the registration.

The engine's responses to the program do not include the refreshed state, so the program lists the credentials itself.
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime.settings import is_dry_run

from iamcreds.errors import ConfigError, IamcredsError, UserDeniedError
from iamcreds.planning.slot_plan import Moment, SlotPlan
from iamcreds.pull_request.changes import Action
from iamcreds.pulumi_engine.approved_plan import read_approval
from iamcreds.pulumi_engine.provider import DECLARED_FOR, parse_now
from iamcreds.pulumi_engine.recorded_slots import find_slot_names, keep_recorded, read_slots
from iamcreds.pulumi_engine.successor_facts import find_user, read_facts
from iamcreds.pulumi_engine.successor_messages import (
    LIMIT_REACHED,
    NOT_APPROVED,
    describe_denial,
    describe_plan,
    find_warnings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from iamcreds.aws import Account
    from iamcreds.desired import Desired, DesiredCredential, DesiredUser
    from iamcreds.planning.slot_facts import SlotFacts
    from iamcreds.pulumi_engine.stack_state import StackState
    from iamcreds.stores.deliveries import Deliveries

_NO_STATE = "the stack's state cannot be read, and rotations and renewals cannot be planned without it. Run again"
_WRONG_TIME = (
    "config `now` is only for previews, because it changes which credentials are rotated or renewed. Nothing was"
    " changed; run `pulumi config rm now`"
)


async def plan_successors(desired: Desired, state: StackState | None) -> Mapping[str, SlotPlan]:
    """Return the plan of each credential with successors, by its declared name.

    Without such credentials, this costs no call to AWS. Otherwise it costs one list per 1,000 credentials and one call
    for the account.

    Raises:
        pulumi.RunError: the state or the account cannot be read, or config `now` changes the plan of an update.
    """
    credentials = (each for user in desired.users for each in user.credentials)
    planned = [each for each in credentials if has_slots(each, state)]
    return await asyncio.to_thread(plan_program, planned, desired.account, state, desired.max_rotations)


def plan_program(
    planned: Sequence[DesiredCredential],
    account_id: str | None,
    state: StackState | None,
    max_rotations: int | None = None,
    *,
    account: Callable[[], Account] | None = None,
) -> Mapping[str, SlotPlan]:
    """Return the plans of these credentials of a program, and let the engine show them.

    `account` returns an account that several plans share; by default, each of them reads the account.

    Raises:
        pulumi.RunError: see `plan_successors`.
    """
    if not planned:
        return {}
    if state is None:
        raise pulumi.RunError(_NO_STATE)
    notes: list[str] = []
    try:
        shared = open_account(notes.append) if account is None else account()
        shared.require_account(account_id or state.account, DECLARED_FOR)
        plans, now = _plan(planned, shared, state, max_rotations, notes)
    except IamcredsError as error:
        raise pulumi.RunError(str(error)) from None
    for note in notes:
        pulumi.log.warn(note)
    for desired in planned:
        for message in describe_plan(desired, plans[desired.declared_name], now):
            (pulumi.log.warn if message.is_warning else pulumi.log.info)(message.text)
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


def open_account(warn: Callable[[str], object]) -> Account:
    """Return the account for the plans of a program.

    Raises:
        IamcredsError: the settings or credentials of AWS are not valid.
    """
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import, and most programs do not need it

    return Account(warn=warn)


def _plan(
    planned: Sequence[DesiredCredential],
    account: Account,
    state: StackState,
    max_rotations: int | None,
    notes: list[str],
) -> tuple[dict[str, SlotPlan], datetime]:
    time = pulumi.Config().get("now")
    now = parse_now(time) if time else _now(account)
    plans = plan_credentials(account, planned, state, now, notes.append, max_rotations=max_rotations)
    if time and not is_dry_run():
        actual = plan_credentials(account, planned, state, _now(account), notes.append, max_rotations=max_rotations)
        if plans != actual:
            raise ConfigError(_WRONG_TIME)
    return plans, now


def plan_credentials(  # noqa: PLR0913 - the facts of a run
    account: Account,
    planned: Iterable[DesiredCredential],
    state: StackState,
    now: datetime,
    warn: Callable[[str], None],
    *,
    max_rotations: int | None = None,
) -> dict[str, SlotPlan]:
    """Return the plan of each of these credentials, by its declared name.

    If AWS denies the read of a user, or if IAM renamed it, its slots are declared as recorded, and the provider rejects
    only them. If more than `max_rotations` credentials are due, the most overdue ones are rotated. With an approved
    plan, only those that it names are rotated.

    Raises:
        AccountError: as AWS responds.
        StateError: the slots of a credential in the state are ambiguous or not valid.
    """
    plans: dict[str, SlotPlan] = {}
    known: dict[str, SlotFacts] = {}
    for credential in planned:
        recorded = read_slots(credential, state)
        try:
            desired = find_user(account, credential, recorded)
            facts = read_facts(account, _open_deliveries(account), desired, recorded, state)
        except UserDeniedError as error:
            warn(describe_denial(credential, error))
            plans[credential.declared_name] = keep_recorded(credential, recorded)
            continue
        if facts.is_renamed:
            plans[credential.declared_name] = keep_recorded(credential, recorded)
        else:
            known[credential.declared_name] = facts
    moment = Moment(now, account.id())
    plans |= {name: facts.plan(moment) for name, facts in known.items()}
    plans |= {name: known[name].plan(moment, LIMIT_REACHED) for name in _find_deferred(plans, max_rotations)}
    plans |= {name: known[name].plan(moment, NOT_APPROVED) for name in _find_unapproved(plans)}
    for name, facts in known.items():
        for warning in find_warnings(facts, plans[name]):
            warn(warning)
    return plans


@functools.lru_cache(maxsize=8)  # one for all rotating credentials of a program
def _open_deliveries(account: Account) -> Deliveries:
    from iamcreds.stores.deliveries import Deliveries  # noqa: PLC0415 - boto3 is slow to import

    return Deliveries(account)


def _find_deferred(plans: Mapping[str, SlotPlan], max_rotations: int | None) -> list[str]:
    """Return the credentials whose rotation waits for a later run, because others are lost or more overdue.

    A rotation that will be rejected, because an unmanaged credential leaves no quota, takes no other one's turn.
    """
    rotating = ((name, plan) for name, plan in plans.items() if plan.rotated is not None and not plan.is_blocked)
    due = sorted((not plan.is_lost, plan.due, name) for name, plan in rotating if plan.due is not None)
    return [] if max_rotations is None else [name for *_, name in due[max_rotations:]]


def _find_unapproved(plans: Mapping[str, SlotPlan]) -> list[str]:
    """Return the credentials whose rotation the approved plan does not name; none without an approved plan."""
    approval = read_approval()
    rotated = ((name, plan.rotated) for name, plan in plans.items() if plan.rotated is not None)
    return [] if approval is None else [name for name, each in rotated if not approval.permits(each.id, Action.ROTATE)]


def _now(account: Account) -> datetime:
    """Return server time; with an approved plan not later than it, so `up` does no more than it."""
    now, approval = account.clock.now(), read_approval()
    return now if approval is None else min(now, approval.planned_at)
