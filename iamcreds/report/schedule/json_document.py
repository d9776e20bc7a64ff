"""A schedule as a JSON document; pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from iamcreds.report.schedule.summary import describe_limits
from iamcreds.text.escaping import escape_json

if TYPE_CHECKING:
    from iamcreds.schedule.event import Event
    from iamcreds.schedule.events import Schedule

VERSION = 1
"""The version of the document. New fields keep the version; a changed or removed field increases it."""


def format_json(schedule: Schedule) -> str:
    """Return the document as text; docs/schedule.md describes its fields."""
    return escape_json(json.dumps(build_document(schedule), indent=2))


def build_document(schedule: Schedule) -> dict[str, Any]:
    """Return the document as plain values."""
    account = {
        "account": schedule.drift.inventory.account,
        "readAt": schedule.now.isoformat(timespec="seconds"),
        "until": schedule.until.isoformat(timespec="seconds"),
        "events": [_event(event, schedule) for event in schedule.events],
        "notes": list(describe_limits(schedule)),
    }
    return {"version": VERSION, "accounts": [account]}


def _event(event: Event, schedule: Schedule) -> dict[str, Any]:
    return {
        "when": event.when.isoformat(timespec="seconds"),
        "event": event.kind.value,
        "due": schedule.is_due(event),
        "rule": event.rule or None,
        "user": event.user,
        "service": event.service or None,
        "resource": event.resource or None,
        "id": event.id or None,
        "previous": event.is_previous,
        "previousEnds": None if event.until is None else event.until.isoformat(timespec="seconds"),
        "limitDays": event.limit,
        "blockedBy": [each.id for each in event.blocked_by],
        "owner": event.owner,
        "place": None if event.location is None else vars(event.location),
        "message": event.describe(),
        "next": event.next,
    }
