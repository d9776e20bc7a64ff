"""The operations of an account: their number of calls, and their behavior when AWS fails halfway."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from iamcreds.aws import Account
from iamcreds.errors import (
    AccessDeniedError,
    LimitExceededError,
    LostAnswerError,
    NoSuchCredentialError,
    NoSuchUserError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
    WrongAccountError,
)
from iamcreds.model import Status
from iamcreds.policies.permissions import READS, WRITES
from iamcreds.services import Family

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

CREATE = "iam:CreateServiceSpecificCredential"
LIST = "iam:ListServiceSpecificCredentials"
RESET = "iam:ResetServiceSpecificCredential"
CODECOMMIT = "codecommit.amazonaws.com"
BEDROCK = "bedrock.amazonaws.com"


@pytest.mark.usefixtures("iam")
def test_create_costs_one_call(account: Account, emulator: Emulator) -> None:
    """After the one list of a run, each create costs one call, and the inventory contains the new credential."""
    password = account.credentials.create("jane", CODECOMMIT)
    key = account.credentials.create("jane", BEDROCK, age_days=30)
    assert emulator.controls.counts() == {CREATE: 2, LIST: 1, "iam:CreateUser": 1}
    assert [password.secret, key.secret] == emulator.controls.secrets()
    assert (password.credential.family, key.credential.family) == (Family.PASSWORD, Family.API_KEY)
    assert key.credential.expires is not None
    assert (key.credential.expires - key.credential.created).days == 30
    assert account.inventory.all() == [key.credential, password.credential]


@pytest.mark.usefixtures("iam")
def test_secret_is_never_shown(account: Account) -> None:
    """No representation of an issued credential contains its secret."""
    issued = account.credentials.create("jane", CODECOMMIT)
    assert issued.secret not in repr(issued)
    assert issued.secret not in str(issued)


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("how", ["drop", "fail"])
def test_lost_answer(account: Account, emulator: Emulator, how: str) -> None:
    """A lost response to Create is resolved: a list shows the new credential, and Reset returns a password."""
    getattr(emulator.controls, how)(CREATE, when="after")
    issued = account.credentials.create("jane", CODECOMMIT)
    counts = emulator.controls.counts()
    assert (counts[CREATE], counts[RESET]) == (1, 1)
    assert issued.secret == emulator.controls.secrets()[-1]


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("how", ["drop", "fail"])
def test_failed_without_effect(account: Account, emulator: Emulator, slept: list[float], how: str) -> None:
    """A failed Create is not repeated while lists may lag: the run stops and asks the user to run again in a minute."""
    getattr(emulator.controls, how)(CREATE, when="before")
    with pytest.raises(LostAnswerError, match=r"no new credential appeared within 7 seconds. Run again in a minute"):
        account.credentials.create("jane", CODECOMMIT)
    counts = emulator.controls.counts()
    assert (counts[CREATE], counts[LIST]) == (1, 1 + 4)
    assert slept == [0.0, 1.0, 2.0, 4.0]
    account.credentials.create("jane", CODECOMMIT)


def test_lost_answer_does_not_take_an_old_one(account: Account, emulator: Emulator, iam: IAMClient) -> None:
    """A credential older than the call is never reset, even if the first list lacked it."""
    emulator.controls.set(all_users=False, clock_shift=-3600)
    old = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)["ServiceSpecificCredential"]
    emulator.controls.set(clock_shift=0)
    emulator.controls.drop(CREATE, when="after")
    made = account.credentials.create("jane", CODECOMMIT)
    assert made.credential.id != old["ServiceSpecificCredentialId"]


@pytest.mark.usefixtures("iam")
def test_throttled_create(account: Account, emulator: Emulator, slept: list[float]) -> None:
    """A throttled Create is repeated after increasing pauses."""
    emulator.controls.fail(CREATE, times=3, status=400, code="Throttling", message="Rate exceeded")
    account.credentials.create("jane", CODECOMMIT)
    assert slept == [0.5, 1.0, 2.0]


@pytest.mark.usefixtures("iam")
def test_throttled_for_good(account: Account, emulator: Emulator, slept: list[float]) -> None:
    """A Create that is throttled for more than a minute fails, and nothing was created."""
    emulator.controls.fail(CREATE, times=9, status=400, code="Throttling", message="Rate exceeded")
    with pytest.raises(UnavailableError, match=r"for user jane: AWS error Throttling: Rate exceeded\. Run again later"):
        account.credentials.create("jane", CODECOMMIT)
    assert slept == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    assert emulator.controls.passwords() == {}


def test_delete_is_repeatable(account: Account, iam: IAMClient) -> None:
    """Deleting a credential that is gone, or whose user is gone, succeeds."""
    issued = account.credentials.create("jane", CODECOMMIT)
    account.credentials.delete("jane", issued.credential.id)
    account.credentials.delete("jane", issued.credential.id)
    iam.delete_user(UserName="jane")
    account.credentials.delete("jane", issued.credential.id)
    assert account.inventory.all() == []


@pytest.mark.usefixtures("iam")
def test_status_and_reset_keep_the_snapshot_current(account: Account, emulator: Emulator) -> None:
    """The inventory reflects our own writes without a new list; Reset keeps the status."""
    existing = account.credentials.create("jane", CODECOMMIT).credential
    account.credentials.change("jane", existing.id, status=Status.INACTIVE)
    issued = account.credentials.change("jane", existing.id, reset=True)
    assert issued is not None
    assert issued.credential.status is Status.INACTIVE
    assert [one.status for one in account.inventory.of("jane", CODECOMMIT)] == [Status.INACTIVE]
    assert emulator.controls.counts()[LIST] == 1


@pytest.mark.usefixtures("iam")
def test_named_errors(account: Account) -> None:
    """A missing user, a missing credential and an exceeded quota raise specific errors that name user and id."""
    with pytest.raises(NoSuchUserError, match="for user ghost: the account has no such IAM user"):
        account.credentials.create("ghost", CODECOMMIT)
    with pytest.raises(NoSuchCredentialError, match="ACCA00000000000000000 of user jane"):
        account.credentials.change("jane", "ACCA00000000000000000", reset=True)
    for _ in range(2):
        account.credentials.create("jane", CODECOMMIT)
    with pytest.raises(LimitExceededError, match="ContextSpecificCredentialsPerUserPerContext: 2"):
        account.credentials.create("jane", CODECOMMIT)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ExpiredToken", UnauthenticatedError),
        ("InvalidClientTokenId", UnauthenticatedError),
        ("AccessDenied", AccessDeniedError),
    ],
)
def test_refusals(account: Account, emulator: Emulator, code: str, error: type[Exception]) -> None:
    """Authentication and authorization failures raise specific errors that quote AWS."""
    emulator.controls.fail("sts:GetCallerIdentity", times=9, status=403, code=code, message="no way")
    with pytest.raises(error, match=f"AWS error {code}: no way"):
        account.id()


@pytest.mark.usefixtures("signed_in")
def test_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the unreachable endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9/"):
        Account().id()


def test_guard(account: Account) -> None:
    """The guard accepts the expected account and rejects every other one."""
    assert account.require_account("123456789012", "the specs are for") == "123456789012"
    assert account.require_account(None, "the specs are for") == "123456789012"
    with pytest.raises(WrongAccountError, match="but the specs are for account 999999999999"):
        account.require_account("999999999999", "the specs are for")


@pytest.mark.usefixtures("iam")
def test_threads_share_one_list(account: Account, emulator: Emulator) -> None:
    """Simultaneous requests of eight threads cost one list."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: account.inventory.of("jane", CODECOMMIT), range(32)))
    assert emulator.controls.counts()[LIST] == 1


def test_short_pages(account: Account, emulator: Emulator, iam: IAMClient) -> None:
    """If pages are shorter than requested, all of them are read."""
    for number in range(7):
        iam.create_user(UserName=f"user-{number}")
        iam.create_service_specific_credential(UserName=f"user-{number}", ServiceName=BEDROCK)
    emulator.controls.set(page_limit=3)
    assert len(account.inventory.all()) == 7
    assert emulator.controls.counts()[LIST] == 3


def test_find_believes_no_single_miss(account: Account, emulator: Emulator, iam: IAMClient) -> None:
    """A credential missing from the list of all users is looked for in its user's list, once; a young one may exist."""
    emulator.controls.set(list_lag=3600)
    young = iam.create_service_specific_credential(UserName="jane", ServiceName=BEDROCK)["ServiceSpecificCredential"]
    assert account.inventory.find("jane", young["ServiceSpecificCredentialId"]) is None
    assert account.inventory.find("jane", "ACCA00000000000000000") is None
    assert emulator.controls.counts()[LIST] == 2
    assert account.clock.is_young(young["CreateDate"])
    assert not account.clock.is_young(datetime(2020, 1, 1, tzinfo=UTC))


def test_only_declared_operations(account: Account, emulator: Emulator, iam: IAMClient) -> None:
    """The account calls only operations that it declares."""
    iam.create_access_key(UserName="jane")
    emulator.controls.clear_counts()
    existing = account.credentials.create("jane", CODECOMMIT).credential
    account.credentials.change("jane", existing.id, status=Status.INACTIVE)
    account.credentials.change("jane", existing.id, reset=True)
    account.access_keys.of_users(["jane", "ghost"])
    account.users.exists("ghost")
    account.credentials.delete("jane", existing.id)
    account.id()
    assert set(emulator.controls.counts()) == {*READS, *WRITES, "sts:GetCallerIdentity"}
