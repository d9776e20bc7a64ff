"""States for tests of reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from iamcreds.drift.recorded_state import RecordedState
from iamcreds.model import RecordedCredential

if TYPE_CHECKING:
    from collections.abc import Mapping

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def make_state(fields: Mapping[str, Mapping[str, Any]]) -> RecordedState:
    """Return a state with a credential for each id, with these fields."""
    by_id = {id_: RecordedCredential(id_, id_, "jane", "", CREATED, **values) for id_, values in fields.items()}
    return RecordedState(by_id, by_id, {})
