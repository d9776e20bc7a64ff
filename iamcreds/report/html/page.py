"""The HTML report; pure.

The same drift gives the same bytes. Names are always shown as text, and the content security policy (CSP) permits only
the inline script.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from iamcreds.drift.comparing import SOON
from iamcreds.drift.rules.difference import Kind
from iamcreds.drift.selection import EVERYTHING
from iamcreds.model import Status
from iamcreds.report.html import rows, timeline
from iamcreds.report.html.columns import COLUMNS, style_labels
from iamcreds.report.html.rows import Subject
from iamcreds.report.summary import describe_limits, describe_scope, summarize
from iamcreds.services import service_alias
from iamcreds.text.durations import format_duration
from iamcreds.text.escaping import escape_invisible
from iamcreds.text.formatting import capitalize, format_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.desired import Desired
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.selection import Selection
    from iamcreds.report.html.rows import CredentialRow, KeyRow

LABELS = {
    Kind.DRIFT: "Drift",
    Kind.UNMANAGED: "Unmanaged",
    Kind.UNDECLARED: "Undeclared user",
    Kind.FINDING: "Finding",
}
"""The labels of the kinds of differences."""

FOLDED = 50
"""The number of rows of a table that are visible initially."""

_COMMAND = re.compile(
    r"(?<!\S)(?:aws|iamcreds|pulumi)"
    r"(?: (?!(?:after|and|before|if|otherwise|or|then|to|unless|when|where|which)(?!\S))"
    r"(?:'[^']*'|[^\s',;]|[,;](?!\s|$))+)+"
)
"""A command in a next step: from the name of a program to a comma, a semicolon, a word of prose, or the end."""


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
    keys = tuple(sorted(rows.build_key_rows(subject), key=lambda key: -len(key.rules)))
    differences = sorted(drift.differences, key=lambda difference: difference.seriousness)
    every = (*differences, *(waived.difference for waived in drift.waived))
    ahead = timeline.find_events(subject, keys)
    months = timeline.count_by_month(subject, ahead)
    style = _read_inline("report.css") + Markup(style_labels() + _style_folds())  # noqa: S704 - our own style
    script = _read_inline("report.js")
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
        ahead=ahead,
        months=months,
        most=max(month.total for month in months),
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
    environment = Environment(
        loader=PackageLoader("iamcreds.report.html"),
        autoescape=True,
        finalize=_show,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _mark_code
    environment.filters["step"] = _mark_step
    environment.globals["count"] = format_count
    return environment


def _show(value: object) -> object:
    """Return a value for the report, without characters that hide or reverse text."""
    return escape_invisible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _mark_code(sentence: str) -> Markup:
    """Return a sentence with the text between backticks as code."""
    parts = enumerate(escape_invisible(sentence).split("`"))
    return Markup().join(Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in parts)


def _mark_step(step: str) -> Markup:
    """Return a next step with its commands as code, to which the script adds copy buttons."""
    return Markup().join(
        _format_code(part) if odd % 2 else Markup().join(_mark_commands(part))
        for odd, part in enumerate(escape_invisible(step).split("`"))
    )


def _mark_commands(prose: str) -> Iterator[Markup]:
    end = 0
    for command in _COMMAND.finditer(prose):
        yield escape(prose[end : command.start()])
        yield _format_code(command[0])
        end = command.end()
    yield escape(prose[end:])


def _format_code(text: str) -> Markup:
    kind = Markup(' class="command"') if _COMMAND.match(text) else Markup()
    return Markup("<code{}>{}</code>").format(kind, text)


def _read_inline(name: str) -> Markup:
    """Read a style or script, which the report includes unchanged."""
    text = resources.files("iamcreds.report.html").joinpath("templates", name).read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own style and script


def _style_folds() -> str:
    """Return the style that hides all but the first rows, unless the fold is open or the filter is in use.

    A browser without `:has` shows all rows.
    """
    closed = "html:not(.filtering) section:has(> .fold:not([open]))"
    return f"@media screen {{ {closed} tbody tr:nth-child(n+{FOLDED + 1}) {{ display: none; }} }}\n"


def _hash_inline(text: str) -> str:
    """Return the source expression of an inline style or script for a content security policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
