"""The columns of the report's tables, and their labels in a narrow window, which shows rows as cards; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NARROW = 1130
"""Maximum width in pixels of a window that shows cards instead of tables."""


@dataclass(frozen=True)
class Column:
    """A column's heading; `is_number` is True for a column of numbers."""

    label: str
    is_number: bool = False


def _columns(*labels: str) -> tuple[Column, ...]:
    """Return columns by their labels; a # at the end of a label marks a column of numbers."""
    return tuple(Column(label.removesuffix("#"), label.endswith("#")) for label in labels)


COLUMNS = {
    "findings": _columns("User", "Kind", "Rule", "Difference", "Next step"),
    "waived": _columns("User", "Rule", "Difference", "Until", "Reason"),
    "timeline": _columns("User", "Date", "In days#", "Kind", "Event"),
    "services": _columns(
        "Service", "Declared#", "Existing#", "Active#", "Inactive#", "Expired#", "With an expiry#", "Users#"
    ),
    "credentials": _columns(
        "User", "Service", "Id", "Status", "Managed", "Created", "Issued", "Age, days#", "Expires", "Declared at"
    ),
    "keys": _columns(
        "User", "Id", "Status", "Age, days#", "Idle, days#", "Policy", "Age limit on", "Findings", "Created",
        "Last used",
    ),
}  # fmt: skip
"""The columns by the name of the table; the first column is the heading of its row."""


def style_labels() -> str:
    """Return the style with the labels of cards, which keeps them out of the cells."""
    return f"@media screen and (max-width: {NARROW}px) {{\n{''.join(_style_labels())}}}\n"


def _style_labels() -> Iterator[str]:
    for name, columns in COLUMNS.items():
        for number, column in enumerate(columns[1:], 2):
            yield f"#table-{name} td:nth-child({number})::before {{ content: {json.dumps(column.label)}; }}\n"
