"""Account data that a drift run does not trust: incomplete endpoints and eventual consistency."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.aws import Account
from iamcreds.desired import AccessKeyPolicy, Desired, DesiredUser
from iamcreds.drift.detection import read_inventory
from iamcreds.model import SourceLocation
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
    """Return the number of lists of credentials since the previous call."""
    number = emulator.controls.counts().get("iam:ListServiceSpecificCredentials", 0)
    emulator.controls.clear_counts()
    return number


@pytest.fixture
def declared(drifting: Drifting, emulator: Emulator) -> Drifting:
    """Create an account that has matched its specs for an hour, with an undeclared user who has no credentials."""
    emulator.controls.set(clock_shift=-HOUR)
    fill(["bob"], [CODECOMMIT])
    fill(["jane"], [CODECOMMIT, KEYSPACES])
    fill(["zoe"], [])
    emulator.controls.set(clock_shift=0)
    drifting.declare(SPECS)
    emulator.controls.clear_counts()
    return drifting


def test_user_left_out(declared: Drifting, emulator: Emulator) -> None:
    """If the list of all users omits a user, that user is read separately, then every user: no finding is wrong."""
    emulator.controls.set(hidden_users=["jane"])
    ran = declared.json()
    assert (ran.code, ran.found) == (0, [])
    assert ran.account["live"] == {"users": 3, "credentials": 3}
    assert count_lists(emulator) == 1 + 1 + 2


def test_nothing_missed_behind_a_user_left_out(declared: Drifting, emulator: Emulator) -> None:
    """If one user is missing in the list of all users, every user is read, so that undeclared users are found."""
    emulator.controls.set(clock_shift=-HOUR)
    fill(["stranger"], [CODECOMMIT])
    emulator.controls.set(clock_shift=0, hidden_users=["jane", "stranger"])
    assert [(rule, user) for rule, user, _ in declared.json().found] == [("undeclared-user", "stranger")]
    emulator.controls.set(hidden_users=["stranger"])
    assert declared.json().found == []  # not found: reading each user separately would cost a call per user


def test_unknown_parameter(declared: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """On an endpoint without AllUsers, each user is read separately, and differences of every service are found."""
    iam.create_service_specific_credential(UserName="zoe", ServiceName=KEYSPACES)
    emulator.controls.set(all_users=False)
    emulator.controls.clear_counts()
    ran = declared.json()
    assert [(rule, user) for rule, user, _ in ran.found] == [("undeclared-user", "zoe")]
    assert ran.account["live"] == {"users": 3, "credentials": 4}
    assert count_lists(emulator) == 1 + 3


def test_missing_costs_one_list(declared: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """A credential that is also missing in its user's own list is missing, and no further user is read."""
    (listed,) = iam.list_service_specific_credentials(UserName="bob")["ServiceSpecificCredentials"]
    iam.delete_service_specific_credential(
        UserName="bob", ServiceSpecificCredentialId=listed["ServiceSpecificCredentialId"]
    )
    emulator.controls.clear_counts()
    ran = declared.json()
    assert ran.found == [("missing-credential", "bob", None)]
    assert count_lists(emulator) == 1 + 1
    assert "changes made in the last minute may be reported incorrectly" in ran.out


def test_young_user(drifting: Drifting, emulator: Emulator) -> None:
    """A credential of a user created within the last minute is not reported as missing; a note names the user."""
    fill(["bob"], [])
    fill(["jane"], [], age=timedelta(seconds=20))
    drifting.declare(SPECS)
    ran = drifting.json()
    assert ran.found == [("missing-credential", "bob", None)]
    assert [(told["rule"], told["user"]) for told in ran.account["unsettled"]] == [("missing-credential", "jane")] * 2
    assert "2 differences of jane not reported, because IAM is eventually consistent" in drifting.run().out
    only_jane = drifting.json("--user", "jane")
    assert (only_jane.code, only_jane.account["clean"]) == (0, True)
    emulator.controls.set(clock_shift=60)
    assert len(drifting.json().found) == 3


def test_status_of_a_young_credential(drifting: Drifting, emulator: Emulator) -> None:
    """An outdated status in the list is not drift until the credential is older than the delay of lists."""
    fill(["jane"], [CODECOMMIT])
    drifting.declare("users: {jane: {credentials: [{service: codecommit, status: Inactive}]}}")
    ran = drifting.json()
    assert (ran.code, [told["rule"] for told in ran.account["unsettled"]]) == (0, ["status-differs"])
    emulator.controls.set(clock_shift=61)
    assert [rule for rule, _, _ in drifting.json().found] == ["status-differs"]


def test_at_once(declared: Drifting, emulator: Emulator) -> None:
    """Users and credentials are read concurrently: one list completes while the other is paused."""
    emulator.controls.pause("iam:ListServiceSpecificCredentials", when="after")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(declared.json)
        wait_until(lambda: emulator.controls.held() != [] and "iam:ListUsers" in emulator.controls.counts())
        emulator.controls.release()
        ran = running.result(timeout=60)
    assert (ran.code, ran.account["live"]) == (0, {"users": 3, "credentials": 3})


@pytest.mark.parametrize("operations", [["iam:ListUsers"], ["iam:ListServiceSpecificCredentials"], ["iam:List*"]])
def test_either_fails(declared: Drifting, emulator: Emulator, operations: list[str]) -> None:
    """If either of the two lists fails, the run ends with its error and without output."""
    for operation in operations:
        emulator.controls.fail(operation, status=403, code="AccessDenied", message="not authorized", times=None)
    ran = declared.run()
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: listing the ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("shift", [-90, 90])
def test_clock_of_this_machine(drifting: Drifting, emulator: Emulator, shift: int) -> None:
    """Ages are computed by server time, so the local clock may be off by 90 seconds in either direction."""
    emulator.controls.set(clock_shift=shift)
    fill(["bob"], [], age=timedelta(minutes=5))
    fill(["jane"], [], age=timedelta(seconds=20))
    drifting.declare("users: {bob: {credentials: [{service: logs}]}, jane: {credentials: [{service: logs}]}}")
    ran = drifting.json()
    assert ran.found == [("missing-credential", "bob", None)]
    assert [told["user"] for told in ran.account["unsettled"]] == ["jane"]


def test_unmanaged_is_told_at_once(declared: Drifting, iam: IAMClient) -> None:
    """An unmanaged credential next to a declared one is reported at any age; a note mentions eventual consistency."""
    iam.create_service_specific_credential(UserName="bob", ServiceName=CODECOMMIT)
    ran = declared.json()
    assert ran.found == [("unmanaged-credential", "bob", None)]
    assert "IAM is eventually consistent, so changes made in the last minute may be reported incorrectly" in ran.out


def test_what_is_heard(signed_in: Emulator, iam: IAMClient) -> None:
    """Progress reports credentials, users, the report, and the access keys of each watched user."""
    fill(["jane", "bob"], [], access_keys=1)
    watched = tuple(
        DesiredUser(name, SourceLocation("specs/a.yaml", 1, 1), access_keys=AccessKeyPolicy(max=0))
        for name in ("bob", "jane")
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
