"""Drift as text, JSON and Markdown; pure. The same drift gives the same bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from iamcreds.escaping import escape_markdown
from iamcreds.formatting import capitalize, format_count
from iamcreds.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.model import CredentialReport, Drift, Finding, Inventory

TITLES = {
    Kind.DRIFT: "Drift",
    Kind.UNMANAGED: "Unmanaged credentials of declared users",
    Kind.UNDECLARED: "Credentials of users nobody declared",
    Kind.FINDING: "Findings",
}
"""What the findings of a kind are called together."""

VERSION = 1
"""The version of the JSON document: fields may be added to it, and a changed or removed one makes another version."""

MARKER = "<!-- iamcreds drift -->"
"""The first line of the Markdown, by which a script finds the issue that is to be updated."""

LIMIT = 65_000
"""Characters of Markdown at most: GitHub takes 65,536 in an issue or a comment."""

_WORDS = {Kind.DRIFT: "drifted", Kind.UNMANAGED: "unmanaged", Kind.UNDECLARED: "undeclared"}
_HEAD = "| User | What | Declared at | Desired | Live | Rule |\n|---|---|---|---|---|---|\n"


def summary(drift: Drift) -> str:
    """The result in one sentence: `2 drifted, 1 unmanaged in account 123456789012`."""
    counts = [_number(kind, len(drift.of(kind))) for kind in Kind if drift.of(kind)]
    return f"{', '.join(counts) or 'no drift and no findings'} in account {drift.inventory.account}"


def scope(drift: Drift) -> str:
    """What was compared, in one sentence."""
    live = drift.inventory
    return (
        f"compared {format_count(drift.credentials, 'declared credential')} of {format_count(drift.users, 'user')} with"
        f" {format_count(len(live.credentials), 'live one')} of {format_count(len(live.users), 'IAM user')}"
    )


def line(finding: Finding) -> str:
    """A finding in one line, as compilers have it: `specs/jane.yaml:4:9: jane: … [missing-credential]`."""
    return str(finding) if finding.place is None else f"{finding.place}: {finding}"


def text(drift: Drift) -> str:
    """A line for each finding, then the summary and the notes."""
    lines = [line(one) for one in drift.findings]
    lines += [f"{summary(drift)}: {scope(drift)}", *(f"note: {note}" for note in drift.notes)]
    return "\n".join(lines)


def as_json(drift: Drift) -> str:
    """The JSON document; README says what is in it."""
    return json.dumps(document(drift), indent=2)


def document(drift: Drift) -> dict[str, Any]:
    """The JSON document as plain values."""
    live = drift.inventory
    return {
        "version": VERSION,
        "account": live.account,
        "readAt": live.read_at.isoformat(timespec="seconds"),
        "clean": not drift.findings,
        "counts": {kind.value: len(drift.of(kind)) for kind in Kind},
        "declared": {"users": drift.users, "credentials": drift.credentials, "watchedUsers": drift.watched},
        "live": {"users": len(live.users), "credentials": len(live.credentials)},
        "accessKeys": {"usersRead": len(live.access_keys_read), "credentialReport": _report(live, live.report)},
        "notChecked": {"resetTriggers": drift.resets},
        "findings": [_fields(one) for one in drift.findings],
        "notes": list(drift.notes),
    }


def markdown(drift: Drift, limit: int = LIMIT) -> str:
    """An issue for GitHub: headline, counts, a table of each kind, folded details; what does not fit is counted."""
    headline = f"## {capitalize(escape_markdown(summary(drift)))}\n\n{capitalize(scope(drift))}."
    head = f"{MARKER}\n{headline}\n\n{_counts(drift)}"
    tail = _details(drift)
    kinds = [kind for kind in Kind if drift.of(kind)]
    bare = sum(len(_section(kind, drift.of(kind), ())) for kind in kinds)
    left = limit - len(head) - len(tail) - bare
    sections = []
    for kind in kinds:
        rows = tuple(_fitting(map(_row, drift.of(kind)), left))
        left -= sum(map(len, rows))
        sections.append(_section(kind, drift.of(kind), rows))
    return f"{head}{''.join(sections)}{tail}"


def _fields(one: Finding) -> dict[str, Any]:
    place = one.place
    return {
        "kind": one.kind.value,
        "rule": one.rule,
        "user": one.user,
        "service": one.service or None,
        "id": one.id or None,
        "place": None if place is None else {"file": place.file, "line": place.line, "column": place.column},
        "message": one.message,
        "desired": one.desired,
        "live": one.live,
    }


def _report(live: Inventory, report: CredentialReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    age = live.read_at - report.generated
    return {
        "generated": report.generated.isoformat(timespec="seconds"),
        "ageSeconds": max(0, int(age.total_seconds())),
    }


def _counts(drift: Drift) -> str:
    rows = "".join(f"| {TITLES[kind]} | {len(drift.of(kind)):,} |\n" for kind in Kind)
    return f"| | Number |\n|---|---:|\n{rows}\n"


def _section(kind: Kind, found: Sequence[Finding], rows: Sequence[str]) -> str:
    """A heading and a table; without rows it is as long as with all of them cut, which is the most it adds itself."""
    cut = len(found) - len(rows)
    note = f"\n*{cut:,} of {len(found):,} are not shown here: the report would be too long.*\n" if cut else ""
    return f"### {TITLES[kind]} ({len(found):,})\n\n{_HEAD}{''.join(rows)}{note}\n"


def _fitting(rows: Iterable[str], room: int) -> Iterator[str]:
    """The first rows that fit into so many characters."""
    for row in rows:
        room -= len(row)
        if room < 0:
            return
        yield row


def _row(one: Finding) -> str:
    place = "" if one.place is None else str(one.place)
    cells = (one.user, one.message, place, one.desired or "", one.live or "")
    return f"| {' | '.join(map(escape_markdown, cells))} | `{one.rule}` |\n"


def _details(drift: Drift) -> str:
    """What the answer rests on, folded."""
    live = drift.inventory
    rules = sorted({one.rule for one in drift.findings})
    notes = [f"read at {live.read_at:%Y-%m-%d %H:%M} UTC", *drift.notes]
    notes += [f"rules: {', '.join(rules)}"] if rules else []
    items = "".join(f"- {capitalize(escape_markdown(note))}\n" for note in notes)
    return f"<details><summary>What was looked at, and what was not</summary>\n\n{items}\n</details>\n"


def _number(kind: Kind, number: int) -> str:
    return format_count(number, "finding") if kind is Kind.FINDING else f"{number:,} {_WORDS[kind]}"
