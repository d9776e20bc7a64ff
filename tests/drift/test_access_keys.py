"""`iamcreds drift` and the access keys of many users: which are read, and which are judged by the report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from moto.iam.models import iam_backends

from iamcreds.emulator.account import ACCOUNT
from tests.drift.accounts import fill, names, wait_until, write_specs

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.drift.conftest import Drifting

DAY = 86_400


def looked(emulator: Emulator) -> tuple[int, int]:
    """Count the users whose keys were listed, and the keys whose last use was read, since the previous call."""
    counts = emulator.controls.counts()
    emulator.controls.clear_counts()
    return counts.get("iam:ListAccessKeys", 0), counts.get("iam:GetAccessKeyLastUsed", 0)


def days_ago(number: int) -> datetime:
    """Return the time that many days ago."""
    return datetime.now(UTC) - timedelta(days=number)


def test_only_suspects(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """Only users who may violate their policy according to the report are read, so the others cost no calls."""
    emulator.controls.set(clock_shift=-100 * DAY)
    fill(["idle", "off", "old", "unwatched"], [], access_keys=1)
    emulator.controls.set(clock_shift=-10 * DAY)
    fill(["two"], [], access_keys=2)
    fill(names(40), [], access_keys=1)
    emulator.controls.set(clock_shift=0)
    keys = {
        user: iam.list_access_keys(UserName=user)["AccessKeyMetadata"][0]["AccessKeyId"] for user in ("idle", "off")
    }
    emulator.controls.use_access_key(keys["idle"], days_ago(50))
    iam.update_access_key(UserName="off", AccessKeyId=keys["off"], Status="Inactive")
    drifting.declare(
        "defaults: {accessKeys: {max: 1, maxAgeDays: 90, maxIdleDays: 40}}\n"
        "users:\n"
        "  idle: {accessKeys: {maxAgeDays: 365}}\n"
        + "".join(f"  {user}: {{credentials: []}}\n" for user in ("off", "old", "two", *names(40)))
    )
    emulator.controls.clear_counts()
    ran = drifting.json()
    assert looked(emulator) == (3, 4)
    assert [(rule, user) for rule, user, _ in ran.found] == [
        ("access-key-idle", "idle"),
        ("access-key-idle", "old"),
        ("access-key-too-old", "old"),
        ("too-many-access-keys", "two"),
    ]
    assert ran.account["accessKeys"]["usersRead"] == 3
    exact = drifting.json("--exact")
    assert looked(emulator) == (44, 45)
    assert exact.account["differences"] == ran.account["differences"]
    assert exact.account["accessKeys"] == {"usersRead": 44, "credentialReport": None}


def test_users_without_policy(drifting: Drifting, emulator: Emulator) -> None:
    """If no user has a policy, neither the report nor any key is read."""
    fill(names(3), access_keys=2)
    write_specs(drifting.specs, names(3))
    assert drifting.run().code == 0
    assert set(emulator.controls.counts()) == {
        "iam:ListServiceSpecificCredentials", "iam:ListUsers", "sts:GetCallerIdentity",
    }  # fmt: skip


def test_old_report(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """A key created after the report is found only with --exact; the notes mention this and the report's age."""
    emulator.controls.set(clock_shift=-3 * 3600)
    fill(["jane"], [], access_keys=1)
    drifting.declare("users: {jane: {accessKeys: {max: 1}}}")
    iam.generate_credential_report()
    emulator.controls.set(clock_shift=0)
    iam.create_access_key(UserName="jane")
    ran = drifting.json()
    assert (ran.code, ran.found) == (0, [])
    report = ran.account["accessKeys"]["credentialReport"]
    assert 3 * 3600 <= report["ageSeconds"] < 3 * 3600 + 60
    assert "the credential report, which is 3 hours old" in ran.out
    assert "keys created or activated since" in ran.out
    assert drifting.json("--exact").found == [("too-many-access-keys", "jane", None)]


def test_age_crosses_the_limit_after_the_report(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """A key that becomes too old after the report is found, because its age is computed at the current time."""
    emulator.controls.set(clock_shift=-30 * DAY - 3600)
    fill(["jane"], [], access_keys=1)
    emulator.controls.set(clock_shift=-3 * 3600)
    iam.generate_credential_report()
    emulator.controls.set(clock_shift=0)
    drifting.declare("users: {jane: {accessKeys: {maxAgeDays: 30}}}")
    assert [rule for rule, _, _ in drifting.json().found] == ["access-key-too-old"]


def test_used_since_the_report(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """A key that is idle in the report and was used afterwards is read, and is not a finding."""
    emulator.controls.set(clock_shift=-60 * DAY)
    fill(["jane"], [], access_keys=1)
    emulator.controls.set(clock_shift=0)
    iam.generate_credential_report()
    key = iam.list_access_keys(UserName="jane")["AccessKeyMetadata"][0]["AccessKeyId"]
    emulator.controls.use_access_key(key, days_ago(0))
    drifting.declare("users: {jane: {accessKeys: {maxIdleDays: 30}}}")
    emulator.controls.clear_counts()
    assert drifting.json().found == []
    assert looked(emulator) == (1, 1)


def test_user_newer_than_the_report(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """A watched user who is missing in the report, or was created again after it, is read."""
    emulator.controls.set(clock_shift=-3600)
    fill(["again"], [])
    iam.generate_credential_report()
    iam.delete_user(UserName="again")
    emulator.controls.set(clock_shift=0)
    fill(["again", "new"], [], access_keys=1)
    drifting.declare("users: {again: {accessKeys: {max: 0}}, new: {accessKeys: {max: 0}}}")
    assert [user for _, user, _ in drifting.json().found] == ["again", "new"]


def test_missing_user(drifting: Drifting, emulator: Emulator) -> None:
    """A watched user who does not exist is one finding, and no request reads the keys."""
    drifting.declare("users: {nobody: {accessKeys: {max: 0}}}")
    assert drifting.json().found == [("missing-user", "nobody", None)]
    assert looked(emulator) == (0, 0)


@pytest.mark.parametrize("operation", ["iam:GenerateCredentialReport", "iam:GetCredentialReport"])
def test_report_denied(drifting: Drifting, emulator: Emulator, operation: str) -> None:
    """Without permission for the report, every watched user is read, and a note has the reason."""
    fill(names(5), [], access_keys=1)
    write_specs(drifting.specs, names(5), [], policy="{max: 0}")
    emulator.controls.fail(operation, status=403, code="AccessDenied", message="not authorized")
    ran = drifting.json()
    assert (ran.code, len(ran.found)) == (2, 5)
    assert looked(emulator) == (5, 5)
    assert "access keys of 5 users with a policy read one by one, because no credential report is available" in ran.out
    assert "AccessDenied" in ran.out
    assert ran.account["accessKeys"]["credentialReport"] is None


def test_report_broken(drifting: Drifting, emulator: Emulator) -> None:
    """If AWS fails to generate a report, the run continues."""
    fill(["jane"], [], access_keys=1)
    drifting.declare("users: {jane: {accessKeys: {max: 0}}}")
    emulator.controls.fail("iam:GenerateCredentialReport", status=409, code="LimitExceeded", message="busy")
    ran = drifting.json()
    assert (ran.code, [rule for rule, _, _ in ran.found]) == (2, ["too-many-access-keys"])
    assert "LimitExceeded" in ran.out


def test_key_deleted_meanwhile(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """A key that is deleted between the list and the read of its last use is neither an error nor a finding."""
    fill(["jane"], [], access_keys=2)
    keys = sorted(one["AccessKeyId"] for one in iam.list_access_keys(UserName="jane")["AccessKeyMetadata"])
    drifting.declare("users: {jane: {accessKeys: {max: 0}}}")
    emulator.controls.set(latency=0.3)
    emulator.controls.clear_counts()
    backend = iam_backends[ACCOUNT]["aws"]

    def delete() -> None:
        wait_until(lambda: "iam:GetAccessKeyLastUsed" in emulator.controls.counts())
        backend.delete_access_key(keys[0], "jane")

    with ThreadPoolExecutor(1) as pool:
        deleted = pool.submit(delete)
        ran = drifting.json("--exact")
        deleted.result(timeout=30)
    assert [key["id"] for found in ran.account["differences"] for key in found["live"]] == [keys[1]]


def test_last_used_denied(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """Without permission to read the last use of a key, the run ends with exit code 1 and omits nothing silently."""
    fill(["jane"], [], access_keys=1)
    drifting.declare("users: {jane: {accessKeys: {max: 0}}}")
    emulator.controls.fail("iam:GetAccessKeyLastUsed", status=403, code="AccessDenied", message="not authorized")
    ran = drifting.run()
    assert (ran.code, ran.out) == (1, "")
    assert "reading the last use of access key" in ran.err
    assert looked(emulator) == (2, 1)
    assert iam.list_access_keys(UserName="jane")["AccessKeyMetadata"]


def test_throttled(drifting: Drifting, emulator: Emulator) -> None:
    """If IAM throttles, every one of many users is read."""
    fill(names(60), [], access_keys=1)
    write_specs(drifting.specs, names(60), [], policy="{max: 0}")
    emulator.controls.fail("iam:ListAccessKeys", times=7, status=400, code="Throttling", message="Rate exceeded")
    ran = drifting.json("--exact")
    assert [user for _, user, _ in ran.found] == names(60)
    lists, _ = looked(emulator)
    assert lists == 60 + 7


def test_service_filter(drifting: Drifting, emulator: Emulator) -> None:
    """With --service, access keys are not read, because they belong to no service; a note mentions this."""
    fill(["jane"], access_keys=2)
    drifting.declare(
        "users: {jane: {credentials: [{service: codecommit}, {service: keyspaces}], accessKeys: {max: 0}}}"
    )
    emulator.controls.clear_counts()
    ran = drifting.json("--service", "codecommit")
    assert (ran.code, ran.found) == (0, [])
    assert "access keys not checked" in ran.out
    assert looked(emulator) == (0, 0)
