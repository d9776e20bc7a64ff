"""Drift as lines of text; pure. The same drift gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.waivers import describe_waiver
from iamcreds.report.summary import describe_limits, describe_scope, summarize
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift


def format_text(drift: Drift) -> str:
    """Return a line for each difference with the next step or waiver below it, then the summary and the notes."""
    lines = [
        line
        for difference in drift.differences
        for line in (difference.format_line(), f"    next: {difference.describe().next}")
    ]
    lines += [
        line
        for waived in drift.waived
        for line in (waived.difference.format_line(), f"    {describe_waiver(waived.waiver)}")
    ]
    lines += [f"{summarize(drift)}: {describe_scope(drift)}", *(f"note: {note}" for note in describe_limits(drift))]
    return "\n".join(map(escape_invisible, lines))
