"""The mails with the notices of one owner: their titles and bodies; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from iamcreds.report.message import MAX_DIFFERENCES, MAX_LINE
from iamcreds.schedule.notices import THRESHOLDS
from iamcreds.text.escaping import escape_invisible, format_code_span
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iamcreds.desired import Desired
    from iamcreds.model import SourceLocation
    from iamcreds.schedule.notices import Notice


class Basis(Enum):
    """The basis of the dates after a failure, as a sentence."""

    STATE = "The run failed, so the dates follow from the stack's state, and those of access keys are unknown"
    ACCOUNT = "The run could not use the stack's state, so the dates of rotations and age limits are unknown"
    NOTHING = "All dates are unknown, because the run failed"


@dataclass(frozen=True)
class Failure:
    """The failure of a run: the basis of its dates, and its errors."""

    basis: Basis
    errors: tuple[str, ...]

    def describe(self) -> str:
        """Return a sentence with the errors as code spans, the only markup that every mail program shows unchanged."""
        return f"{self.basis.value}: {' '.join(_quote(error) for error in self.errors)}"


@dataclass(frozen=True)
class Owned:
    """A user or credential that specs declare."""

    name: str
    location: SourceLocation


def group_owned(chosen: Desired) -> Mapping[str, list[Owned]]:
    """Return the users and credentials of each owner. A credential with the owner of its user is part of the user."""
    groups: dict[str, list[Owned]] = defaultdict(list)
    for user in chosen.users:
        if user.owner is not None:
            groups[user.owner].append(Owned(user.name, user.location))
        for each in user.credentials:
            if each.owner is not None and each.owner != user.owner:
                groups[each.owner].append(Owned(each.declared_name, each.location))
    return dict(sorted(groups.items()))


def list_undated(chosen: Desired) -> Iterator[str]:
    """Yield the owners of credentials of which only the stack's state has a date."""
    for user in chosen.users:
        has_age = user.credential_policy is not None and user.credential_policy.max_age_days is not None
        for each in user.credentials:
            if each.owner is not None and (has_age or each.rotate is not None):
                yield each.owner


def group_notices(notices: Iterable[Notice]) -> Mapping[str | None, list[Notice]]:
    """Return the notices by owner, soonest event first; None has those without an owner."""
    groups: dict[str | None, list[Notice]] = defaultdict(list)
    for notice in sorted(notices, key=lambda notice: notice.event.order):
        groups[notice.event.owner].append(notice)
    return groups


def write_notices(
    notices: Sequence[Notice], account: str, period: timedelta, failure: Failure | None = None
) -> tuple[str, str]:
    """Return the title and the Markdown body of the mail with all notices of an owner.

    Args:
        notices: the notices, soonest event first.
        account: 12-digit account ID.
        period: the time between two runs.
        failure: the failure of the run, None if it read everything.
    """
    lines = [] if failure is None else [failure.describe(), ""]
    lines += _list_lines(list(map(_format_notice, notices)))
    hours = format_count(round(period / timedelta(hours=1)), "hour")
    days = ", ".join(map(str, sorted(THRESHOLDS, reverse=True)))
    lines.append(
        f"A notice is sent {days} days before a date, and once per {hours} from the date on. iamcreds keeps no record"
        f" of notices, so a second run within {hours} may repeat them."
    )
    title = f"iamcreds: {format_count(len(notices), 'notice')} about account {account}"
    return escape_invisible(title), "\n".join(lines)


def write_unknown(owned: Sequence[Owned], account: str | None, failure: Failure) -> tuple[str, str]:
    """Return the title and the Markdown body of the mail about unknown dates.

    Args:
        owned: the users and credentials of the owner.
        account: 12-digit account ID, None if the specs do not declare it.
        failure: the failure of the run.
    """
    title = f"iamcreds: unknown dates of {format_count(len(owned), 'declaration')}"
    lines = [failure.describe(), ""]
    lines += _list_lines([_quote(f"{each.location}: {each.name}") for each in owned])
    lines.append("A threshold that passes before the next successful run is not announced later.")
    return title if account is None else escape_invisible(f"{title} in account {account}"), "\n".join(lines)


def _list_lines(entries: Sequence[str]) -> list[str]:
    """Return a list with the first entries, and the number of the others."""
    lines = [f"- {entry}" for entry in entries[:MAX_DIFFERENCES]]
    if len(entries) > MAX_DIFFERENCES:
        lines += ["", f"And {len(entries) - MAX_DIFFERENCES:,} more."]
    return [*lines, ""] if lines else []


def _format_notice(notice: Notice) -> str:
    event, days = notice.event, notice.days
    threshold = f"{format_count(days, 'day')} before the date" if days else "since the date"
    location = "" if event.location is None else f"{event.location}: "
    date = f"{event.when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    sentence = _quote(f"{location}{event.format_sentence()}")
    return f"{threshold}, {date}: {sentence}\n  Next: {_quote(event.next)}"


def _quote(text: str) -> str:
    return format_code_span(text, MAX_LINE)
