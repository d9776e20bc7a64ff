"""IAM's credential report: asked for, waited for, read. One document tells the access keys of all users, without ids.

It may be up to four hours old: AWS makes a new one no sooner. Its columns are described in the IAM User Guide,
"Generate credential reports for your AWS account".
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from iamcreds.aws import client
from iamcreds.aws.failures import error_code, reading_answers, translate_errors
from iamcreds.errors import AccountError
from iamcreds.model import CredentialReport, ReportedKey, ReportedUser
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_iam import IAMClient

    from iamcreds.progress import Progress

PAUSES = (0.5, 1.0, 2.0, 4.0, *(5.0,) * 58)
"""Seconds between questions whether the report is ready: five minutes in all."""

ROOT = "<root_account>"
"""The row of the account's root user, who is no IAM user."""

_DOING = "waiting for the credential report"
_NOT_THERE_YET = frozenset({"ReportNotPresent", "ReportExpired", "ReportInProgress"})
_NO_DATE = frozenset({"", "N/A", "no_information", "not_supported"})
_KEYS_A_USER = 2


class ReportReader:
    """IAM's credential report, asked for anew each time.

    Args:
        iam: a boto3 client of IAM.
        sleep: waits so many seconds.
    """

    def __init__(self, iam: IAMClient, sleep: Callable[[float], None]) -> None:
        self._iam = iam
        self._sleep = sleep

    def read(self, progress: Progress = no_progress) -> CredentialReport:
        """Return the report of the last four hours or a new one, which takes AWS some seconds.

        Args:
            progress: receives the number of seconds that have been waited.

        Raises:
            AccountError: AWS rejects it, does not finish within five minutes, or the report is not one.
        """
        waited = 0.0
        for pause in PAUSES:
            report = self._request()
            if report is not None:
                return report
            progress(_DOING, int(waited))
            self._sleep(pause)
            waited += pause
        raise AccountError(f"{_DOING}: AWS has not finished it in {waited / 60:.0f} minutes: repeat later")

    def _request(self) -> CredentialReport | None:
        """Have a report made unless there is one; return it, or None while it is being made."""
        with translate_errors("asking AWS for a credential report"), reading_answers():
            if client.call(self._iam.generate_credential_report)["State"] != "COMPLETE":
                return None
        with translate_errors("reading the credential report"), reading_answers():
            try:
                answer = client.call(self._iam.get_credential_report)
            except ClientError as error:
                if error_code(error) in _NOT_THERE_YET:  # it expired in between: ask for a new one
                    return None
                raise
            return CredentialReport(answer["GeneratedTime"].astimezone(UTC), parse(answer["Content"]))


def parse(content: bytes) -> tuple[ReportedUser, ...]:
    """The IAM users of a report, by name; the row of the account's root is left out.

    Raises:
        AccountError: this is no credential report.
    """
    try:
        rows = csv.DictReader(io.StringIO(content.decode()), strict=True)
        return tuple(sorted((_user(row) for row in rows if row["user"] != ROOT), key=lambda user: user.name))
    except (csv.Error, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        # Its text quotes the answer, as the cause would in a traceback.
        raise AccountError(
            f"reading the credential report: this is no credential report ({type(error).__name__}): repeat later"
        ) from None


def _user(row: Mapping[str, Any]) -> ReportedUser:
    return ReportedUser(row["user"], _time(row["user_creation_time"]), tuple(_keys(row)))


def _keys(row: Mapping[str, Any]) -> Iterator[ReportedKey]:
    """The keys of a user; of a key that does not exist every column says so."""
    for number in range(1, _KEYS_A_USER + 1):
        key = ReportedKey(
            active={"true": True, "false": False}[row[f"access_key_{number}_active"].lower()],
            changed=_time_or_none(row[f"access_key_{number}_last_rotated"]),
            last_used=_time_or_none(row[f"access_key_{number}_last_used_date"]),
        )
        if key != ReportedKey(active=False):
            yield key


def _time_or_none(text: str) -> datetime | None:
    return None if text in _NO_DATE else _time(text)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
