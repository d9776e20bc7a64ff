"""Which unmanaged credentials a preview would switch off or delete; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.pull_request.changes import Action, Change, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.pull_request.preview import Step

_TYPE = "dynamic/iam:UnmanagedCredentials"
_ACTIONS = {"deletes": Action.DELETE, "deactivates": Action.SWITCH_OFF}


def acts_on_unmanaged(type_or_urn: str) -> bool:
    """Whether a resource with this type, or in this URN, acts on unmanaged credentials."""
    return _TYPE in type_or_urn


def find_unmanaged_changes(steps: Iterable[Step]) -> Iterator[Change]:
    """What is done to each of them, by id: no resource has them."""
    for step in steps:
        if step.op in ("create", "update") and step.new is not None and acts_on_unmanaged(step.new.type):
            inputs, place = step.new.inputs, step.new.place
            for user, live in _list_shown(inputs.get("unmanaged")):
                for key, action in _ACTIONS.items():
                    if live.get("id") in _list(inputs.get(key)):
                        note = (Note("unmanaged: no spec declares it"),)
                        found, service = str(live["id"]), str(live.get("service", ""))
                        yield Change(user, found, service, (action,), note, (), place, found)


def _list_shown(unmanaged: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for user, shown in unmanaged.items() if isinstance(unmanaged, dict) else ():
        yield from ((str(user), live) for live in _list(shown) if isinstance(live, dict))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
