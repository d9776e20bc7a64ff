"""The columns of the page's tables, and their labels in a narrow window, which shows each row as a card; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NARROW = 1130
"""A window of so many pixels at most shows cards; a wider one has room for every column."""


@dataclass(frozen=True)
class Column:
    """A column's heading; `is_number` is True for a column of numbers."""

    label: str
    is_number: bool = False


def _columns(*labels: str) -> tuple[Column, ...]:
    """Return columns by their labels; a label that ends in # is of a column of numbers."""
    return tuple(Column(label.removesuffix("#"), label.endswith("#")) for label in labels)


COLUMNS = {
    "findings": _columns("User", "Kind", "Rule", "What", "Next"),
    "timeline": _columns("User", "Date", "In days#", "What happens", "Id"),
    "services": _columns(
        "Service", "Declared#", "Live#", "Active#", "Inactive#", "Expired#", "With an expiry#", "Users#"
    ),
    "credentials": _columns(
        "User", "Service", "Id", "Status", "Managed", "Created", "Age, days#", "Expires", "Declared at"
    ),
    "keys": _columns(
        "User", "Id", "Status", "Age, days#", "Idle, days#", "Policy", "Age limit on", "Findings", "Created",
        "Last used",
    ),
}  # fmt: skip
"""By the name of the table; the first one heads its row."""


def style_labels() -> str:
    """Return the style that labels the parts of a card, so that no cell has to."""
    return f"@media screen and (max-width: {NARROW}px) {{\n{''.join(_style_labels())}}}\n"


def _style_labels() -> Iterator[str]:
    for name, columns in COLUMNS.items():
        for number, column in enumerate(columns[1:], 2):
            yield f"#table-{name} td:nth-child({number})::before {{ content: {json.dumps(column.label)}; }}\n"
