"""Replaced copies that wait for their deletion, which the engine carries out without a step in the preview; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.pull_request.changes import Action, Change, Note
from iamcreds.pull_request.properties import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.pull_request.preview import Step


def find_old_copies(steps: Iterable[Step]) -> Iterator[Change]:
    """Find the deletions in the steps of the refresh, the only steps that have old copies."""
    for step in steps:
        old = step.old
        if step.op == "refresh" and old and old.is_leaving and old.is_credential and step.new is not None:
            user, service = (format_value(old.inputs.get(name, ""), quoted=False) for name in ("user", "service"))
            note = Note("old copy, replaced earlier:", old.id)
            yield Change(user, old.name, service, (Action.DELETE,), (note,), credential_id=old.id)
