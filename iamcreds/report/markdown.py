"""Drift as the Markdown body of a GitHub issue; pure. The same drift gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import Kind
from iamcreds.report.summary import TITLES, describe_limits, describe_scope, summarize
from iamcreds.text.escaping import escape_markdown
from iamcreds.text.formatting import capitalize, take_fitting

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.rules.difference import Difference

MARKER = "<!-- iamcreds drift -->"
"""The first line, which scripts use to find the issue to update."""

MAX_LENGTH = 65_000
"""Maximum number of characters; GitHub accepts 65,536 in an issue or a comment."""

_HEAD = "| User | Difference | Declared at | Desired | Actual | Next step | Rule |\n|---|---|---|---|---|---|---|\n"


def format_markdown(drift: Drift, max_length: int = MAX_LENGTH) -> str:
    """Return headline, counts, a table for each kind, and collapsed details. Rows that do not fit are counted."""
    headline = f"## {capitalize(escape_markdown(summarize(drift)))}\n\n{capitalize(describe_scope(drift))}."
    head = f"{MARKER}\n{headline}\n\n{_format_counts(drift)}"
    tail = _format_details(drift)
    kinds = {kind: drift.by_kind(kind) for kind in Kind if drift.by_kind(kind)}
    bare = sum(len(_format_section(kind, len(differences), ())) for kind, differences in kinds.items())
    room = max_length - len(head) - len(tail) - bare
    sections = []
    for kind, differences in kinds.items():
        rows = tuple(take_fitting(map(_format_row, differences), room))
        room -= sum(map(len, rows))
        sections.append(_format_section(kind, len(differences), rows))
    return f"{head}{''.join(sections)}{tail}"


def _format_counts(drift: Drift) -> str:
    rows = "".join(f"| {TITLES[kind]} | {len(drift.by_kind(kind)):,} |\n" for kind in Kind)
    return f"| | Number |\n|---|---:|\n{rows}\n"


def _format_section(kind: Kind, number: int, rows: tuple[str, ...]) -> str:
    """Return a heading and a table. Without rows, the result has the maximum length of heading and note."""
    cut = number - len(rows)
    note = f"\n*{cut:,} of {number:,} are not shown, because the report would be too long.*\n" if cut else ""
    return f"### {TITLES[kind]} ({number:,})\n\n{_HEAD}{''.join(rows)}{note}\n"


def _format_row(difference: Difference) -> str:
    words = difference.describe()
    location = "" if difference.location is None else str(difference.location)
    cells = (difference.user, words.message, location, words.desired or "", words.existing or "", words.next)
    return f"| {' | '.join(map(escape_markdown, cells))} | `{difference.rule}` |\n"


def _format_details(drift: Drift) -> str:
    """Return the sources and limits of the report, collapsed."""
    rules = sorted({difference.rule for difference in drift.differences})
    notes = [f"read at {drift.inventory.read_at:%Y-%m-%d %H:%M} UTC", *describe_limits(drift)]
    notes += [f"rules: {', '.join(rules)}"] if rules else []
    items = "".join(f"- {capitalize(escape_markdown(note))}\n" for note in notes)
    return f"<details><summary>Scope and limits</summary>\n\n{items}\n</details>\n"
