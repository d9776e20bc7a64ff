"""The unmanaged credentials that a preview deactivates or deletes; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.pull_request.changes import Action, Change, Note
from iamcreds.pull_request.notes import note_lost_password
from iamcreds.pull_request.properties import Property, parse_date
from iamcreds.resource_types import UNMANAGED_CREDENTIALS_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.pull_request.preview import Step

_ACTIONS = {"deletes": Action.DELETE, "deactivates": Action.DEACTIVATE}
_NOTES = (Note("unmanaged: no spec declares it"),)


def find_unmanaged_changes(steps: Iterable[Step]) -> Iterator[Change]:
    """Yield the changes of unmanaged credentials, by id."""
    for step in steps:
        if step.op in ("create", "update") and step.new is not None and step.type == UNMANAGED_CREDENTIALS_TYPE:
            inputs = step.new.inputs
            for user, credential in _list_unmanaged(inputs.get("unmanaged")):
                id_, service = credential.get("id"), str(credential.get("service", ""))
                lost = tuple(note_lost_password(service, credential.get("status")))
                for key, action in _ACTIONS.items():
                    if id_ in _list(inputs.get(key)):
                        yield Change(
                            user,
                            str(id_),
                            service,
                            (action,),
                            (*_NOTES, *lost) if action is Action.DELETE else _NOTES,
                            (Property("user", user, user),),
                            step.location,
                            str(id_),
                            created=parse_date(credential.get("created")),
                        )


def _list_unmanaged(unmanaged: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for user, credentials in unmanaged.items() if isinstance(unmanaged, dict) else ():
        yield from ((str(user), credential) for credential in _list(credentials) if isinstance(credential, dict))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
