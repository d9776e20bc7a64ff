"""`rotating_credential`: a credential that `pulumi up` rotates, with an overlap, in any Pulumi program."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.settings import get_monitor, is_dry_run

from dynamic_providers.credential import ServiceSpecificCredential
from dynamic_providers.program_names import former_names, reserve_slots
from dynamic_providers.program_options import read_options, slot_options
from dynamic_providers.rotation_arguments import RotationArguments
from dynamic_providers.rotation_outputs import RotatingCredential, select_outputs
from iamcreds.planning.slot_plan import SlotPlan
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.program_context import rotation_context
from iamcreds.pulumi_engine.recorded_slots import find_slot_names
from iamcreds.pulumi_engine.stack_state import has_engine, read_state
from iamcreds.pulumi_engine.successors import open_account, plan_program
from iamcreds.services import MAX_PER_SERVICE
from iamcreds.slots import has_successor
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.aws import Account
    from iamcreds.desired import DesiredCredential


def rotating_credential(  # noqa: PLR0913 - one per property of a credential
    name: str,
    *,
    user: pulumi.Input[str],
    service: str,
    overlap: str,
    every: str | None = None,
    trigger: str | None = None,
    retire: str = "deactivate",
    not_before: str | None = None,
    reset: str | None = None,
    age_days: int | None = None,
    existing: str | None = None,
    account: pulumi.Input[str] | None = None,
    adopt: str | None = None,
    password: pulumi.Input[str] | None = None,
    deliver: Mapping[str, Any] | None = None,
    retire_after_read_by: str | None = None,
    opts: pulumi.ResourceOptions | None = None,
) -> RotatingCredential:
    """Declare a credential that `pulumi up` rotates.

    Each rotation issues a new password or key, alternately in the resources `NAME~2` and `NAME`. The previous one works
    until the overlap ends.

    Args:
        name: the Pulumi name of the first resource, without `~`.
        user: the IAM user's name, which may be an output.
        service: `codecommit`, `keyspaces`, `bedrock`, `logs` or a full name.
        overlap: time for which the previous credential works after a rotation, such as `7d`; at most 80% of `every`.
        every: interval between rotations, such as `12h`, `90d` or `2w`.
        trigger: text whose change rotates the credential once. `every`, `trigger` or both are required.
        retire: the action on the previous credential after the overlap: `deactivate` (default) or `delete`.
        not_before: ISO 8601 date before which nothing rotates.
        reset: text; a change resets the current password or key at once and deactivates the previous one.
        age_days: as for `ServiceSpecificCredential`; at least `every` and `overlap` together.
        existing: as for `ServiceSpecificCredential`.
        account: 12 digits; any other account is rejected.
        adopt: as for `ServiceSpecificCredential`.
        password: as for `ServiceSpecificCredential`.
        deliver: as for `ServiceSpecificCredential`, without outputs; both resources deliver to one secret.
        retire_after_read_by: time after a rotation, such as `30d`. Until then, the previous credential is not retired
            before a read of the new secret. It is at least `overlap` and at most 80% of `every`, and requires `deliver`
            with `secrets_manager`.
        opts: resource options of both resources; aliases get the suffix `~2` for the second one.

    Raises:
        pulumi.RunError: an argument is not valid; the program uses the name twice; or the state or the account cannot
            be read.
    """
    arguments = RotationArguments(
        name,
        user,
        service,
        every,
        overlap,
        trigger,
        retire,
        not_before,
        reset,
        age_days,
        existing,
        adopt,
        deliver,
        retire_after_read_by,
    )
    errors = list(arguments.find_errors(read_options(opts or pulumi.ResourceOptions())))
    if errors:
        raise pulumi.RunError(escape_invisible(f"rotating_credential {name}: {'; '.join(errors)}"))
    reserve_slots(name)
    desired = arguments.declare(former_names(opts))
    plan = _plan(desired, account)
    shared = _Shared(
        user if isinstance(user, str | pulumi.Output) else pulumi.Output.from_input(user),
        account,
        None if password is None else pulumi.Output.secret(password),
        opts,
    )
    slots = [_declare_slot(slot, plan, shared) for slot in plan.slots]
    return select_outputs(plan, slots, timedelta(hours=desired.rotate.overlap_hours if desired.rotate else 0))


@dataclass(frozen=True)
class _Shared:
    """The inputs and options of both slots that may be outputs."""

    user: pulumi.Input[str]
    account: pulumi.Input[str] | None
    password: pulumi.Output[str] | None
    opts: pulumi.ResourceOptions | None


def _plan(desired: DesiredCredential, account: pulumi.Input[str] | None) -> SlotPlan:
    """Return the plan of both slots; a credential that is not recorded needs no call to AWS."""
    state = read_state()
    is_new = not has_engine() if state is None else not find_slot_names(desired, state)
    if is_new:
        return SlotPlan((desired,))
    account_id = account if isinstance(account, str) else None
    plans = plan_program([desired], account_id, state, account=lambda: _open_account(get_monitor()))
    return plans[desired.declared_name]


@functools.lru_cache(maxsize=8)  # one for all calls of a program; Pulumi's automation API may run several programs
def _open_account(_monitor: object) -> Account:
    return open_account(pulumi.log.warn)


def _declare_slot(slot: DesiredCredential, plan: SlotPlan, shared: _Shared) -> ServiceSpecificCredential:
    password = shared.password if slot.slot == 1 else None
    inputs = CredentialInputs.declare(slot, declared=MAX_PER_SERVICE, account=None, password=password)
    inputs = replace(inputs, user=shared.user, account=shared.account)
    context: dict[str, Any] = {"renewed": True, **rotation_context(plan, slot, is_preview=is_dry_run())}
    context |= {"previous": True} if has_successor(slot, plan.slots) else {}
    options = slot_options(shared.opts, slot.slot)
    return ServiceSpecificCredential.declare_slot(slot.resource_name, inputs, options, context)
