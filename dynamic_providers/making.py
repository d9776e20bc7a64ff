"""Making a credential when its turn has come: by Create, or out of one that is live already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dynamic_providers.credential_state import record_inputs, record_live, record_secret
from dynamic_providers.provider import warn
from dynamic_providers.situation import observe
from iamcreds.decision.deciding import Adopt, AdoptNamed, Create, InTheWay, decide
from iamcreds.decision.refusals import sentence
from iamcreds.errors import ExistingCredentialError, LimitExceededError
from iamcreds.model import IssuedCredential
from iamcreds.plan.changes import Action

if TYPE_CHECKING:
    from dynamic_providers.credential_inputs import CredentialInputs
    from dynamic_providers.run import Run
    from iamcreds.account import Account
    from iamcreds.decision.deciding import Situation
    from iamcreds.model import Credential


_LEFT_OUT = (
    "the list of all users' credentials leaves out those of user {user}, so no preview could show that credential {id}"
    " is live: it is taken over, as `existing: adopt` says"
)


def make_credential(account: Account, run: Run, inputs: CredentialInputs, adopts: str | None) -> dict[str, Any]:
    """Create a credential, or adopt the one that the preview has shown; what the state is to have of it.

    Raises:
        ExistingCredentialError: what is live is in the way.
        AccountError: as AWS answers; what had been made by then is deleted again.
    """
    with account.hold_creates(inputs.user, inputs.service):
        return _make(account, run, inputs, adopts)


def _make(account: Account, run: Run, inputs: CredentialInputs, adopts: str | None) -> dict[str, Any]:
    situation = observe(account, run, inputs, adopts)
    match decide(inputs.wanted(), situation):
        case Create():
            made = _outputs(inputs, _issue(account, run, inputs, situation))
        case Adopt(live) if live.id == adopts:
            made = _outputs(inputs, _adopt(account, inputs, live))
        case AdoptNamed(live):
            adopts, made = live.id, _take_over(account, inputs, live)
        case Adopt(live):
            raise ExistingCredentialError(
                f"credential {live.id} of user {live.user} has come since the preview: repeat, to adopt it"
            )
        case refusal:
            raise ExistingCredentialError(sentence(refusal, inputs.wanted(), account.now()))
    run.finish(inputs.user, inputs.service, adopts, made["credential_id"])
    return made


def _outputs(inputs: CredentialInputs, issued: IssuedCredential) -> dict[str, Any]:
    return record_inputs(inputs) | record_live(issued.credential) | record_secret(issued)


def _issue(account: Account, run: Run, inputs: CredentialInputs, situation: Situation) -> IssuedCredential:
    """Create, unless IAM's answer tells of a credential that the list of all users has left out.

    It names the logins of a user by number, as long as another has the name (AWS's answers, recorded by another
    public project).
    """
    try:
        issued = account.issue(inputs.user, inputs.service, inputs.age_days, inputs.target)
    except LimitExceededError:
        present = _look_closer(account, run, inputs)
        if present is None:
            raise
        return _resolve(account, inputs, present, None)
    made = issued.credential
    is_second = not situation.live and made.login.startswith(f"{made.user}+")
    if is_second and not account.has_listed(made.user):  # what was found by a list may be somebody's
        present = _look_closer(account, run, inputs)
        if present is not None:
            return _resolve(account, inputs, present, issued)
    return issued


def _look_closer(account: Account, run: Run, inputs: CredentialInputs) -> Situation | None:
    """What there is by a list of this user alone, if anything foreign is there."""
    account.look_closer(inputs.user)
    present = observe(account, run, inputs, None)
    return present if present.is_whole and present.foreign else None


def _resolve(
    account: Account, inputs: CredentialInputs, present: Situation, issued: IssuedCredential | None
) -> IssuedCredential:
    """Adopt what the list of all users has left out, where that is declared; what was issued beside it is deleted.

    No preview can have shown it. What is too young for that list to have it is not taken: somebody has just made it.

    Raises:
        ExistingCredentialError: it is in the way.
    """
    beside = [live for live in present.live if issued is None or live.id != issued.credential.id]
    decision = decide(inputs.wanted(), replace(present, live=beside))
    if isinstance(decision, Create) and issued is not None:
        return issued  # a sibling is to adopt what is there
    undone = "" if issued is None else f" ({account.undo(issued.credential)})"
    is_undone = issued is None or not account.has_written(issued.credential.id)
    if isinstance(decision, Adopt) and is_undone and not account.is_young(decision.credential.created):
        warn(_LEFT_OUT.format(user=inputs.user, id=decision.credential.id))
        return _adopt(account, inputs, decision.credential)
    refusal = InTheWay(present.foreign) if isinstance(decision, Create | Adopt | AdoptNamed) else decision
    raise ExistingCredentialError(f"{sentence(refusal, inputs.wanted(), account.now())}{undone}")


def _adopt(account: Account, inputs: CredentialInputs, live: Credential) -> IssuedCredential:
    account.require_approved(live.user, live.id, Action.ADOPT)
    issued = account.change(live.user, live.id, status=inputs.target, reset=True)
    assert issued is not None  # noqa: S101 - it was asked for
    return issued


def _take_over(account: Account, inputs: CredentialInputs, live: Credential) -> dict[str, Any]:
    """Have it as it is, but for a status or a reset that is declared; without a reset, with the password known."""
    account.require_approved(live.user, live.id, Action.ADOPT)
    status = None if inputs.status in (None, live.status) else inputs.target
    issued = None if inputs.password is None else IssuedCredential(live, inputs.password)
    if status is not None or inputs.reset is not None:
        issued = account.change(live.user, live.id, status=status, reset=inputs.reset is not None) or issued
    now_live = record_live(live if status is None else replace(live, status=status))
    return record_inputs(inputs) | now_live | ({} if issued is None else record_secret(issued))
