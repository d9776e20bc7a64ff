"""The holders of events, each of which is a row of the timeline; pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iamcreds.schedule.event import Event


@dataclass(frozen=True)
class Holder:
    """A credential with its successors, or all access keys of a user.

    Attributes:
        user: the name of its IAM user.
        label: its declared name without the user, its service and id, or `access keys`.
        events: its events, soonest first.
    """

    user: str
    label: str
    events: Sequence[Event]


def group_events(events: Iterable[Event]) -> list[Holder]:
    """Return the holders of sorted events; the one with the soonest event is first."""
    groups: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        groups[event.user, _label(event)].append(event)
    return [Holder(user, label, group) for (user, label), group in groups.items()]


def _label(event: Event) -> str:
    if not event.service:
        return "access keys"
    if not event.resource:
        return f"{service_alias(event.service)} {event.id}"
    return event.resource.removeprefix(f"{event.user}/")
