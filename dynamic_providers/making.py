"""Making a credential when its turn has come: by Create, or out of one that is live already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dynamic_providers.credential_state import record_inputs, record_live, record_secret
from dynamic_providers.situation import observe
from iamcreds.decision.deciding import Adopt, AdoptNamed, Create, InTheWay, decide
from iamcreds.decision.refusals import sentence
from iamcreds.errors import ExistingCredentialError, LimitExceededError
from iamcreds.model import IssuedCredential

if TYPE_CHECKING:
    from dynamic_providers.credential_inputs import CredentialInputs
    from dynamic_providers.run import Run
    from iamcreds.account import Account
    from iamcreds.decision.deciding import Situation
    from iamcreds.model import Credential


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
    except LimitExceededError as error:
        reason = _look_closer(account, run, inputs)
        if reason is None:
            raise
        raise ExistingCredentialError(reason) from error
    made = issued.credential
    is_second = not situation.live and made.login.startswith(f"{made.user}+")
    if is_second and not account.has_listed(made.user):  # what was found by a list may be somebody's
        reason = _look_closer(account, run, inputs)
        if reason is not None:
            raise ExistingCredentialError(f"{reason} ({account.undo(made)})")
    return issued


def _look_closer(account: Account, run: Run, inputs: CredentialInputs) -> str | None:
    """Why this credential is not to be, by a list of its user alone; None where nothing foreign is there."""
    account.look_closer(inputs.user)
    present = observe(account, run, inputs, None)
    if not present.is_whole or not present.foreign:
        return None
    return sentence(InTheWay(present.foreign), inputs.wanted(), account.now())


def _adopt(account: Account, inputs: CredentialInputs, live: Credential) -> IssuedCredential:
    issued = account.change(live.user, live.id, status=inputs.target, reset=True)
    assert issued is not None  # noqa: S101 - it was asked for
    return issued


def _take_over(account: Account, inputs: CredentialInputs, live: Credential) -> dict[str, Any]:
    """Have it as it is, but for a status or a reset that is declared; without a reset, with the password known."""
    status = None if inputs.status in (None, live.status) else inputs.target
    issued = None if inputs.password is None else IssuedCredential(live, inputs.password)
    if status is not None or inputs.reset is not None:
        issued = account.change(live.user, live.id, status=status, reset=inputs.reset is not None) or issued
    now_live = record_live(live if status is None else replace(live, status=status))
    return record_inputs(inputs) | now_live | ({} if issued is None else record_secret(issued))
