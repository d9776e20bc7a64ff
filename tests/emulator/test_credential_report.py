"""The credential report of the IAM emulator, as documented by AWS and as recorded in practice."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator


def rows(iam: IAMClient) -> dict[str, dict[str, str]]:
    """Return the rows of the report by user."""
    return {row["user"]: row for row in csv.DictReader(iam.get_credential_report()["Content"].decode().splitlines())}


def test_columns(emulator: Emulator, iam: IAMClient) -> None:
    """The report has root first, then users by name, with the status, creation and last use of each key."""
    for name in ("jane", "bob"):
        iam.create_user(UserName=name)
    used = iam.create_access_key(UserName="jane")["AccessKey"]
    off = iam.create_access_key(UserName="jane")["AccessKey"]
    emulator.controls.use_access_key(used["AccessKeyId"], datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "s3", "eu-west-1")
    iam.update_access_key(UserName="jane", AccessKeyId=off["AccessKeyId"], Status="Inactive")
    iam.generate_credential_report()
    found = rows(iam)
    assert list(found) == ["<root_account>", "bob", "jane"]
    assert found["<root_account>"]["password_enabled"] == "not_supported"
    keys = {name: value for name, value in found["jane"].items() if name.startswith("access_key")}
    assert keys == {
        "access_key_1_active": "true",
        "access_key_1_last_rotated": used["CreateDate"].isoformat(),
        "access_key_1_last_used_date": "2026-01-02T03:04:05+00:00",
        "access_key_1_last_used_region": "eu-west-1",
        "access_key_1_last_used_service": "s3",
        "access_key_2_active": "false",
        "access_key_2_last_rotated": off["CreateDate"].isoformat(),
        "access_key_2_last_used_date": "N/A",
        "access_key_2_last_used_region": "N/A",
        "access_key_2_last_used_service": "N/A",
    }
    assert {found["bob"][f"access_key_{number}_last_rotated"] for number in (1, 2)} == {"N/A"}
    assert all(None not in row and None not in row.values() for row in found.values())


def test_states(emulator: Emulator, iam: IAMClient) -> None:
    """A report is missing, started, in progress, complete, and after four hours expired and generated again."""
    with pytest.raises(iam.exceptions.CredentialReportNotPresentException):
        iam.get_credential_report()
    emulator.controls.set(report_time=60)
    before = datetime.now(UTC).replace(microsecond=0)
    assert [iam.generate_credential_report()["State"] for _ in range(2)] == ["STARTED", "INPROGRESS"]
    with pytest.raises(iam.exceptions.CredentialReportNotReadyException):
        iam.get_credential_report()
    emulator.controls.set(clock_shift=61)
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    assert before <= iam.get_credential_report()["GeneratedTime"] <= datetime.now(UTC)
    emulator.controls.set(clock_shift=4 * 3600 + 5, report_time=0)
    with pytest.raises(iam.exceptions.CredentialReportExpiredException):
        iam.get_credential_report()
    assert [iam.generate_credential_report()["State"] for _ in range(2)] == ["STARTED", "COMPLETE"]


def test_snapshot(emulator: Emulator, iam: IAMClient) -> None:
    """A report stays unchanged for four hours, even if users are created."""
    iam.generate_credential_report()
    iam.create_user(UserName="late")
    emulator.controls.set(clock_shift=3 * 3600)
    iam.generate_credential_report()
    assert "late" not in rows(iam)
    emulator.controls.set(clock_shift=5 * 3600)
    iam.generate_credential_report()
    assert "late" in rows(iam)


def test_reset(emulator: Emulator, iam: IAMClient) -> None:
    """A reset deletes the report."""
    iam.generate_credential_report()
    emulator.controls.reset()
    with pytest.raises(iam.exceptions.CredentialReportNotPresentException):
        iam.get_credential_report()
