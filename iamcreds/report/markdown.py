"""Drift as the Markdown body of a GitHub issue; pure. The same drift gives the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import Kind
from iamcreds.report.summary import TITLES, WAIVED_TITLE, describe_limits, describe_scope, summarize
from iamcreds.text.escaping import escape_markdown
from iamcreds.text.formatting import capitalize, take_fitting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.rules.difference import Difference
    from iamcreds.drift.waivers import WaivedDifference

MARKER = "<!-- iamcreds drift -->"
"""The first line, which scripts use to find the issue to update."""

MAX_LENGTH = 65_000
"""Maximum number of characters; GitHub accepts 65,536 in an issue or a comment."""

_HEAD = "| User | Difference | Declared at | Desired | Actual | Next step | Rule |\n|---|---|---|---|---|---|---|\n"
_WAIVED_HEAD = "| User | Difference | Waived at | Until | Reason | Rule |\n|---|---|---|---|---|---|\n"


@dataclass(frozen=True)
class _Table:
    """A table with a heading; `rows` are all rows."""

    title: str
    head: str
    rows: tuple[str, ...]

    def format(self, shown: Sequence[str]) -> str:
        """Return the first rows. Without them, the result has the maximum length of all the rest."""
        number = len(self.rows)
        cut = number - len(shown)
        note = f"\n*{cut:,} of {number:,} are not shown, because the report would be too long.*\n" if cut else ""
        return f"### {self.title} ({number:,})\n\n{self.head}{''.join(shown)}{note}\n"


def format_markdown(drift: Drift, max_length: int = MAX_LENGTH) -> str:
    """Return headline, counts, a table for each kind and for waived differences, and collapsed details.

    Rows that do not fit are counted.
    """
    headline = f"## {capitalize(escape_markdown(summarize(drift)))}\n\n{capitalize(describe_scope(drift))}."
    head = f"{MARKER}\n{headline}\n\n{_format_counts(drift)}"
    tail = _format_details(drift)
    tables = tuple(_make_tables(drift))
    room = max_length - len(head) - len(tail) - sum(len(table.format(())) for table in tables)
    sections = []
    for table in tables:
        rows = tuple(take_fitting(table.rows, room))
        room -= sum(map(len, rows))
        sections.append(table.format(rows))
    return f"{head}{''.join(sections)}{tail}"


def _format_counts(drift: Drift) -> str:
    rows = "".join(f"| {TITLES[kind]} | {len(drift.by_kind(kind)):,} |\n" for kind in Kind)
    return f"| | Number |\n|---|---:|\n{rows}\n"


def _make_tables(drift: Drift) -> Iterator[_Table]:
    for kind in Kind:
        if differences := drift.by_kind(kind):
            yield _Table(TITLES[kind], _HEAD, tuple(map(_format_row, differences)))
    if drift.waived:
        yield _Table(WAIVED_TITLE, _WAIVED_HEAD, tuple(map(_format_waived, drift.waived)))


def _format_row(difference: Difference) -> str:
    words = difference.describe()
    location = "" if difference.location is None else str(difference.location)
    cells = (difference.user, words.message, location, words.desired or "", words.existing or "", words.next)
    return f"| {' | '.join(map(escape_markdown, cells))} | `{difference.rule}` |\n"


def _format_waived(waived: WaivedDifference) -> str:
    difference, waiver = waived.difference, waived.waiver
    cells = (difference.user, difference.describe().message, str(waiver.location), f"{waiver.until:%Y-%m-%d}")
    return f"| {' | '.join(map(escape_markdown, (*cells, waiver.reason)))} | `{difference.rule}` |\n"


def _format_details(drift: Drift) -> str:
    """Return the sources and limits of the report, collapsed."""
    waived = (waived.difference for waived in drift.waived)
    rules = sorted({difference.rule for difference in (*drift.differences, *waived)})
    notes = [f"read at {drift.inventory.read_at:%Y-%m-%d %H:%M} UTC", *describe_limits(drift)]
    notes += [f"rules: {', '.join(rules)}"] if rules else []
    items = "".join(f"- {capitalize(escape_markdown(note))}\n" for note in notes)
    return f"<details><summary>Scope and limits</summary>\n\n{items}\n</details>\n"
