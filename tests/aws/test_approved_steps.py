"""With an approved plan, an account changes only existing credentials that the plan names, each by its own step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from iamcreds.aws import Account
from iamcreds.errors import AccountError, NotApprovedError
from iamcreds.model import Status
from iamcreds.pull_request.approval import Approval
from iamcreds.pull_request.changes import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

OWN = "ACCAOWN00000000000000"
LOGS = "logs.amazonaws.com"
STEPS: dict[str, tuple[Callable[[Account], object], tuple[Action, ...]]] = {
    "deactivate": (
        lambda account: account.credentials.change("jane", OWN, status=Status.INACTIVE),
        (Action.DEACTIVATE,),
    ),
    "activate": (lambda account: account.credentials.change("jane", OWN, status=Status.ACTIVE), (Action.ACTIVATE,)),
    "reset": (lambda account: account.credentials.change("jane", OWN, reset=True), (Action.RESET,)),
    "change": (
        lambda account: account.credentials.change("jane", OWN, status=Status.INACTIVE, reset=True),
        (Action.DEACTIVATE, Action.RESET),
    ),
    "delete": (lambda account: account.credentials.delete("jane", OWN), (Action.DELETE,)),
    "delete a replaced copy": (lambda account: account.credentials.delete("jane", OWN), (Action.REPLACE,)),
}


def sign_in(*actions: Action, credential_id: str = OWN) -> Account:
    """Sign in with an approved plan that names the actions for one credential."""
    ids = {action: frozenset({credential_id}) for action in actions}
    approval = Approval("iamcreds", "test", None, datetime(2026, 11, 29, tzinfo=UTC), None, ids)
    return Account(sleep=lambda _: None, approval=approval)


@pytest.fixture(autouse=True)
def own(signed_in: Emulator, iam: IAMClient) -> Emulator:
    """Give jane a credential."""
    del iam  # creates the user
    signed_in.controls.put_credential(OWN, "jane", LOGS)
    signed_in.controls.clear_counts()
    return signed_in


def count_writes(emulator: Emulator) -> int:
    """Count the calls that change a credential."""
    return sum(number for name, number in emulator.controls.counts().items() if "List" not in name)


@pytest.mark.parametrize("step", STEPS)
def test_steps(own: Emulator, step: str) -> None:
    """A step is rejected before any call unless all its actions are approved for this credential."""
    do, actions = STEPS[step]
    others = [action for action in Action if action not in (*actions, Action.DELETE, Action.REPLACE)]
    incomplete = [sign_in(*others), sign_in(*actions, credential_id="ACCAOTHER000000000000")]
    incomplete += [sign_in(*(each for each in actions if each is not left_out), *others) for left_out in actions]
    for account in incomplete:
        with pytest.raises(NotApprovedError, match=f"credential {OWN} of user jane"):
            do(account)
    assert count_writes(own) == 0
    do(sign_in(*actions))
    assert count_writes(own) == (2 if step == "change" else 1)


def test_deleted_credential(own: Emulator, iam: IAMClient) -> None:
    """The deletion of a credential that is gone needs no approval, unless it is too young to be in lists."""
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=OWN)
    own.controls.clear_counts()
    account = sign_in()
    account.credentials.delete("jane", OWN, datetime(2026, 1, 1, tzinfo=UTC))
    assert count_writes(own) == 0
    with pytest.raises(NotApprovedError):
        account.credentials.delete("jane", OWN, account.clock.now())


def test_new_credential(own: Emulator) -> None:
    """A new credential needs no approval, neither for its status nor for an undo."""
    account = sign_in()
    assert account.credentials.create("jane", LOGS, status=Status.INACTIVE).credential.status is Status.INACTIVE
    own.controls.deny("iam:UpdateServiceSpecificCredential")
    before = own.controls.passwords()
    with pytest.raises(AccountError, match="was deleted again"):
        account.credentials.create("jane", "bedrock.amazonaws.com", status=Status.INACTIVE)
    assert own.controls.passwords() == before


def test_lost_response(own: Emulator) -> None:
    """A create whose response is lost is resolved by a reset of the new credential, which needs no approval."""
    own.controls.drop("iam:CreateServiceSpecificCredential", when="after")
    issued = sign_in().credentials.create("jane", "bedrock.amazonaws.com")
    assert own.controls.passwords()[issued.credential.id] == issued.secret
