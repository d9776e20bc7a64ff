"""Rules about credentials that have expired or will soon, and the comparison that finds both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import CredentialDifference, Kind, Words, format_delete, list_desired
from iamcreds.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from iamcreds.model import Credential, DesiredCredential, Place


@dataclass(frozen=True, kw_only=True)
class Expired(CredentialDifference):
    """The only credential in `live` has expired; `desired` are all declared ones of its user and service."""

    rule = "expired"
    meaning = "a credential of a declared user and service has expired"
    kind = Kind.FINDING
    seriousness = 22

    def describe(self) -> Words:
        """Name the date, if IAM has one."""
        message, date = f"{self.alias} credential {self.id} expired", _format_date(self.live[0])
        step = f"pulumi up, which replaces it where the stack has it; otherwise {format_delete(self.live[0])}"
        return Words(f"{message}{date}", step, list_desired(self.desired), f"Expired{date}")


@dataclass(frozen=True, kw_only=True)
class ExpiringSoon(CredentialDifference):
    """The only credential in `live` expires soon; `desired` are all declared ones of its user and service."""

    rule = "expiring-soon"
    meaning = "a credential of a declared user and service expires within the time asked for"
    kind = Kind.FINDING
    seriousness = 23

    def describe(self) -> Words:
        """Name the date."""
        message, date = f"{self.alias} credential {self.id} expires", _format_date(self.live[0])
        step = "have another one made before (another `name`), for nothing moves the date"
        return Words(f"{message}{date}", step, list_desired(self.desired), f"expires{date}")


def check_expiry(
    live: Credential, desired: tuple[DesiredCredential, ...], place: Place, at: datetime, soon: timedelta
) -> Iterator[Expired | ExpiringSoon]:
    """Yield the finding about the credential at a time, if any; `soon` is the time before an expiry to report."""
    user, service = live.user, live.service
    if live.status is Status.EXPIRED or (live.expires is not None and live.expires <= at):
        yield Expired(user=user, service=service, place=place, desired=desired, live=(live,))
    elif live.expires is not None and live.expires - at <= soon:
        yield ExpiringSoon(user=user, service=service, place=place, desired=desired, live=(live,))


def _format_date(live: Credential) -> str:
    return "" if live.expires is None else f" on {live.expires:%Y-%m-%d}"
