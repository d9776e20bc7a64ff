"""The run contexts that the program of specs sends to each provider; pure. `RunContext` reads them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.run_context import OnRejection, Options
from iamcreds.pulumi_engine.stack_state import run_message
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iamcreds.model import DesiredCredential, DesiredUser
    from iamcreds.pulumi_engine.stack_state import RecordedState


def write_common_message(users: Iterable[DesiredUser], *, is_preview: bool) -> dict[str, Any]:
    """Return how a provider reports rejections, and which of these users the program creates."""
    created = [user.name for user in users if user.iam_user is not None]
    on_rejection = {"on_rejection": OnRejection.COLLECT if is_preview else OnRejection.DEFER}
    return on_rejection | {"may_create_users": False} | ({"created_users": created} if created else {})


def write_unmanaged_message(state: RecordedState | None, users: Sequence[DesiredUser]) -> dict[str, Any]:
    """What the provider is told of the run: every id that the state has, and what this run may yet make its own.

    An id that a spec names to be adopted counts as declared, whatever comes of that.
    Of the state every id, and not those of these users alone: IAM renames users, and what it calls them now nobody
    knows here.
    Of each declared credential the provider is told the id that the state has, and which have none yet (`undecided`).
    Where it has none, or is not live any more, that credential's own decision, to adopt or to refuse, is about
    whatever is live of its user and service.
    """
    if state is None:
        return {}
    ids: dict[str, list[str]] = defaultdict(list)  # two resources under different parents may have one name
    for credential_id, name in state.every.items():
        ids[name].append(credential_id)
    declared: dict[str, list[str]] = {}
    undecided = set()
    for wanted in (wanted for user in users for wanted in user.credentials):
        recorded = ids.get(wanted.resource_name) or ids.get(wanted.former_resource_name or "")
        if recorded is None:
            undecided.add((wanted.user, wanted.service))
        else:
            declared |= {credential_id: [wanted.user, wanted.service] for credential_id in recorded}
    named = {wanted.adopt for user in users for wanted in user.credentials if wanted.adopt is not None}
    told = {"owned": sorted({*state.every, *named}), "undecided": [list(pair) for pair in sorted(undecided)]}
    return told | {"declared": declared} | ({"account": state.account} if state.account else {})


def write_credential_message(
    state: RecordedState | None, credential: DesiredCredential, same: Sequence[DesiredCredential]
) -> dict[str, Any]:
    """Return the run context of a credential, by the present names of resources; `same` is its group."""
    former, name = credential.former_resource_name, credential.resource_name
    context = run_message(state, former or name, credential.user, credential.service) | {"resource": name}
    names = {member.former_resource_name: member.resource_name for member in same}
    if state is not None:  # by name, because IAM may have renamed the user since the state was written
        context["owned"] |= state.own(*(member.former_resource_name or member.resource_name for member in same))
        context["owned"] = {key: names.get(owner, owner) for key, owner in context["owned"].items()}
    options = Options(protect=credential.protect, deletes_first=len(same) == MAX_PER_SERVICE or None)
    declared = ((member, CredentialInputs.declare(member, declared=len(same), account=None)) for member in same)
    group = {member.resource_name: inputs.in_group() for member, inputs in declared} if len(same) > 1 else {}
    return context | {"group": group, "options": options.properties()}
