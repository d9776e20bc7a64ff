"""Writes with lost, truncated or late responses: credentials are attributed correctly, and no password leaks."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from iamcreds.aws import Account
from iamcreds.emulator.account import SWITCHES
from iamcreds.errors import AccountError, LostAnswerError, UnavailableError, UnreachableError, UnreadableAnswerError
from iamcreds.model import Status
from tests.e2e.existing import wait_until

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from iamcreds.model import IssuedCredential

CREATE = "iam:CreateServiceSpecificCredential"
DELETE = "iam:DeleteServiceSpecificCredential"
LIST = "iam:ListServiceSpecificCredentials"
RESET = "iam:ResetServiceSpecificCredential"
UPDATE = "iam:UpdateServiceSpecificCredential"
BEDROCK = "bedrock.amazonaws.com"
CODECOMMIT = "codecommit.amazonaws.com"
KEYSPACES = "cassandra.amazonaws.com"


def create(account: Account) -> IssuedCredential | LostAnswerError:
    """Create a credential for jane and return it, or the error about a lost response."""
    try:
        return account.credentials.create("jane", CODECOMMIT)
    except LostAnswerError as error:
        return error


@pytest.mark.usefixtures("iam")
def test_siblings(account: Account, emulator: Emulator) -> None:
    """If one of two simultaneous creates for a user and service fails, it does not adopt the other's credential."""
    emulator.controls.set(latency=0.3)
    emulator.controls.fail(CREATE, when="before")
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: create(account), range(2)))
    assert sum(isinstance(result, LostAnswerError) for result in made) == 1
    assert RESET not in emulator.controls.counts()
    (issued,) = (result for result in made if not isinstance(result, LostAnswerError))
    assert emulator.controls.passwords() == {issued.credential.id: issued.secret}


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("failing", [1, 2])
def test_two_runs(account: Account, emulator: Emulator, failing: int) -> None:
    """The same applies to two simultaneous runs with separate accounts, whichever one fails.

    A credential that the other run created within the same second, before this run listed, belongs to the other run.
    """
    other = Account(sleep=lambda _: None)
    for one in (account, other):
        one.inventory.all()
    emulator.controls.set(latency=0.3)
    emulator.controls.fail(CREATE, when="before", call=failing)
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(create, (account, other)))
    assert sum(isinstance(result, LostAnswerError) for result in made) == 1
    assert RESET not in emulator.controls.counts()
    (issued,) = (result for result in made if not isinstance(result, LostAnswerError))
    assert emulator.controls.passwords() == {issued.credential.id: issued.secret}


def test_human_in_the_window(account: Account, emulator: Emulator, iam: IAMClient) -> None:
    """A credential that a person creates while the response to a Create is lost is not reset: the error names both."""
    emulator.controls.pause(CREATE, when="after")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(create, account)
        wait_until(lambda: bool(emulator.controls.held()))
        emulator.controls.put_credential("ACCAHUMAN000000000000", "jane", CODECOMMIT, password="theirs")
        emulator.controls.abandon()
        lost = running.result()
    assert isinstance(lost, LostAnswerError)
    assert len(iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"]) == 2
    assert all(credential_id in str(lost) for credential_id in emulator.controls.passwords())
    assert emulator.controls.passwords()["ACCAHUMAN000000000000"] == "theirs"


@pytest.mark.parametrize("age_days", [None, 30])
def test_human_with_another_expiry(account: Account, emulator: Emulator, iam: IAMClient, age_days: int | None) -> None:
    """A simultaneous credential with a lifetime different from the requested one does not belong to the call."""
    account.inventory.all()
    theirs = iam.create_service_specific_credential(
        UserName="jane", ServiceName=BEDROCK, CredentialAgeDays=31 if age_days else 30
    )["ServiceSpecificCredential"]
    emulator.controls.fail(CREATE, when="before")
    with pytest.raises(LostAnswerError, match="no new credential appeared"):
        account.credentials.create("jane", BEDROCK, age_days)
    assert list(emulator.controls.passwords().values()) == [theirs["ServiceCredentialSecret"]]
    emulator.controls.set(clock_shift=71)  # otherwise the credential may belong to the first create
    emulator.controls.fail(CREATE, when="after")
    issued = account.credentials.create("jane", BEDROCK, age_days)
    assert issued.credential.lifetime == (timedelta(days=age_days) if age_days else None)
    assert emulator.controls.passwords()[issued.credential.id] == issued.secret


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("shift", [-90, -1.3, 0, 1.3, 90])
def test_clocks(account: Account, emulator: Emulator, shift: float) -> None:
    """Server time decides which credentials are new or young, even if this machine's clock is far off."""
    emulator.controls.set(clock_shift=shift)
    emulator.controls.put_credential("ACCAOLD00000000000000", "jane", KEYSPACES)
    account.id()
    emulator.controls.drop(CREATE, when="after")
    issued = account.credentials.create("jane", CODECOMMIT)
    assert account.clock.is_young(issued.credential.created)
    emulator.controls.set(clock_shift=shift + 61)
    account.inventory.reread(["jane"])
    assert not account.clock.is_young(issued.credential.created)


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("cut", [0, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("whole_length", [True, False])
def test_cut_create(account: Account, emulator: Emulator, cut: float, *, whole_length: bool) -> None:
    """A truncated response to Create is a lost response: a list shows the credential, and Reset returns a password."""
    emulator.controls.cut(CREATE, cut, whole_length=whole_length)
    issued = account.credentials.create("jane", CODECOMMIT)
    assert emulator.controls.counts()[CREATE] == 1
    assert emulator.controls.passwords() == {issued.credential.id: issued.secret}


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("cut", [0, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("whole_length", [True, False])
def test_cut_reset(account: Account, emulator: Emulator, cut: float, *, whole_length: bool) -> None:
    """A truncated response to Reset is requested again; if all are truncated, the error contains no password."""
    existing = account.credentials.create("jane", CODECOMMIT).credential
    emulator.controls.cut(RESET, cut, whole_length=whole_length)
    issued = account.credentials.change("jane", existing.id, reset=True)
    assert issued is not None
    assert emulator.controls.passwords() == {existing.id: issued.secret}
    emulator.controls.cut(RESET, cut, whole_length=whole_length, times=None)
    with pytest.raises(LostAnswerError, match="the password may already be reset") as failed:
        account.credentials.change("jane", existing.id, reset=True)
    told = "".join(traceback.format_exception(failed.value))
    assert not any(secret[:12] in told for secret in emulator.controls.secrets())


@pytest.mark.usefixtures("iam")
def test_reset_that_is_refused_at_last(account: Account, emulator: Emulator) -> None:
    """If the response to a Reset is truncated and the retry is denied, the error states that it may be reset."""
    existing = account.credentials.create("jane", CODECOMMIT).credential
    emulator.controls.cut(RESET, 0.5)
    emulator.controls.deny(RESET, call=2)
    with pytest.raises(LostAnswerError, match="the password may already be reset"):
        account.credentials.change("jane", existing.id, reset=True)


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("was_sent", [True, False])
def test_reset_without_a_network(account: Account, monkeypatch: pytest.MonkeyPatch, *, was_sent: bool) -> None:
    """If the network fails during a Reset, it may have happened only if an attempt was sent."""
    monkeypatch.setattr("time.sleep", lambda _: None)  # pauses of botocore
    existing = account.credentials.create("jane", CODECOMMIT).credential
    failures = iter([ReadTimeoutError(endpoint_url="x")] if was_sent else [])

    def fail(*_: object) -> None:
        raise next(failures, EndpointConnectionError(endpoint_url="x"))

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", fail)
    with pytest.raises(LostAnswerError if was_sent else UnreachableError) as failed:
        account.credentials.change("jane", existing.id, reset=True)
    assert "Could not connect to the endpoint" in str(failed.value)
    assert ("the password may already be reset" in str(failed.value)) is was_sent


@pytest.mark.usefixtures("iam")
def test_reset_that_breaks(account: Account, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """If AWS fails during a Reset, the error states that it may have happened."""
    monkeypatch.setattr("time.sleep", lambda _: None)  # pauses of botocore
    existing = account.credentials.create("jane", CODECOMMIT).credential
    emulator.controls.fail(RESET, times=None)
    with pytest.raises(LostAnswerError, match="may already be reset, and then the recorded one no longer works"):
        account.credentials.change("jane", existing.id, reset=True)


@pytest.mark.usefixtures("iam")
def test_cut_reads(account: Account, emulator: Emulator) -> None:
    """A truncated list is requested again and not mistaken for an endpoint without support for AllUsers."""
    emulator.controls.cut(LIST, 0.5, whole_length=False, times=2)
    assert account.inventory.all() == []
    assert emulator.controls.counts()[LIST] == 3
    emulator.controls.cut(LIST, 0.5, whole_length=False, times=None)
    with pytest.raises(UnreadableAnswerError, match=r"listing .* all users: the response is incomplete"):
        Account().inventory.all()


@pytest.mark.usefixtures("iam")
def test_password_of_what_was_found(account: Account, emulator: Emulator) -> None:
    """If the credential of a lost response is found and every Reset fails, the error names it and lists the options."""
    emulator.controls.drop(CREATE, when="after")
    emulator.controls.deny(RESET)
    with pytest.raises(
        LostAnswerError,
        match=r"the new credential ACCA\w+ of user jane could not be reset .* or declare `existing: adopt`",
    ):
        account.credentials.create("jane", CODECOMMIT)


@pytest.mark.usefixtures("iam")
def test_looking_fails(account: Account, emulator: Emulator) -> None:
    """If the search for the credential of a lost response fails, the error states that it may exist."""
    account.inventory.all()
    emulator.controls.drop(CREATE, when="after")
    emulator.controls.deny(LIST)
    with pytest.raises(LostAnswerError, match=r"the search for the new credential failed .* the next run reports it"):
        account.credentials.create("jane", CODECOMMIT)
    assert RESET not in emulator.controls.counts()


def test_user_and_service_are_not_mixed_up(account: Account, emulator: Emulator, iam: IAMClient) -> None:
    """A lost response is resolved within its own user and service, even if other credentials are new."""
    iam.create_user(UserName="john")
    account.inventory.all()
    emulator.controls.put_credential("ACCAOTHERUSER00000000", "john", CODECOMMIT)
    emulator.controls.put_credential("ACCAOTHERSERVICE00000", "jane", KEYSPACES)
    emulator.controls.drop(CREATE, when="after")
    issued = account.credentials.create("jane", CODECOMMIT)
    assert (issued.credential.user, issued.credential.service) == ("jane", CODECOMMIT)


@pytest.mark.usefixtures("iam")
def test_a_list_behind_our_writes(account: Account, emulator: Emulator) -> None:
    """The inventory keeps our own writes, even if a lagging list contradicts them."""
    made = account.credentials.create("jane", CODECOMMIT).credential
    gone = account.credentials.create("jane", KEYSPACES).credential
    emulator.controls.set(list_lag=30)
    account.credentials.change("jane", made.id, status=Status.INACTIVE)
    account.credentials.delete("jane", gone.id)
    account.inventory.reread(["jane"])
    assert [(existing.id, existing.status) for existing in account.inventory.all()] == [(made.id, Status.INACTIVE)]


@pytest.mark.parametrize("all_users", [True, False])
def test_renamed_user(account: Account, emulator: Emulator, iam: IAMClient, *, all_users: bool) -> None:
    """A credential of a renamed user is found and deleted under the new name, even without a list of all users."""
    existing = account.credentials.create("jane", CODECOMMIT).credential
    iam.update_user(UserName="jane", NewUserName="joan")
    emulator.controls.set(all_users=all_users)
    fresh = Account()
    found = fresh.inventory.find("jane", existing.id)
    assert found is not None
    assert found.user == "joan"
    Account().credentials.delete("jane", existing.id)
    assert emulator.controls.passwords() == {}


@pytest.mark.parametrize("behaviour", [{}, {"all_users": False}, {"hidden_users": ["joan"]}])
def test_name_that_another_user_has_now(
    account: Account, emulator: Emulator, iam: IAMClient, behaviour: dict[str, Any]
) -> None:
    """The same applies if the old name belongs to another user now, even if the list of all users is incomplete."""
    existing = account.credentials.create("jane", CODECOMMIT).credential
    iam.update_user(UserName="jane", NewUserName="joan")
    iam.create_user(UserName="jane")
    emulator.controls.set(**behaviour)
    Account().credentials.delete("jane", existing.id)
    assert emulator.controls.passwords() == {}


def test_another_users_that_no_list_shows(account: Account, emulator: Emulator, iam: IAMClient) -> None:
    """A credential that IAM attributes to another user is not gone, even if it is old and no list shows it."""
    emulator.controls.set(clock_shift=-86_400)
    existing = account.credentials.create("jane", CODECOMMIT).credential
    emulator.controls.set(clock_shift=0)
    iam.create_user(UserName="joan")
    emulator.controls.set(list_lag=100_000)
    with pytest.raises(AccountError, match=r"list results do not show the new name yet\. Run again in a minute"):
        Account().credentials.delete("joan", existing.id, existing.created)
    assert list(emulator.controls.passwords()) == [existing.id]


@pytest.mark.usefixtures("iam")
def test_issue_is_all_or_nothing(account: Account, emulator: Emulator) -> None:
    """A new credential that cannot be deactivated is deleted; if that fails, the error names it."""
    emulator.controls.deny(UPDATE)
    with pytest.raises(AccountError, match=r"the new credential ACCA\w+ of user jane was deleted again"):
        account.credentials.create("jane", CODECOMMIT, status=Status.INACTIVE)
    assert emulator.controls.passwords() == {}
    emulator.controls.deny(DELETE)
    with pytest.raises(AccountError, match=r"could not be deleted .*\. Delete ACCA\w+ of user jane manually"):
        account.credentials.create("jane", CODECOMMIT, status=Status.INACTIVE)


@pytest.mark.usefixtures("iam")
def test_known_services(account: Account, emulator: Emulator) -> None:
    """Checking whether AWS supports a service costs one call for each run."""
    for _ in range(2):
        assert account.inventory.has_service("jane", "bedrock.amazonaws.com")
        assert not account.inventory.has_service("jane", "teapot.amazonaws.com")
    assert emulator.controls.counts()[LIST] == 2


def test_what_is_seen_first_may_be_somebodys(
    account: Account, emulator: Emulator, iam: IAMClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If our clock is off, a recent credential of a person may match the call: the error names both, none is reset."""
    moment = datetime.now(UTC)
    monkeypatch.setattr(SWITCHES, "clock", lambda: moment)  # both creates are within one second of server time
    emulator.controls.set(clock_shift=-90)
    account.inventory.all()
    emulator.controls.pause(CREATE, when="after", call=2)
    iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(create, account)
        wait_until(lambda: bool(emulator.controls.held()))
        emulator.controls.abandon()
        lost = running.result()
    assert isinstance(lost, LostAnswerError)
    assert RESET not in emulator.controls.counts()


@pytest.mark.usefixtures("iam")
def test_lost_response_is_reported(signed_in: Emulator) -> None:
    """If the only candidate resolves a lost response, a warning names its id, user and service."""
    warnings: list[str] = []
    account = Account(sleep=lambda _: None, warn=warnings.append)
    account.credentials.create("jane", KEYSPACES)
    assert warnings == []
    signed_in.controls.drop(CREATE, when="after")
    made = account.credentials.create("jane", CODECOMMIT).credential
    (said,) = warnings
    lost = f"creating a {CODECOMMIT} credential for user jane: the response was lost"
    assert said.startswith(f"{lost}; {made.id} is the only {CODECOMMIT} credential of user jane that appeared")
    assert said.endswith("iamcreds kept it and reset its password")


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("is_own", [True, False])
def test_candidate_of_a_different_create(
    account: Account, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, *, is_own: bool
) -> None:
    """If a different create of this machine got no response either, the candidate may belong to it: the run stops."""
    emulator.controls.fail(CREATE, when="before")
    assert isinstance(create(account), LostAnswerError)
    if not is_own:
        monkeypatch.setattr("iamcreds.aws.create_journal.process_id", lambda: "other")
    emulator.controls.drop(CREATE, when="after")
    lost = create(Account(sleep=lambda _: None, warn=pytest.fail))
    (made,) = emulator.controls.passwords()
    assert f"{made} of user jane may be from a different create on this machine" in str(lost)
    assert RESET not in emulator.controls.counts()


@pytest.mark.usefixtures("iam")
def test_notes_that_cannot_be_kept(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A create continues with one warning if its note cannot be written."""
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    monkeypatch.setattr("iamcreds.aws.notes.SHARED", Path("/dev/null"))
    warnings: list[str] = []
    account = Account(sleep=lambda _: None, warn=warnings.append)
    for service in (CODECOMMIT, KEYSPACES):
        account.credentials.delete("jane", account.credentials.create("jane", service).credential.id)
    assert [said.count("Not a directory") for said in warnings] == [2]
    assert signed_in.controls.passwords() == {}


def test_deleting_where_lists_lag(account: Account, emulator: Emulator, iam: IAMClient) -> None:
    """While a list shows the credential under the old user name, a missing user does not mean that it is gone."""
    existing = account.credentials.create("jane", CODECOMMIT).credential
    emulator.controls.set(clock_shift=120)
    iam.update_user(UserName="jane", NewUserName="joan")
    emulator.controls.set(list_lag=30)
    with pytest.raises(AccountError, match=r"the user may have been renamed, .*\. Run again in a minute"):
        Account().credentials.delete("jane", existing.id)
    emulator.controls.set(clock_shift=240)
    emulator.controls.set(hidden_users=["joan"])
    with pytest.raises(AccountError, match=r"list results do not show the new name yet\. Run again in a minute"):
        Account().credentials.delete("jane", existing.id, datetime.now(UTC) + timedelta(seconds=240))
    emulator.controls.set(hidden_users=[])
    Account().credentials.delete("jane", existing.id, existing.created)
    assert emulator.controls.passwords() == {}


@pytest.mark.usefixtures("iam")
def test_reset_before_a_failing_switch(account: Account, emulator: Emulator) -> None:
    """If a credential was reset but cannot be activated, the error states that the old password is invalid."""
    existing = account.credentials.create("jane", CODECOMMIT, status=Status.INACTIVE).credential
    emulator.controls.deny(UPDATE)
    with pytest.raises(LostAnswerError, match=r"already reset, and the recorded one no longer works\. Run again"):
        account.credentials.change("jane", existing.id, status=Status.ACTIVE, reset=True)


@pytest.mark.usefixtures("iam")
def test_a_broken_list_of_all(account: Account, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of the list of all users is not mistaken for missing support for AllUsers: the run stops."""
    monkeypatch.setattr("time.sleep", lambda _: None)  # pauses of botocore
    emulator.controls.fail(LIST, times=None)
    with pytest.raises(UnavailableError, match=r"listing .* all users: AWS error ServiceFailure"):
        account.inventory.all()


@pytest.mark.parametrize("all_users", [True, False])
def test_renamed_where_all_users_is_unknown(signed_in: Emulator, iam: IAMClient, *, all_users: bool) -> None:
    """A credential of a missing user is looked for under every user if the list of all users is not reliable."""
    iam.create_user(UserName="john")
    signed_in.controls.put_credential("ACCAOLD00000000000000", "jane", CODECOMMIT)
    iam.update_user(UserName="jane", NewUserName="joan")
    signed_in.controls.set(all_users=all_users)
    found = Account().inventory.find("jane", "ACCAOLD00000000000000")
    assert found is not None
    assert found.user == "joan"


def test_a_long_wait(emulator: Emulator, iam: IAMClient, signed_in: Emulator) -> None:
    """A credential that a person creates half a minute into a time-out is not attributed to the call."""
    del signed_in  # is required to exist
    late = [timedelta()]
    account = Account(now=lambda: datetime.now(UTC) + late[0], sleep=lambda _: None)
    account.inventory.all()
    emulator.controls.pause(CREATE, when="before")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(create, account)
        wait_until(lambda: bool(emulator.controls.held()))
        late[0] = timedelta(seconds=40)
        made = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
        emulator.controls.put_credential("ACCAHUMAN000000000000", "jane", CODECOMMIT, created=made)
        emulator.controls.abandon()
        lost = running.result()
    assert isinstance(lost, LostAnswerError)
    assert "ACCAHUMAN000000000000" not in str(lost)
    assert len(iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"]) == 1
