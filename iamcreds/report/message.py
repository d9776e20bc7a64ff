"""The notification of drift: its title and its body; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.report.summary import describe_scope, summarize
from iamcreds.text.escaping import escape_invisible, format_code_span
from iamcreds.text.formatting import capitalize

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift

MAX_DIFFERENCES = 20
"""Maximum number of differences in a message; the others are counted."""

MAX_LINE = 500
"""Maximum number of characters of a difference."""


def write_message(drift: Drift, report: str | None = None) -> tuple[str, str]:
    """Return the title and the Markdown body of a notification; `report` is the path of the report.

    Each difference is a code span, the only markup that every service shows unchanged with any name.
    """
    lines = [f"{capitalize(describe_scope(drift))}.", ""]
    sentences = (f"{each.format_line()}; next: {each.describe().next}" for each in drift.differences[:MAX_DIFFERENCES])
    lines += [f"- {format_code_span(line, MAX_LINE)}" for line in sentences]
    if len(drift.differences) > MAX_DIFFERENCES:
        lines += ["", f"And {len(drift.differences) - MAX_DIFFERENCES:,} more."]
    if drift.waived:
        lines += ["", f"Waived, and not listed: {len(drift.waived):,}."]
    if report is not None:
        lines += ["", f"Full report: {format_code_span(report, MAX_LINE)}"]
    return escape_invisible(f"iamcreds: {summarize(drift)}"), "\n".join(lines)
