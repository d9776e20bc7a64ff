"""IAM's credential report: one document with the access keys of all users, without ids.

It may be up to four hours old, because AWS generates a new one only after that time. The IAM User Guide describes its
columns: "Generate credential reports for your AWS account".
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
"""Seconds between checks of the report's state: five minutes in total."""

ROOT = "<root_account>"
"""The row of the account's root user, which is not an IAM user."""

_DOING = "waiting for the credential report"
_NOT_READY = frozenset({"ReportNotPresent", "ReportExpired", "ReportInProgress"})
_NO_DATE = frozenset({"", "N/A", "no_information", "not_supported"})
_KEYS_A_USER = 2


class ReportReader:
    """IAM's credential report, requested on each call.

    Args:
        iam: a boto3 client of IAM.
        sleep: waits for a number of seconds.
    """

    def __init__(self, iam: IAMClient, sleep: Callable[[float], None]) -> None:
        self._iam = iam
        self._sleep = sleep

    def read(self, progress: Progress = no_progress) -> CredentialReport:
        """Return the report of the last four hours, or a new one, which AWS generates within seconds.

        Args:
            progress: receives the seconds waited so far.

        Raises:
            AccountError: AWS rejects the request, does not finish within five minutes, or returns an invalid report.
        """
        waited = 0.0
        for pause in PAUSES:
            report = self._request()
            if report is not None:
                return report
            progress(_DOING, int(waited))
            self._sleep(pause)
            waited += pause
        raise AccountError(f"{_DOING}: AWS did not finish it within {waited / 60:.0f} minutes; run again later")

    def _request(self) -> CredentialReport | None:
        """Request a report unless one exists; return it, or None while AWS generates it."""
        with translate_errors("generating the credential report"), reading_answers():
            if client.call(self._iam.generate_credential_report)["State"] != "COMPLETE":
                return None
        with translate_errors("reading the credential report"), reading_answers():
            try:
                response = client.call(self._iam.get_credential_report)
            except ClientError as error:
                if error_code(error) in _NOT_READY:  # it expired between the calls: request a new one
                    return None
                raise
            return CredentialReport(response["GeneratedTime"].astimezone(UTC), parse(response["Content"]))


def parse(content: bytes) -> tuple[ReportedUser, ...]:
    """Return the IAM users of a report, sorted by name, without the row of the root user.

    Raises:
        AccountError: the content is not a valid credential report.
    """
    try:
        rows = csv.DictReader(io.StringIO(content.decode()), strict=True)
        return tuple(sorted((_user(row) for row in rows if row["user"] != ROOT), key=lambda user: user.name))
    except (csv.Error, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        # The text of the error quotes the response, and so would a traceback with the cause.
        raise AccountError(
            "reading the credential report: the response is not a valid credential report"
            f" ({type(error).__name__}); run again later"
        ) from None


def _user(row: Mapping[str, Any]) -> ReportedUser:
    return ReportedUser(row["user"], _time(row["user_creation_time"]), tuple(_keys(row)))


def _keys(row: Mapping[str, Any]) -> Iterator[ReportedKey]:
    """Yield the keys of a user. The columns of a key that does not exist are `false` and `N/A`."""
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
