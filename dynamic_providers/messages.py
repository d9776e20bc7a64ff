"""What the program tells each provider of the run, as the message `run`; pure. `run.Message` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynamic_providers.recorded import run_message
from dynamic_providers.run import NEVER, Refuse
from iamcreds.model import Existing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dynamic_providers.recorded import RecordedState
    from iamcreds.model import DesiredCredential, DesiredUser


def write_common_message(users: Iterable[DesiredUser], *, is_preview: bool) -> dict[str, Any]:
    """What a provider that refuses is told of the run: when to, and who of these users is made in it."""
    made = [user.name for user in users if user.iam_user is not None]
    return {"refuse": Refuse.PREVIEW if is_preview else Refuse.CREATE} | ({"made_users": made} if made else {})


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
    ids = {name: credential_id for credential_id, name in state.every.items()}
    declared, undecided = {}, set()
    for wanted in (wanted for user in users for wanted in user.credentials):
        recorded = ids.get(wanted.resource_name) or ids.get(wanted.former_resource_name or "")
        if recorded is None:
            undecided.add((wanted.user, wanted.service))
        else:
            declared[recorded] = [wanted.user, wanted.service]
    named = {wanted.adopt for user in users for wanted in user.credentials if wanted.adopt is not None}
    told = {"owned": sorted({*state.every, *named}), "undecided": [list(pair) for pair in sorted(undecided)]}
    return told | {"declared": declared} | ({"account": state.account} if state.account else {})


def write_credential_message(
    state: RecordedState | None, credential: DesiredCredential, same: Sequence[DesiredCredential]
) -> dict[str, Any]:
    """What the credential's provider is told of the run, by the names that resources have now."""
    former, name = credential.former_resource_name, credential.resource_name
    message = run_message(state, former or name, credential.user, credential.service) | {"resource": name}
    names = {wanted.former_resource_name: wanted.resource_name for wanted in same}
    if "owned" in message:
        message["owned"] = {key: names.get(owner, owner) for key, owner in message["owned"].items()}
    if credential.protect:
        message["protect"] = True
    claimed = {wanted.resource_name: wanted.adopt for wanted in same if wanted.adopt is not None}
    adopting = (wanted for wanted in same if wanted.adopt is None and wanted.existing is Existing.ADOPT)
    adopters = {wanted.resource_name: NEVER for wanted in adopting}
    told = {"claimed": claimed, "adopters": adopters}
    return message | {name: values for name, values in told.items() if values}
