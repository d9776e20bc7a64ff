"""What a drift run believes of the account: endpoints that leave something out, lists that lag behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.aws import Account
from iamcreds.drift.detection import read_inventory
from iamcreds.model import AccessKeyPolicy, Desired, DesiredUser, Place
from tests.drift.accounts import FULL_NAMES, fill, wait_until

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.drift.conftest import Drifting

CODECOMMIT, KEYSPACES = FULL_NAMES
HOUR = 3_600
SPECS = (
    "users:\n"
    "  bob: {credentials: [{service: codecommit}]}\n"
    "  jane: {credentials: [{service: codecommit}, {service: keyspaces}]}\n"
)


def count_lists(emulator: Emulator) -> int:
    """How many lists of credentials were asked for since the last question."""
    number = emulator.controls.counts().get("iam:ListServiceSpecificCredentials", 0)
    emulator.controls.clear_counts()
    return number


@pytest.fixture
def declared(drifting: Drifting, emulator: Emulator) -> Drifting:
    """An account that is as declared since an hour, and has a user nobody declared, without credentials."""
    emulator.controls.set(clock_shift=-HOUR)
    fill(["bob"], [CODECOMMIT])
    fill(["jane"], [CODECOMMIT, KEYSPACES])
    fill(["zoe"], [])
    emulator.controls.set(clock_shift=0)
    drifting.declare(SPECS)
    emulator.controls.clear_counts()
    return drifting


def test_user_left_out(declared: Drifting, emulator: Emulator) -> None:
    """A user whom the list of all leaves out without a word is read alone, then everybody is: nothing is made up."""
    emulator.controls.set(hidden_users=["jane"])
    ran = declared.json()
    assert (ran.code, ran.found) == (0, [])
    assert ran.account["live"] == {"users": 3, "credentials": 3}
    assert count_lists(emulator) == 1 + 1 + 2


def test_nothing_missed_behind_a_user_left_out(declared: Drifting, emulator: Emulator) -> None:
    """Once one user proves to be left out, the list of all is not trusted for anybody else: strangers are found."""
    emulator.controls.set(clock_shift=-HOUR)
    fill(["stranger"], [CODECOMMIT])
    emulator.controls.set(clock_shift=0, hidden_users=["jane", "stranger"])
    assert [(rule, user) for rule, user, _ in declared.json().found] == [("undeclared-user", "stranger")]
    emulator.controls.set(hidden_users=["stranger"])
    assert declared.json().found == []  # without a doubt nobody looks again: that would cost a call for every user


def test_unknown_parameter(declared: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """An endpoint that does not know AllUsers is read user by user, each service apart, and what differs is found."""
    iam.create_service_specific_credential(UserName="zoe", ServiceName=KEYSPACES)
    emulator.controls.set(all_users=False)
    emulator.controls.clear_counts()
    ran = declared.json()
    assert [(rule, user) for rule, user, _ in ran.found] == [("undeclared-user", "zoe")]
    assert ran.account["live"] == {"users": 3, "credentials": 4}
    assert count_lists(emulator) == 1 + 3


def test_missing_costs_one_list(declared: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """What is missing in the list of its own user too is missing, and no doubt falls on the list of all."""
    (listed,) = iam.list_service_specific_credentials(UserName="bob")["ServiceSpecificCredentials"]
    iam.delete_service_specific_credential(
        UserName="bob", ServiceSpecificCredentialId=listed["ServiceSpecificCredentialId"]
    )
    emulator.controls.clear_counts()
    ran = declared.json()
    assert ran.found == [("missing-credential", "bob", None)]
    assert count_lists(emulator) == 1 + 1
    assert "what was made or deleted within the last minute may be told wrongly" in ran.out


def test_young_user(drifting: Drifting, emulator: Emulator) -> None:
    """Of a user made within the last minute nothing is called missing, for lists may lag; a note names the user."""
    fill(["bob"], [])
    fill(["jane"], [], age=timedelta(seconds=20))
    drifting.declare(SPECS)
    ran = drifting.json()
    assert ran.found == [("missing-credential", "bob", None)]
    assert [(told["rule"], told["user"]) for told in ran.account["unsettled"]] == [("missing-credential", "jane")] * 2
    assert "2 differences of jane not told: made within the last minute" in drifting.run().out
    only_jane = drifting.json("--user", "jane")
    assert (only_jane.code, only_jane.account["clean"]) == (0, True)
    emulator.controls.set(clock_shift=60)
    assert len(drifting.json().found) == 3


def test_status_of_a_young_credential(drifting: Drifting, emulator: Emulator) -> None:
    """A credential made Inactive whose list still shows it Active is no drift until it is older than the lag."""
    fill(["jane"], [CODECOMMIT])
    drifting.declare("users: {jane: {credentials: [{service: codecommit, status: Inactive}]}}")
    ran = drifting.json()
    assert (ran.code, [told["rule"] for told in ran.account["unsettled"]]) == (0, ["status-differs"])
    emulator.controls.set(clock_shift=61)
    assert [rule for rule, _, _ in drifting.json().found] == ["status-differs"]


def test_at_once(declared: Drifting, emulator: Emulator) -> None:
    """Users and credentials are read at the same time: while the one list is held, the other is answered."""
    emulator.controls.pause("iam:ListServiceSpecificCredentials", when="after")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(declared.json)
        wait_until(lambda: emulator.controls.held() != [] and "iam:ListUsers" in emulator.controls.counts())
        emulator.controls.release()
        ran = running.result(timeout=60)
    assert (ran.code, ran.account["live"]) == (0, {"users": 3, "credentials": 3})


@pytest.mark.parametrize("operations", [["iam:ListUsers"], ["iam:ListServiceSpecificCredentials"], ["iam:List*"]])
def test_either_fails(declared: Drifting, emulator: Emulator, operations: list[str]) -> None:
    """Whichever of the two lists fails, the run ends with its sentence and without a half answer."""
    for operation in operations:
        emulator.controls.fail(operation, status=403, code="AccessDenied", message="not authorized", times=None)
    ran = declared.run()
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: listing the ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("shift", [-90, 90])
def test_clock_of_this_machine(drifting: Drifting, emulator: Emulator, shift: int) -> None:
    """What is young is told by AWS's clock: this machine's may be a minute and a half off, either way."""
    emulator.controls.set(clock_shift=shift)
    fill(["bob"], [], age=timedelta(minutes=5))
    fill(["jane"], [], age=timedelta(seconds=20))
    drifting.declare("users: {bob: {credentials: [{service: logs}]}, jane: {credentials: [{service: logs}]}}")
    ran = drifting.json()
    assert ran.found == [("missing-credential", "bob", None)]
    assert [told["user"] for told in ran.account["unsettled"]] == ["jane"]


def test_unmanaged_is_told_at_once(declared: Drifting, iam: IAMClient) -> None:
    """A credential beside the declared one is live however young: it is told, with a note that lists may lag."""
    iam.create_service_specific_credential(UserName="bob", ServiceName=CODECOMMIT)
    ran = declared.json()
    assert ran.found == [("unmanaged-credential", "bob", None)]
    assert "may be told wrongly, for IAM's lists lag behind" in ran.out


def test_what_is_heard(signed_in: Emulator, iam: IAMClient) -> None:
    """Whoever waits hears what is read: credentials, users, the report, and each watched user's access keys."""
    fill(["jane", "bob"], [], access_keys=1)
    watched = tuple(
        DesiredUser(name, Place("specs/a.yaml", 1, 1), access_keys=AccessKeyPolicy(max=0)) for name in ("bob", "jane")
    )
    signed_in.controls.set(report_time=0.3)
    heard: list[tuple[str, int, int | None]] = []
    account = Account(sleep=lambda seconds: signed_in.controls.set(clock_shift=seconds))
    inventory = read_inventory(
        account,
        Desired(watched),
        datetime.now(UTC),
        progress=lambda doing, done, total=None: heard.append((doing, done, total)),
    )
    assert heard == [
        ("listing credentials", 0, None),
        ("listing users", 0, None),
        ("waiting for the credential report", 0, None),
        ("reading access keys", 1, 2),
        ("reading access keys", 2, 2),
    ]
    assert inventory.access_keys_read == ("bob", "jane")
    assert [key.user for key in inventory.access_keys] == ["bob", "jane"]
    assert inventory.account == "123456789012"
    assert len(iam.list_users()["Users"]) == 2
