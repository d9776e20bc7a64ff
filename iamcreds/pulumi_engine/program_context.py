"""The run contexts that programs send to the providers, as `RunContext` reads them; pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pulumi

from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.run_context import OnRejection, Options
from iamcreds.pulumi_engine.waivers import waivers_context
from iamcreds.services import MAX_PER_SERVICE
from iamcreds.slots import has_successor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iamcreds.desired import CredentialPolicy, DesiredCredential, DesiredUser, Waiver
    from iamcreds.planning.slot_plan import SlotPlan
    from iamcreds.pulumi_engine.stack_state import StackState


def state_context(
    state: StackState | None,
    resource_name: str,
    user: pulumi.Input[str],
    service: pulumi.Input[str],
    former_names: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a resource's name and, if the state could be read, its credentials of this user and service.

    `recorded` is the number of all credentials in the state, `account` its account; see `StackState.describe`.
    `deactivated` is True if the resource's own credential was deactivated manually.
    """
    if state is None:
        return {"resource": resource_name}
    common = {"resource": resource_name, "recorded": len(state.every)}
    common |= {"account": state.account} if state.account else {}
    common |= {"deactivated": True} if state.is_deactivated(resource_name, *former_names) else {}
    common |= _describe_delivery(state, resource_name, *former_names)
    if isinstance(user, str) and isinstance(service, str):
        return {**common, **state.describe(resource_name, user, service)}
    described: Any = pulumi.Output.all(user, service).apply(lambda values: state.describe(resource_name, *values))
    return {**common, **{name: described[name] for name in ("user", "service", "owned", "of_user", "newest")}}


def _describe_delivery(state: StackState, *resource_names: str) -> dict[str, Any]:
    """Return the recorded delivery of a resource with one of these names, and whether the state has its secret."""
    recorded = next((found for name in resource_names if (found := state.find(name)) is not None), None)
    if recorded is None:
        return {}
    delivery = {} if recorded.delivered is None else {"delivery": recorded.delivered.properties()}
    return delivery | ({"has_secret": True} if recorded.has_secret else {})


def users_context(users: Iterable[DesiredUser], *, is_preview: bool) -> dict[str, Any]:
    """Return how a provider reports rejections, and which of these users the program creates."""
    created = [user.name for user in users if user.iam_user is not None]
    on_rejection = {"on_rejection": OnRejection.COLLECT if is_preview else OnRejection.DEFER}
    return on_rejection | {"may_create_users": False} | ({"created_users": created} if created else {})


def unmanaged_context(state: StackState | None, users: Iterable[DesiredUser]) -> dict[str, Any]:
    """Return the managed ids, and the declared credentials that may still adopt one in this run.

    `owned` has every id of the state, because IAM may have renamed a user, and every id that a spec imports. `declared`
    has user and service of declared credentials by the id that the state has, and `undecided` user and service of
    those without one. If a declared credential has no existing id, it decides about the unmanaged
    credentials of its user and service.
    """
    if state is None:
        return {}
    ids: dict[str, list[str]] = defaultdict(list)  # two resources under different parents may have one name
    for credential_id, name in state.every.items():
        ids[name].append(credential_id)
    credentials = [credential for user in users for credential in user.credentials]
    declared: dict[str, list[str]] = {}
    undecided = set()
    for credential in credentials:
        recorded = ids.get(state.find_name(credential))
        if recorded is None:
            undecided.add((credential.user, credential.service))
        else:
            declared |= {credential_id: [credential.user, credential.service] for credential_id in recorded}
    imported = {credential.adopt for credential in credentials if credential.adopt is not None}
    return {
        "owned": sorted({*state.every, *imported}),
        "undecided": [list(pair) for pair in sorted(undecided)],
        "declared": declared,
    } | ({"account": state.account} if state.account else {})


def credential_context(
    state: StackState | None, credential: DesiredCredential, declared: Sequence[DesiredCredential]
) -> dict[str, Any]:
    """Return the context of a credential by the present names of resources; `declared` is its group with itself."""
    name = credential.resource_name
    recorded_name = name if state is None else state.find_name(credential)
    context = state_context(state, recorded_name, credential.user, credential.service) | {"resource": name}
    if has_successor(credential, declared):
        context["previous"] = True
    if credential.user_was is not None:
        context["former_user"] = credential.user_was
    if state is not None:  # by name, because IAM may have renamed the user since the state was written
        names = {state.find_name(member): member.resource_name for member in declared}
        context["owned"] |= state.own(*names)
        context["owned"] = {key: names.get(owner, owner) for key, owner in context["owned"].items()}
    number = max(len(declared), *(each.number for each in declared))
    options = Options(protect=credential.protect, deletes_first=number == MAX_PER_SERVICE or None)
    context |= {"group": {}, "options": options.properties()}
    if any(each.has_successors for each in declared):
        context["renewed"] = True
    if len(declared) > 1:
        for member in declared:
            inputs = CredentialInputs.declare(member, declared=number, account=None)
            context["group"][member.resource_name] = inputs.in_group()
    return context


def policy_context(
    state: StackState | None,
    credential: DesiredCredential,
    policy: CredentialPolicy | None,
    waivers: Sequence[Waiver] = (),
) -> dict[str, Any]:
    """Return the policy of the credential's user, the recorded time of its last create or reset, and its waivers.

    `waivers` are those of its user.
    """
    if policy is None:
        return {}
    recorded = None if state is None else state.find(state.find_name(credential))
    issued = None if recorded is None else recorded.issued
    described = waivers_context({credential.user: (*waivers, *credential.waive)})
    return {"policy": policy.properties()} | ({} if issued is None else {"issued_at": issued.isoformat()}) | described


def rotation_context(plan: SlotPlan | None, credential: DesiredCredential, *, is_preview: bool) -> dict[str, Any]:
    """Return the rotation of a slot, and the ids of the credentials that this run rotates into it and retires.

    Only a preview has the retired one. The state never records it, so a slot that `--target` leaves out does not have
    it from an earlier run.
    """
    if plan is None:
        return {}
    is_successor, is_current = (credential.slot == plan.slots[number].slot for number in (-1, 0))
    rotates: dict[str, Any] = {"rotates": plan.rotated.id} if plan.rotated is not None and is_successor else {}
    rotates |= {"finished": True} if plan.is_finished and is_successor else {}
    retires = {"retires": plan.retired.id} if plan.retired is not None and is_current and is_preview else {}
    due = {"due": True} if plan.is_due and is_current else {}
    due |= {"confirmed": True} if plan.is_confirmed and is_current else {}
    return rotates | retires | due | ({} if credential.rotate is None else {"rotate": credential.rotate.properties()})
