"""A create of an earlier run is open until the state has its id, or lists agree for longer than they lag."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.aws import Account
from iamcreds.aws.clock import Clock
from iamcreds.aws.create_journal import CreateJournal
from iamcreds.aws.notes import Notes, find_folders
from iamcreds.aws.open_creates import BETWEEN_LOOKS
from iamcreds.errors import AccessDeniedError, LostAnswerError
from iamcreds.model import Credential, Status
from iamcreds.services import Family

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

CREATE = "iam:CreateServiceSpecificCredential"
LIST = "iam:ListServiceSpecificCredentials"
CODECOMMIT = "codecommit.amazonaws.com"
KEYSPACES = "cassandra.amazonaws.com"

pytestmark = pytest.mark.usefixtures("iam")


class Others:
    """Earlier runs on this machine: each call has its own process."""

    def __init__(self, account: Account, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.account, self.monkeypatch = account, monkeypatch
        self.journal = CreateJournal(
            Notes(find_folders(), pytest.fail), lambda: f"{url} None", Clock(account.clock.now)
        )

    def create(self, made: str | None = None, service: str = CODECOMMIT) -> None:
        """Record a create for jane, with the id of its credential or without a response."""
        with self.monkeypatch.context() as patch:
            patch.setattr("iamcreds.aws.create_journal.process_id", lambda: "other")
            call = self.journal.begin("jane", service)
            if made is not None:
                created = self.account.clock.now()
                credential = Credential(made, "jane", service, Status.ACTIVE, created, Family.PASSWORD, "jane")
                self.journal.confirm("jane", call, credential)


@pytest.fixture
def others(account: Account, emulator: Emulator, iam: IAMClient, monkeypatch: pytest.MonkeyPatch) -> Others:
    """Return earlier runs."""
    del iam  # creates jane
    account.inventory.all()
    account.users.all()
    emulator.controls.clear_counts()
    return Others(account, emulator.url, monkeypatch)


def make(iam: IAMClient) -> str:
    """Create a credential for jane, and return its id."""
    made = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)["ServiceSpecificCredential"]
    return made["ServiceSpecificCredentialId"]


class Later:
    """A later run, whose pauses advance the server time."""

    def __init__(self, emulator: Emulator, passed: float = 0) -> None:
        self.emulator, self.passed, self.slept = emulator, passed, 0.0
        emulator.controls.set(clock_shift=passed)
        self.account = Account(sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Advance the server time instead of waiting."""
        self.slept += seconds
        self.emulator.controls.set(clock_shift=self.passed + self.slept)

    def find(self, *known: str) -> list[str]:
        """Return the ids of jane's credentials after no create is open."""
        settle(self.account, *known)
        return [existing.id for existing in self.account.inventory.of("jane", CODECOMMIT)]


def settle(account: Account, *known: str, service: str = CODECOMMIT) -> list[float]:
    """Wait while any create is unresolved, and return the reported waits in seconds, empty if there was none."""
    told: list[timedelta] = []
    account.open_creates.wait("jane", service, lambda credential_id: credential_id in known, told.append)
    return [seconds.total_seconds() for seconds in told]


def test_nothing_in_doubt(account: Account, others: Others, emulator: Emulator, slept: list[float]) -> None:
    """Without a recent Create, iamcreds waits for nothing and sends no request."""
    assert settle(account) == []
    others.create(service=KEYSPACES)
    assert settle(account) == []
    assert (slept, emulator.controls.counts()) == ([], {})


def test_killed_without_effect(account: Account, others: Others, emulator: Emulator, slept: list[float]) -> None:
    """A killed Create without a visible result is waited for until lists must show it, and not longer."""
    others.create()
    (longest,) = settle(account)
    assert 0 < longest <= 70
    assert slept == [3.0] * math.ceil(longest / 3)
    assert emulator.controls.counts() == {LIST: 1 + len(slept)}
    emulator.controls.set(clock_shift=71)
    account.inventory.reread(["jane"])
    assert settle(account) == []


def test_time_passes(others: Others, emulator: Emulator) -> None:
    """The wait ends when the server time exceeds its end."""
    looks = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        emulator.controls.set(clock_shift=71)

    others.create()
    assert len(settle(Account(sleep=look))) == 1
    assert looks == [3.0]


@pytest.mark.parametrize("is_told", [True, False])
def test_appears_at_last(others: Others, emulator: Emulator, iam: IAMClient, *, is_told: bool) -> None:
    """The wait for a killed run ends when a list shows its credential, which no later run waits for."""
    emulator.controls.set(list_lag=30)
    made = make(iam)
    others.create(made if is_told else None)
    looks = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        emulator.controls.set(clock_shift=12 * len(looks))

    patient = Account(sleep=look)
    assert len(settle(patient)) == 1
    assert looks == [3.0] * 3
    assert [existing.id for existing in patient.inventory.of("jane", CODECOMMIT)] == [made]


def test_made_since_this_run_looked(account: Account, others: Others, iam: IAMClient, slept: list[float]) -> None:
    """A credential that another run created after this run's list is found by a second list, without a wait."""
    others.create(make(iam))
    assert settle(account) == []
    assert slept == []
    assert len(account.inventory.of("jane", CODECOMMIT)) == 1


def test_what_is_older(account: Account, others: Others, iam: IAMClient, emulator: Emulator) -> None:
    """A credential older than the killed call, or in this stack, does not resolve the call."""
    emulator.controls.set(clock_shift=-60)
    make(iam)
    emulator.controls.set(clock_shift=0)
    own = make(iam)
    others.create()
    assert len(settle(account, own)) == 1


def test_recorded(others: Others, emulator: Emulator, slept: list[float]) -> None:
    """A credential that the state has is not waited for, and no later run looks for it."""
    others.create("ACCASTATE")
    assert settle(others.account, "ACCASTATE") == []
    assert (slept, emulator.controls.counts()) == ([], {})
    later = Later(emulator)
    assert (later.find(), later.slept) == ([], 0)


@pytest.mark.parametrize("is_told", [True, False])
def test_listed_once(others: Others, emulator: Emulator, iam: IAMClient, *, is_told: bool) -> None:
    """If an older list follows the first one that shows the credential, a run waits until lists agree."""
    made = make(iam)
    others.create(made if is_told else None)
    assert Later(emulator).find() == [made]
    emulator.controls.set(list_lag=20)
    later = Later(emulator, 5)
    assert later.find() == [made]
    assert 0 < later.slept <= 15  # less on a slow machine, because time passes
    emulator.controls.set(list_lag=0)


def test_listed_for_longer_than_the_lag(others: Others, emulator: Emulator, iam: IAMClient) -> None:
    """After lists have shown a credential for a minute, a list without it means that it was deleted."""
    made = make(iam)
    others.create(made)
    assert Later(emulator, 30).find() == [made]
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=made)
    later = Later(emulator, 95)
    assert (later.find(), later.slept) == ([], 0)


def test_listed_late(others: Others, emulator: Emulator, iam: IAMClient) -> None:
    """If no list showed a credential in time, the first run that looks for it waits."""
    made = make(iam)
    others.create(made)
    emulator.controls.set(list_lag=100)
    later = Later(emulator, 80)
    assert later.find() == [made]
    assert 0 < later.slept <= 21  # less on a slow machine, because time passes


@pytest.mark.parametrize("is_told", [True, False])
def test_never_listed(others: Others, emulator: Emulator, *, is_told: bool) -> None:
    """A confirmed credential is gone if lists lack it for a minute; without a response, a minute after the call."""
    others.create("ACCADELETED" if is_told else None)
    later = Later(emulator, 80)
    assert later.find() == []
    assert (0 < later.slept <= 60) is is_told
    again = Later(emulator, 145)
    assert (again.find(), again.slept) == ([], 0)


def test_two_creates_and_one_credential(others: Others, emulator: Emulator, iam: IAMClient) -> None:
    """One credential resolves only one create: the second one may have created a credential, too."""
    made = make(iam)
    for _ in range(2):
        others.create()
    later = Later(emulator)
    assert later.find() == [made]
    assert later.slept >= 30, "the wait continued after a list showed the credential"


@pytest.mark.parametrize("made", ["ACCAEARLIER", None])
def test_another_user_of_that_name(
    account: Account, others: Others, iam: IAMClient, emulator: Emulator, made: str | None
) -> None:
    """If the user was created after the killed call, that call created nothing for this user."""
    others.create(made)
    iam.delete_user(UserName="jane")
    emulator.controls.set(clock_shift=1 if made else 3)
    iam.create_user(UserName="jane")
    assert settle(Account()) == []
    assert len(settle(account)) == 1, "this run has read the deleted user"


def test_clock_that_was_put_back(account: Account, others: Others, emulator: Emulator) -> None:
    """A create in the future of the server time comes from an emulator whose clock was set, and is not waited for."""
    emulator.controls.set(clock_shift=100)
    account.inventory.reread(["jane"])
    others.create()
    emulator.controls.set(clock_shift=0)
    account.inventory.reread(["jane"])
    assert settle(account) == []


def test_deleted(account: Account, others: Others, iam: IAMClient, slept: list[float]) -> None:
    """A recent credential that another run deleted is not waited for."""
    made = make(iam)
    others.create(made)
    account.credentials.delete("jane", made)
    assert settle(account) == []
    assert slept == []


@pytest.mark.usefixtures("others")
def test_own_creates(account: Account, emulator: Emulator, slept: list[float]) -> None:
    """Creates of this process, with or without a response, do not count as creates of another run."""
    account.credentials.create("jane", CODECOMMIT)
    emulator.controls.fail(CREATE, when="before")
    with pytest.raises(LostAnswerError):
        account.credentials.create("jane", CODECOMMIT)
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
    """A later run waits for a Create without a response, but not for one that IAM rejected."""
    if fault == "lost":
        emulator.controls.fail(CREATE, when="before")
        with pytest.raises(LostAnswerError):
            account.credentials.create("jane", CODECOMMIT)
    elif fault == "denied":
        emulator.controls.deny(CREATE)
        with pytest.raises(AccessDeniedError):
            account.credentials.create("jane", CODECOMMIT)
    else:
        if fault == "throttled":
            emulator.controls.throttle(CREATE, times=2)
        issued = account.credentials.create("jane", CODECOMMIT)
        emulator.controls.set(list_lag=30)
        if fault == "throttled":
            account.credentials.delete("jane", issued.credential.id)
    monkeypatch.setattr("iamcreds.aws.create_journal.process_id", lambda: "another")
    assert (settle(Account(sleep=lambda _: None)) != []) == is_in_doubt
    assert timedelta(seconds=3) == BETWEEN_LOOKS
