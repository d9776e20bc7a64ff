"""`rotating_credential`: a credential that `pulumi up` rotates, with an overlap, in any Pulumi program."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.settings import get_monitor, is_dry_run

from dynamic_providers.credential import ServiceSpecificCredential
from dynamic_providers.program_names import former_names, reserve_slots
from dynamic_providers.program_options import read_options, slot_options
from dynamic_providers.rotation_arguments import RotationArguments
from iamcreds.model import Status
from iamcreds.planning.rotation import SlotPlan
from iamcreds.pulumi_engine.inputs import CredentialInputs, is_known
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
    from iamcreds.model import RecordedCredential


@dataclass(frozen=True)
class RotatingCredential:
    """The outputs of a rotating credential: those of the current password or key, and the previous login.

    They show the completed rotation: if `--target` leaves out a planned one, they stay those of the recorded
    credential.

    Attributes:
        account_id: the account, 12 digits.
        credential_id: IAM's id of the current credential.
        service_user_name: the user name to sign in with, which changes with each rotation; None for an API key.
        service_password: the password, a Pulumi secret; None for an API key, and for one imported without it.
        service_credential_alias: the public part of an API key; None for a password.
        service_credential_secret: the API key, a Pulumi secret; None for a password, and for one imported without it.
        status: the actual status: `Active`, `Inactive` or `Expired`.
        create_date: the creation date in ISO 8601.
        issued_at: the time of the last create or reset in ISO 8601; None after an import, and in an older state.
        expiration_date: the expiration date in ISO 8601; None for never.
        previous: `id`, `user_name` and `valid_until` (ISO 8601) of the previous credential; None if there is none, or
            if it is retired.
        resources: one or two resources, for `depends_on`.
    """

    account_id: pulumi.Output[str]
    credential_id: pulumi.Output[str]
    service_user_name: pulumi.Output[str | None]
    service_password: pulumi.Output[str | None]
    service_credential_alias: pulumi.Output[str | None]
    service_credential_secret: pulumi.Output[str | None]
    status: pulumi.Output[str]
    create_date: pulumi.Output[str]
    issued_at: pulumi.Output[str | None]
    expiration_date: pulumi.Output[str | None]
    previous: pulumi.Output[Mapping[str, str] | None]
    resources: tuple[ServiceSpecificCredential, ...]


_CURRENT = (
    "account_id", "credential_id", "service_user_name", "service_password", "service_credential_alias",
    "service_credential_secret", "status", "create_date", "issued_at", "expiration_date",
)  # fmt: skip


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
    opts: pulumi.ResourceOptions | None = None,
) -> RotatingCredential:
    """Declare a credential that `pulumi up` rotates.

    A rotation issues a new password or key in the second of two resources, `NAME` and `NAME~2`, or in the first one
    again. The previous one works until the overlap ends.

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
        opts: resource options of both resources; aliases get the suffix `~2` for the second one.

    Raises:
        pulumi.RunError: an argument is not valid; the program uses the name twice; or the state or the account cannot
            be read.
    """
    arguments = RotationArguments(
        name, user, service, every, overlap, trigger, retire, not_before, reset, age_days, existing, adopt
    )
    errors = list(arguments.find_errors(read_options(opts or pulumi.ResourceOptions())))
    if errors:
        raise pulumi.RunError(escape_invisible(f"rotating_credential {name}: {'; '.join(errors)}"))
    reserve_slots(name)
    desired = arguments.declare(former_names(opts))
    plan = _plan(desired, account)
    shared = _Shared(
        user if isinstance(user, str) else pulumi.Output.from_input(user),
        account,
        None if password is None else pulumi.Output.secret(password),
        opts,
    )
    slots = [_declare_slot(slot, plan, shared) for slot in plan.slots]
    return _select_outputs(plan, slots, timedelta(hours=desired.rotate.overlap_hours if desired.rotate else 0))


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
    context: dict[str, Any] = {"renewed": True, **rotation_context(plan, slot)}
    context |= {"previous": True} if has_successor(slot, plan.slots) else {}
    options = slot_options(shared.opts, slot.slot)
    return ServiceSpecificCredential.declare_slot(slot.resource_name, inputs, options, context)


def _select_outputs(plan: SlotPlan, slots: list[ServiceSpecificCredential], overlap: timedelta) -> RotatingCredential:
    """Return the outputs of the slot that is the current one when both resources are completed."""
    current, other = slots[0], slots[1] if len(slots) > 1 else None
    previous = _describe_previous(other, current, overlap)
    if plan.rotated is None or other is None:
        return RotatingCredential(
            **{output: getattr(current, output) for output in _CURRENT}, previous=previous, resources=tuple(slots)
        )
    has_succeeded = _has_succeeded(other, _find_recorded(plan.slots[-1]))
    rotated = _describe_previous(current, other, overlap)

    def select(successor: Any, predecessor: Any) -> pulumi.Output[Any]:  # noqa: ANN401 - any output
        return has_succeeded.apply(lambda is_done: successor if is_done else predecessor)

    return RotatingCredential(
        **{output: select(getattr(other, output), getattr(current, output)) for output in _CURRENT},
        previous=select(rotated, previous),
        resources=tuple(slots),
    )


def _find_recorded(slot: DesiredCredential) -> RecordedCredential | None:
    """Return the credential that the state has in a slot, None without one."""
    state = read_state()
    return None if state is None else state.find(state.find_name(slot))


def _has_succeeded(successor: ServiceSpecificCredential, recorded: RecordedCredential | None) -> pulumi.Output[bool]:
    """Return True if this run issues a new password or key in the slot, or will do so (in a preview).

    If `--target` leaves out a resource, the engine returns its recorded outputs, and the SDK adds the planned inputs.
    So only a different id or time of issue shows the rotation.
    """

    def compare(values: Any) -> bool:  # noqa: ANN401 - a list of outputs, or an unknown value
        if not is_known(values):
            return is_dry_run()
        credential_id, issued_at = values
        issued = None if issued_at is None else datetime.fromisoformat(issued_at)
        return recorded is None or (credential_id, issued) != (recorded.id, recorded.issued)

    return pulumi.Output.all(successor.credential_id, successor.issued_at).apply(compare, run_with_unknowns=True)


def _describe_previous(
    previous: ServiceSpecificCredential | None, current: ServiceSpecificCredential, overlap: timedelta
) -> pulumi.Output[Mapping[str, str] | None]:
    """Return the id, login and end of the previous credential, None if it is retired."""
    if previous is None:
        return pulumi.Output.from_input(None)

    def describe(values: list[Any]) -> Mapping[str, str] | None:
        status, credential_id, user_name, alias, issued_at, created = values
        if status == Status.INACTIVE:
            return None
        end = datetime.fromisoformat(issued_at or created) + overlap
        return {"id": credential_id, "user_name": user_name or alias, "valid_until": end.isoformat()}

    return pulumi.Output.all(
        previous.status,
        previous.credential_id,
        previous.service_user_name,
        previous.service_credential_alias,
        current.issued_at,
        current.create_date,
    ).apply(describe)
