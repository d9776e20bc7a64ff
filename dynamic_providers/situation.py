"""What the decision about a new credential rests on: the account as it is, and the run as far as it is known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from dynamic_providers.provider import warn
from dynamic_providers.run import Refuse
from iamcreds.decision.deciding import Situation
from iamcreds.errors import ExistingCredentialError
from iamcreds.services import MAX_PER_SERVICE, known_service, service_alias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import timedelta

    from dynamic_providers.credential_inputs import CredentialInputs
    from dynamic_providers.run import Message, Run
    from iamcreds.account import Account
    from iamcreds.model import Credential

_WAITING = (
    "a run on this machine began to make a {which} a moment ago, and nobody knows what came of it: waiting"
    " until IAM's lists must show it, for {seconds} seconds at most"
)


def foresee(account: Account, run: Run, inputs: CredentialInputs, message: Message) -> Situation:
    """What there will be when the create comes; user and service of the inputs have to be known.

    Raises:
        AccountError: as AWS answers.
    """
    user, service = inputs.user, inputs.service
    present = _read_present(account, run, inputs)
    if not present.has_user:
        renamed_to = _find_new_name(account, user, message)
        is_coming = _is_to_be_made(user, message) and renamed_to is None
        present = replace(present, has_user=is_coming, renamed_to=renamed_to)
    if not present.has_user:
        return replace(present, declaring=run.declaring(user, service))
    plans = run.plans_beside(user, service, message.resource)
    planned = sum(adopts is None and not _has_a_place(run, name, present.live) for name, adopts in plans.items())
    # What a sibling has made a moment ago is live already, and its plan may still be there.
    unfinished = sum(account.has_written(live.id) and run.owner(live.id) is None for live in present.live)
    return replace(
        present,
        leaving=_find_leaving(run, inputs, message, present),
        adopted=frozenset(adopts for adopts in plans.values() if adopts is not None),
        coming=max(0, planned - unfinished),
        declaring=run.declaring(user, service),
    )


def _is_to_be_made(user: str, message: Message) -> bool:
    """Whether the program has the user made before this credential; by an `up` that has come so far, it was."""
    return message.refuse is Refuse.PREVIEW and user in message.made_users


def observe(account: Account, run: Run, inputs: CredentialInputs, adopts: str | None) -> Situation:
    """What there is now that the turn to create, or to adopt the credential `adopts`, has come.

    Raises:
        ExistingCredentialError: what was to be adopted is gone.
        AccountError: as AWS answers.
    """
    present = _read_present(account, run, inputs)
    is_named = inputs.adopt is not None  # then the decision says what has become of it
    if (
        adopts is not None
        and present.has_user
        and not is_named
        and adopts not in {credential.id for credential in present.live}
    ):
        raise ExistingCredentialError(
            f"credential {adopts} of user {inputs.user}, which was to be adopted, is gone: repeat, to have one created"
        )
    return replace(present, adopted=run.adopted(inputs.user, inputs.service) - {adopts})


def _read_present(account: Account, run: Run, inputs: CredentialInputs) -> Situation:
    """What there is, whatever is planned."""
    user, service = inputs.user, inputs.service
    if not account.has_user(user):
        return Situation(has_user=False, has_service=has_service(account, None, service))
    if inputs.adopt is None:
        _settle(account, run, user, service)
    live = account.credentials_of(user, service)
    named = None if inputs.adopt is None else account.find_credential(user, inputs.adopt)
    owners = _find_owners(account, run, live if named is None else [*live, named])
    having = {owner for owner in owners.values() if owner}
    return Situation(
        live=live,
        owners=owners,
        unread=frozenset(credential.id for credential in live if run.is_unread(credential.id)),
        is_whole=run.is_whole(user, service),
        claimed=run.claimed(user, service, having) - {inputs.adopt},
        named=named,
        has_service=has_service(account, user, service),
        adopters=run.adopters_to_come(user, service, having),
    )


def _settle(account: Account, run: Run, user: str, service: str) -> None:
    """Wait for a sibling's Create, and until lists must show what earlier ones made that no state may have."""

    def is_known(credential_id: str) -> bool:
        return run.owner(credential_id) is not None

    def tell(longest: timedelta) -> None:
        which = f"{service_alias(service)} credential of user {user}"
        warn(_WAITING.format(which=which, seconds=math.ceil(longest.total_seconds())))

    account.settle_creates(user, service, is_known, tell)


def has_predecessor(account: Account, run: Run, user: str, message: Message) -> bool:
    """Whether the stack has a live credential under this resource's name: what is checked now is to replace it.

    The engine asks a check with old inputs before, but not where somebody asked for the replacement.
    """
    return run.is_recorded(message.resource) or bool(find_own(account, user, message))


def find_own(account: Account, user: str, message: Message) -> list[Credential]:
    """What is live of that which the state has under this resource's name."""
    return list(_find_live(account, user, _own_ids(message)))


def _own_ids(message: Message) -> list[str]:
    return [key for key, owner in (message.owned or {}).items() if owner == message.resource]


def _find_live(account: Account, user: str, ids: Iterable[str]) -> Iterator[Credential]:
    found = (account.find_credential(user, credential_id) for credential_id in ids)
    return (live for live in found if live is not None)


def _has_a_place(run: Run, resource: str, live: Iterable[Credential]) -> bool:
    """Whether what the resource has now is live here: then its successor comes in that place."""
    return any(run.owner(credential.id) == resource for credential in live)


def _find_leaving(run: Run, inputs: CredentialInputs, message: Message, present: Situation) -> frozenset[str]:
    """The stack's own credential that is deleted before this one is created, because this one needs its place.

    Our diff says so of a credential that it has replaced. Of one that somebody had replaced (`--replace`, taint) the
    engine asks no diff, and deletes first only where the resource was registered so: where two are declared.
    """
    if not is_full(inputs, present.live):
        return frozenset()
    leaving = set()
    for credential in present.live:
        owner = run.owner(credential.id)
        is_own = bool(message.resource) and owner == message.resource
        # Where the program did not tell whose is what, all that our diff has replaced may be this resource's.
        may_be_own = is_own or (owner == "" and not present.is_whole)
        asked_for = is_own and inputs.declared == MAX_PER_SERVICE
        if asked_for or (may_be_own and run.is_replaced(credential.id)):
            leaving.add(credential.id)
    return frozenset(leaving)


def _find_owners(account: Account, run: Run, live: Iterable[Credential]) -> dict[str, str]:
    """Which of these are the stack's own: what it had, and what this process made before its maker has said so."""
    owners = {credential.id: run.owner(credential.id) for credential in live}
    made = {credential_id: "" for credential_id in owners if account.has_written(credential_id)}
    return made | {credential_id: owner for credential_id, owner in owners.items() if owner is not None}


def is_full(inputs: CredentialInputs, live: Collection[Credential]) -> bool:
    """Whether both of IAM's places are taken, or will be by what is declared."""
    return inputs.declared == MAX_PER_SERVICE or len(live) >= MAX_PER_SERVICE


def has_service(account: Account, user: str | None, service: str) -> bool:
    """Whether AWS knows the service: it is asked of those alone that are new to us, about that user or any (None)."""
    return known_service(service) is not None or account.has_service(user, service)


def _find_new_name(account: Account, user: str, message: Message) -> str | None:
    """What IAM calls a user now, as far as a credential tells: this resource's, or one that the state has of the user.

    Another's tells nothing: whoever is missing may be new, and the other one leaving.
    """
    ids = dict.fromkeys([*_own_ids(message), *message.of_user])  # of what lists lack, each question is a call
    return next((live.user for live in _find_live(account, user, ids) if live.user != user), None)
