"""IAM's credential report: its columns, and the wait for its completion."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from iamcreds.aws.credential_report import PAUSES, ReportReader, parse
from iamcreds.errors import AccountError
from iamcreds.model import ReportedKey, ReportedUser

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

HEADER = (
    "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,a_column_of_tomorrow\n"
)
CREATED = "2020-01-02T03:04:05+00:00"


def row(name: str, *keys: str) -> str:
    """Return a row of the report: `true,DATE,DATE` for each of two keys."""
    return f"{name},arn,{CREATED},{','.join(keys)},x\n"


def test_parse() -> None:
    """Active and inactive keys are read; root, missing keys and unknown columns are ignored."""
    none, unused = "false,N/A,N/A", "false,2021-01-01T00:00:00+00:00,no_information"
    used = "TRUE,2022-01-01T00:00:00Z,2022-02-01T00:00:00+00:00"
    rows = row("jane", used, unused) + row("<root_account>", used, none) + row("bob", none, none)
    created = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert parse((HEADER + rows).encode()) == (
        ReportedUser("bob", created),
        ReportedUser(
            "jane",
            created,
            (
                ReportedKey(True, datetime(2022, 1, 1, tzinfo=UTC), datetime(2022, 2, 1, tzinfo=UTC)),  # noqa: FBT003 - active
                ReportedKey(active=False, changed=datetime(2021, 1, 1, tzinfo=UTC)),
            ),
        ),
    )


@pytest.mark.parametrize("word", ["", "N/A", "no_information", "not_supported"])
def test_no_date(word: str) -> None:
    """Each of IAM's words for a missing date is read as no date."""
    (user,) = parse((HEADER + row("jane", f"true,{word},{word}", "false,N/A,N/A")).encode())
    assert user.keys == (ReportedKey(active=True, changed=None, last_used=None),)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"user,arn\njane,arn\n",
        (HEADER + "jane,arn\n").encode(),
        (HEADER + row("jane", "maybe,N/A,N/A", "false,N/A,N/A")).encode(),
        (HEADER + row("jane", "true,yesterday,N/A", "false,N/A,N/A")).encode(),
        b"<html>sorry</html>\nsorry\n",
    ],
)
def test_no_report(content: bytes) -> None:
    """Invalid content raises an error that quotes none of it."""
    with pytest.raises(
        AccountError, match=r"reading the credential report: the response is not a valid credential report \(\w+\)"
    ) as failed:
        parse(content)
    told = "".join(traceback.format_exception(failed.value))
    assert not any(word in told for word in ("maybe,", "'maybe'", "yesterday", "sorry", "jane"))


def test_wait(emulator: Emulator, iam: IAMClient) -> None:
    """An unfinished report is waited for, and the progress shows the wait."""
    emulator.controls.set(report_time=3)
    emulator.controls.clear_counts()
    told: list[tuple[str, int]] = []

    def sleep(seconds: float) -> None:
        emulator.controls.set(report_time=3, clock_shift=emulator.controls.settings()["clock_shift"] + seconds)

    report = ReportReader(iam, sleep).read(lambda doing, done, _total=None: told.append((doing, done)))
    assert [user.name for user in report.users] == ["jane"]
    assert [done for _, done in told] == [0, 0, 1]
    assert emulator.controls.counts() == {"iam:GenerateCredentialReport": 4, "iam:GetCredentialReport": 1}


@pytest.mark.parametrize("code", ["ReportNotPresent", "ReportExpired", "ReportInProgress"])
def test_not_there_after_all(emulator: Emulator, iam: IAMClient, code: str) -> None:
    """A complete report that cannot be read is requested once more."""
    emulator.controls.fail("iam:GetCredentialReport", status=410, code=code)
    pauses: list[float] = []
    ReportReader(iam, pauses.append).read()
    assert pauses == list(PAUSES[:2])
    assert emulator.controls.counts()["iam:GetCredentialReport"] == 2


def test_never_ready(emulator: Emulator, iam: IAMClient) -> None:
    """The wait ends with an error after five minutes."""
    emulator.controls.set(report_time=1e6)
    pauses: list[float] = []
    with pytest.raises(AccountError, match="AWS did not finish it within 5 minutes; run again later"):
        ReportReader(iam, pauses.append).read()
    assert pauses == [0.5, 1.0, 2.0, 4.0, *[5.0] * 58]


def test_refused(emulator: Emulator, iam: IAMClient) -> None:
    """An AccessDenied raises an `AccountError` at once."""
    emulator.controls.fail("iam:GenerateCredentialReport", status=403, code="AccessDenied", message="no")
    with pytest.raises(AccountError, match="generating the credential report: AWS error AccessDenied: no"):
        ReportReader(iam, lambda _seconds: None).read()
