"""What an earlier run's Create may have made is waited for, as long as lists may lack it."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.account import Account, settling
from iamcreds.account.creates import RecentCreates
from iamcreds.account.folder import own_folder
from iamcreds.errors import AccessDeniedError, LostAnswerError

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

CREATE = "iam:CreateServiceSpecificCredential"
LIST = "iam:ListServiceSpecificCredentials"
CODECOMMIT = "codecommit.amazonaws.com"
KEYSPACES = "cassandra.amazonaws.com"

pytestmark = pytest.mark.usefixtures("iam")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the Creates of this test are written down."""
    monkeypatch.setattr("iamcreds.account.account.SHARED", tmp_path)
    found = own_folder(tmp_path)
    assert found is not None
    return found


class Others:
    """The runs before, on this machine: each call is of a process of its own."""

    def __init__(self, folder: Path, account: Account, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.account, self.monkeypatch = account, monkeypatch
        self.recent = RecentCreates(folder, lambda: f"{url} None")

    def create(self, made: str | None = None, service: str = CODECOMMIT) -> None:
        """A run calls Create for jane and is killed, before or after it knows what that made."""
        with self.monkeypatch.context() as patch:
            patch.setattr("iamcreds.account.creates.process_id", lambda: "another")
            call = self.recent.begin("jane", service, self.account.now())
            if made is not None:
                self.recent.finish("jane", call, made)


@pytest.fixture
def others(
    folder: Path, account: Account, emulator: Emulator, iam: IAMClient, monkeypatch: pytest.MonkeyPatch
) -> Others:
    """The runs before."""
    del iam  # jane is there
    account.credentials()
    account.users()
    emulator.controls.clear_counts()
    return Others(folder, account, emulator.url, monkeypatch)


def settle(account: Account, *known: str, service: str = CODECOMMIT) -> list[float]:
    """Wait as long as anything is in doubt; the seconds that were told, empty where there was no need to wait."""
    told: list[timedelta] = []
    account.settle_creates("jane", service, lambda credential_id: credential_id in known, told.append)
    return [seconds.total_seconds() for seconds in told]


def test_nothing_in_doubt(account: Account, others: Others, emulator: Emulator, slept: list[float]) -> None:
    """Where no Create was called a moment ago nothing is waited for, and nothing is asked."""
    assert settle(account) == []
    others.create(service=KEYSPACES)
    assert settle(account) == []
    assert (slept, emulator.controls.counts()) == ([], {})


def test_killed_without_effect(account: Account, others: Others, emulator: Emulator, slept: list[float]) -> None:
    """A killed Create of which nothing is seen is waited for until lists must show it, and then no more."""
    others.create()
    (longest,) = settle(account)
    assert 0 < longest <= 70
    assert slept == [3.0] * math.ceil(longest / 3)
    assert emulator.controls.counts() == {LIST: 1 + len(slept)}
    emulator.controls.set(clock_shift=71)
    account.reread_users(["jane"])
    assert settle(account) == []


def test_time_passes(others: Others, emulator: Emulator) -> None:
    """The wait ends when AWS's clock says that it is over."""
    looks = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        emulator.controls.set(clock_shift=71)

    others.create()
    assert len(settle(Account(sleep=look))) == 1
    assert looks == [3.0]


@pytest.mark.parametrize("is_told", [True, False])
def test_appears_at_last(others: Others, emulator: Emulator, iam: IAMClient, *, is_told: bool) -> None:
    """What a killed run made ends the wait when a list shows it, and is in nobody's doubt from then on."""
    emulator.controls.set(list_lag=30)
    made = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)["ServiceSpecificCredential"]
    others.create(made["ServiceSpecificCredentialId"] if is_told else None)
    looks = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        emulator.controls.set(clock_shift=12 * len(looks))

    patient = Account(sleep=look)
    assert len(settle(patient)) == 1
    assert looks == [3.0] * 3
    assert [live.id for live in patient.credentials_of("jane", CODECOMMIT)] == [made["ServiceSpecificCredentialId"]]
    emulator.controls.set(clock_shift=0)
    assert settle(others.account) == []


def test_made_since_this_run_looked(account: Account, others: Others, iam: IAMClient, slept: list[float]) -> None:
    """What another run has made since this one read all is seen by another look, without a wait."""
    made = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)["ServiceSpecificCredential"]
    others.create(made["ServiceSpecificCredentialId"])
    assert settle(account) == []
    assert slept == []
    assert len(account.credentials_of("jane", CODECOMMIT)) == 1


def test_what_is_known(account: Account, others: Others, slept: list[float]) -> None:
    """What the state has is counted already, so that no list needs to show it."""
    others.create("ACCASTATE")
    assert settle(account, "ACCASTATE") == []
    assert len(settle(account)) == 1
    assert slept


def test_what_is_older(account: Account, others: Others, iam: IAMClient, emulator: Emulator) -> None:
    """What was there before the killed call, or is the stack's own, is not what that made."""
    emulator.controls.set(clock_shift=-60)
    iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)
    emulator.controls.set(clock_shift=0)
    own = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)["ServiceSpecificCredential"]
    others.create()
    assert len(settle(account, own["ServiceSpecificCredentialId"])) == 1


def test_another_user_of_that_name(account: Account, others: Others, iam: IAMClient, emulator: Emulator) -> None:
    """For a user who was made after the killed call, that one has made nothing."""
    others.create()
    iam.delete_user(UserName="jane")
    emulator.controls.set(clock_shift=3)
    iam.create_user(UserName="jane")
    assert settle(Account()) == []
    assert len(settle(account)) == 1, "this run has read of the user who is no more"


def test_clock_that_was_put_back(account: Account, others: Others, emulator: Emulator) -> None:
    """A Create that has not been called yet, by AWS's clock, is not waited for."""
    emulator.controls.set(clock_shift=100)
    account.reread_users(["jane"])
    others.create()
    emulator.controls.set(clock_shift=0)
    account.reread_users(["jane"])
    assert settle(account) == []


def test_deleted(account: Account, others: Others, iam: IAMClient, slept: list[float]) -> None:
    """What was made a moment ago and deleted by another run is not waited for."""
    made = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)["ServiceSpecificCredential"]
    others.create(made["ServiceSpecificCredentialId"])
    account.delete("jane", made["ServiceSpecificCredentialId"])
    assert settle(account) == []
    assert slept == []


@pytest.mark.usefixtures("others")
def test_own_creates(account: Account, emulator: Emulator, slept: list[float]) -> None:
    """What this process created, or asked for and got no answer to, is no other run's."""
    account.create("jane", CODECOMMIT)
    emulator.controls.fail(CREATE, when="before")
    with pytest.raises(LostAnswerError):
        account.create("jane", CODECOMMIT)
    slept.clear()
    assert settle(account) == []
    assert slept == []


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("fault", "is_in_doubt"), [("lost", True), ("denied", False), ("throttled", False), (None, True)]
)
def test_what_a_later_run_waits_for(
    account: Account, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, fault: str | None, *, is_in_doubt: bool
) -> None:
    """A later run waits for what a Create without an answer may have made, and for nothing that IAM refused."""
    if fault == "lost":
        emulator.controls.fail(CREATE, when="before")
        with pytest.raises(LostAnswerError):
            account.create("jane", CODECOMMIT)
    elif fault == "denied":
        emulator.controls.deny(CREATE)
        with pytest.raises(AccessDeniedError):
            account.create("jane", CODECOMMIT)
    else:
        if fault == "throttled":
            emulator.controls.throttle(CREATE, times=2)
        issued = account.create("jane", CODECOMMIT)
        emulator.controls.set(list_lag=30)
        if fault == "throttled":
            account.delete("jane", issued.credential.id)
    monkeypatch.setattr("iamcreds.account.creates.process_id", lambda: "another")
    assert (settle(Account(sleep=lambda _: None)) != []) == is_in_doubt
    assert timedelta(seconds=3) == settling.BETWEEN_LOOKS
