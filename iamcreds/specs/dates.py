"""Dates in specs, such as `2027-01-31`, which are the midnight (UTC) at their start; pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from iamcreds.model import Problem
from iamcreds.specs.nodes import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.specs.nodes import Block, Tree


def parse_date(date: str) -> datetime:
    """Return the time of a valid date."""
    return datetime.fromisoformat(date).replace(tzinfo=UTC)


def check_date(tree: Tree, fields: Block, name: str) -> Iterator[Problem]:
    """Yield the problem of a date that the schema accepts, and that no calendar has, such as `2027-02-30`."""
    date = fields.get(name)
    try:
        if isinstance(date, str) and len(date) == len("2027-01-31"):
            datetime.fromisoformat(date)
    except ValueError:
        message = f"{quoted(name)} must be a date such as 2027-01-31, not {quoted(date)}"
        yield Problem(tree.location(fields.marks[name]), message, "wrong-format")
