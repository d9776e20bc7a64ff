"""The credential report as in AWS: a snapshot that takes time to generate and is valid for four hours.

moto's report has a date in 2015 and no row for the root user, and is always generated on request.
"""

from __future__ import annotations

import csv
import io
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from iamcreds.emulator.exceptions import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LIFE = timedelta(hours=4)
"""The lifetime of a report. A new one is generated only after the previous one has expired."""

HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,"
    "cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n"
)

_NO_KEY = ["false", "N/A", "N/A", "N/A", "N/A"]
_NO_CERTIFICATES = ["false", "N/A"] * 2
_KEYS = 2
_ROOT_AGE = timedelta(days=1000)


@dataclass(frozen=True)
class Report:
    """A report: its content, its date, and the time from which it is available."""

    content: str
    generated: datetime
    ready: datetime


class Reports:
    """The credential report of one account; safe to use from several threads.

    Args:
        account: the 12-digit account ID.
        now: returns the current time, in UTC.
    """

    def __init__(self, account: str, now: Callable[[], datetime]) -> None:
        self._account = account
        self._now = now
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Delete the report."""
        self._report: Report | None = None

    def generate(self, users: Iterable[Any], seconds: float) -> str:
        """Start a report on moto's users that takes a number of seconds, unless one is valid; return its state."""
        now = self._now()
        with self._lock:
            if self._report is not None and now - self._report.generated < LIFE:
                return "COMPLETE" if self._report.ready <= now else "INPROGRESS"
            content = write_report(self._account, users, now)
            self._report = Report(content, now.replace(microsecond=0), now + timedelta(seconds=seconds))
        return "STARTED"

    def get(self) -> Report:
        """Return the report.

        Raises:
            AwsError: it does not exist, is not complete, or has expired.
        """
        now, report = self._now(), self._report
        if report is None:
            raise AwsError("No report exists", "ReportNotPresent", 410)
        if report.ready > now:
            raise AwsError("Report generation is in progress", "ReportInProgress", 404)
        if now - report.generated >= LIFE:
            raise AwsError("The report has expired", "ReportExpired", 410)
        return report


def write_report(account: str, users: Iterable[Any], now: datetime) -> str:
    """Write a report on moto's current users, with AWS's columns and values; the first row is the root user."""
    text = io.StringIO(HEADER)
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_describe_root(account, now))
    writer.writerows(_describe_user(user) for user in sorted(users, key=lambda user: str(user.name)))
    return text.getvalue()


def _describe_root(account: str, now: datetime) -> list[str]:
    password = ["not_supported", "no_information", "not_supported", "not_supported"]
    identity = ["<root_account>", f"arn:aws:iam::{account}:root", _format_date(now - _ROOT_AGE)]
    return [*identity, *password, "true", *_NO_KEY, *_NO_KEY, *_NO_CERTIFICATES]


def _describe_user(user: Any) -> list[str]:  # noqa: ANN401 - moto's own
    created = _format_date(user.create_date)
    identity = [user.name, user.arn, created]
    password = ["true", "no_information", created, "N/A"] if user.password else ["false", *["N/A"] * 3]
    keys = [cell for key in user.access_keys for cell in _describe_key(key)]
    no_keys = _NO_KEY * (_KEYS - len(user.access_keys))
    return [*identity, *password, "true" if user.mfa_devices else "false", *keys, *no_keys, *_NO_CERTIFICATES]


def _describe_key(key: Any) -> Iterator[str]:  # noqa: ANN401 - moto's own
    """Yield the five columns of a key; an inactive key keeps its dates."""
    usage = key.last_used
    yield "true" if key.status == "Active" else "false"
    yield _format_date(key.create_date)
    yield from ("N/A", "N/A", "N/A") if usage is None else (_format_date(usage.timestamp), usage.region, usage.service)


def _format_date(date: datetime) -> str:
    """Format a date as in the report; moto's dates are in UTC without a time zone."""
    return f"{date:%Y-%m-%dT%H:%M:%S}+00:00"
