"""The HTML report; pure.

The same drift gives the same bytes. Names are always shown as text, and the content security policy (CSP) permits only
the inline script.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from iamcreds.drift.comparing import SOON
from iamcreds.drift.rules.difference import Kind
from iamcreds.drift.selection import EVERYTHING
from iamcreds.model import Status
from iamcreds.report.html import rows
from iamcreds.report.html.code import mark_code, mark_step
from iamcreds.report.html.columns import COLUMNS, style_labels
from iamcreds.report.html.keys import build_key_rows
from iamcreds.report.html.rows import Subject
from iamcreds.report.schedule import chart
from iamcreds.report.schedule import summary as events
from iamcreds.report.summary import describe_limits, describe_scope, summarize
from iamcreds.report.templates import load_environment, read_inline
from iamcreds.schedule.events import make_schedule
from iamcreds.services import service_alias
from iamcreds.text.durations import format_duration
from iamcreds.text.formatting import capitalize, format_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jinja2 import Environment

    from iamcreds.desired import Desired
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.report.html.keys import KeyRow
    from iamcreds.report.html.rows import CredentialRow

LABELS = {
    Kind.DRIFT: "Drift",
    Kind.UNMANAGED: "Unmanaged",
    Kind.UNDECLARED: "Undeclared user",
    Kind.FINDING: "Finding",
}
"""The labels of the kinds of differences."""

FOLDED = 50
"""The number of rows of a table that are visible initially."""

HORIZON = timedelta(days=365)
"""The length of the schedule, from the current time of the report."""

MAX_EVENTS = 5_000
"""The maximum number of events in the table of the timeline, so that the page of a large account stays small."""

_PACKAGE = "iamcreds.report.html"


@dataclass(frozen=True)
class Tile:
    """A number at the top of the page, its label, a note, and the section with the details."""

    number: int
    label: str
    note: str
    section: str
    is_alarming: bool = False


def render(drift: Drift, desired: Desired, soon: timedelta = SOON, selection: Selection = EVERYTHING) -> str:
    """Render the page.

    Args:
        drift: the result of the comparison.
        desired: the complete desired state.
        soon: the time before an expiry in which it is a finding.
        selection: the selected users and services.
    """
    subject = Subject(drift, desired, soon, selection)
    credentials = tuple(rows.build_credential_rows(subject))
    keys = tuple(sorted(build_key_rows(subject), key=lambda key: -len(key.rules)))
    differences = sorted(drift.differences, key=lambda difference: difference.seriousness)
    every = (*differences, *(waived.difference for waived in drift.waived))
    schedule = make_schedule(desired, drift, subject.read_at + HORIZON, selection)
    labels = Markup(style_labels() + _style_folds())  # noqa: S704 - our own style
    style = read_inline(_PACKAGE, "report.css") + chart.STYLE + labels
    script = read_inline(_PACKAGE, "report.js")
    return _load_environment().get_template("report.html.j2").render(
        drift=drift,
        inventory=drift.inventory,
        verdict=capitalize(summarize(drift)),
        basis=tuple(map(capitalize, _describe_basis(subject))),
        tiles=tuple(_build_tiles(subject, credentials, keys)),
        labels=LABELS,
        columns=COLUMNS,
        folded=FOLDED,
        differences=differences,
        rules={difference.rule: difference.meaning for difference in every},
        schedule=schedule,
        ahead=schedule.events[:MAX_EVENTS],
        chart=chart.render_inline(schedule),
        kinds=events.TITLES,
        notes=[capitalize(note) for note in events.describe_limits(schedule) if note not in drift.store_notes],
        services=tuple(rows.build_service_rows(subject)),
        credentials=credentials,
        keys=keys,
        style=style,
        script=script,
        style_hash=_hash_inline(style),
        script_hash=_hash_inline(script),
    )  # fmt: skip


def _build_tiles(subject: Subject, credentials: Sequence[CredentialRow], keys: Sequence[KeyRow]) -> Iterator[Tile]:
    drift = subject.drift
    statuses = Counter(row.credential.status for row in credentials)
    conditions = ", ".join(f"{statuses[status]:,} {status.lower()}" for status in Status if statuses[status])
    yield Tile(len(credentials), "Existing", conditions or "no credentials", "credentials")
    yield Tile(drift.credentials, "Declared", f"credentials of {format_count(drift.users, 'user')}", "services")
    for kind in Kind:
        number = len(drift.by_kind(kind))
        yield Tile(number, *_TILES[kind], "findings", is_alarming=number > 0)
    current = [row.credential for row in credentials if not row.is_previous]
    ends = [each.expires - subject.read_at for each in current if each.expires is not None]
    expired = sum(end <= timedelta() for end in ends)
    soon = sum(timedelta() < end <= subject.soon for end in ends)
    note = f"within {format_duration(subject.soon)}; {expired:,} expired already"
    yield Tile(soon, "Expiring", note, "timeline", is_alarming=soon > 0)
    broken = sum(bool(key.rules) for key in keys)
    yield Tile(broken, "Access keys", _describe_keys(subject, broken, len(keys)), "keys", is_alarming=broken > 0)


def _describe_keys(subject: Subject, broken: int, number: int) -> str:
    """Return the note of the tile of access keys: their number and their users."""
    if subject.selection.services:
        return "not checked with --service"
    if subject.selection.users:
        owners = "the selected users"
    else:
        owners = "users with a policy" if subject.drift.inventory.report is None else "all users"
    return f"{'violates its' if broken == 1 else 'violate their'} policy; {owners} have {number:,}"


_TILES = {
    Kind.DRIFT: ("Drift", "desired and actual differ"),
    Kind.UNMANAGED: ("Unmanaged", "existing, not declared"),
    Kind.UNDECLARED: ("Undeclared", "of undeclared users"),
    Kind.FINDING: ("Findings", "of policies and expiry"),
}


def _describe_basis(subject: Subject) -> Iterator[str]:
    """Yield sentences on the sources of the report, and on its limits."""
    yield describe_scope(subject.drift)
    selected = [f"user {name}" for name in sorted(subject.selection.users)]
    selected += [f"service {service_alias(name)}" for name in sorted(subject.selection.services)]
    if selected:
        yield f"limited to {', '.join(selected)}"
    yield from describe_limits(subject.drift)
    if subject.drift.issued is None:
        yield "resets not known: without --state, the age of a password is measured from the creation of its credential"
    if subject.selection.services:
        return
    if subject.drift.inventory.report is None:
        yield "access keys of users without a policy not checked"
    else:
        yield "access keys without an id are from the credential report"


def _load_environment() -> Environment:
    environment = load_environment(_PACKAGE)
    environment.filters["code"] = mark_code
    environment.filters["step"] = mark_step
    return environment


def _style_folds() -> str:
    """Return the style that hides all but the first rows, unless the fold is open or the filter is in use.

    A browser without `:has` shows all rows.
    """
    closed = "html:not(.filtering) section:has(> .fold:not([open]))"
    return f"@media screen {{ {closed} tbody tr:nth-child(n+{FOLDED + 1}) {{ display: none; }} }}\n"


def _hash_inline(text: str) -> str:
    """Return the source expression of an inline style or script for a content security policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
