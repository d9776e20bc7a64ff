"""Waivers of findings in the run context, as programs send them and providers read them; pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from iamcreds.desired import Waiver
from iamcreds.model import SourceLocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def waivers_context(waivers: Mapping[str, Sequence[Waiver]]) -> dict[str, Any]:
    """Return waivers by user for the run context, without users that have none."""
    described = {user: [_describe(waiver) for waiver in of_user] for user, of_user in waivers.items() if of_user}
    return {"waivers": described} if described else {}


def read_waivers(context: Mapping[str, Any]) -> Mapping[str, tuple[Waiver, ...]]:
    """Return the waivers of a run context by user."""
    return {user: tuple(map(_read, of_user)) for user, of_user in (context.get("waivers") or {}).items()}


def _describe(waiver: Waiver) -> dict[str, Any]:
    place = waiver.location
    values = {"rule": waiver.rule, "reason": waiver.reason, "until": waiver.until.isoformat()}
    return {**values, "place": [place.file, place.line, place.column]}


def _read(properties: Mapping[str, Any]) -> Waiver:
    """Return a waiver; the engine makes every number a float."""
    file, line, column = properties["place"]
    until, location = datetime.fromisoformat(properties["until"]), SourceLocation(file, int(line), int(column))
    return Waiver(properties["rule"], properties["reason"], until, location)
