"""The resource names of credentials in a program: each of them is used once, also those of the slots."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime.settings import get_monitor

from iamcreds.resource_names import slot_name, split_slot
from iamcreds.resource_types import urn_name
from iamcreds.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iamcreds.pulumi_engine.stack_state import StackState

_TWICE = (
    "the program declares two credentials with the resource name {name!r}. Give one of them a different name; to keep"
    " its credential, add the option `aliases=[pulumi.Alias(name={name!r})]`"
)
_TWO_OF_ROTATING = (
    "the program declares {names} for one user and service, but rotating credential {rotating!r} needs both credentials"
    " that IAM allows. Remove the others"
)
_LOSES_CURRENT = (
    "the current password or key of {name!r} is {id} in resource {slot!r}, which this program would delete. Options:"
    " keep `rotating_credential`; or declare ServiceSpecificCredential({slot!r}) in place of {name!r}"
)


def reserve_name(resource_name: str) -> None:
    """Reject a resource name that the program has already used, because providers and commands select by name."""
    names = _used_names(get_monitor())
    if resource_name in names:
        raise pulumi.RunError(_TWICE.format(name=resource_name))
    names.add(resource_name)


def reserve_slots(name: str) -> None:
    """Reserve the resource names of both slots of a rotating credential, also if only one is declared in this run."""
    for slot in SLOTS:
        reserve_name(slot_name(name, slot))
    _rotating_names(get_monitor()).add(name)


def require_quota(group: Iterable[str]) -> None:
    """Reject a second credential of the user and service of a rotating one; `group` has all their resource names."""
    rotating = _rotating_names(get_monitor())
    slots = {slot_name(name, slot) for name in rotating for slot in SLOTS}
    names = {split_slot(each)[0] if each in slots else each for each in group}
    if len(names) > 1 and names & rotating:
        listed = " and ".join(map(repr, sorted(names)))
        raise pulumi.RunError(_TWO_OF_ROTATING.format(names=listed, rotating=min(names & rotating)))


def require_current_slot(state: StackState | None, name: str, former: Sequence[str]) -> None:
    """Reject a plain credential in place of a rotating one whose current password or key is in slot 2.

    The engine would delete it, because the program does not declare slot 2 any more.
    """
    slot = slot_name(name, 2)
    successor = None if state is None else state.find(slot)
    if state is None or successor is None or slot in (*former, *_used_names(get_monitor())):
        return
    recorded = state.find(name)
    if successor.rotation > (0 if recorded is None else recorded.rotation):
        raise pulumi.RunError(_LOSES_CURRENT.format(name=name, id=successor.id, slot=slot))


def former_names(opts: pulumi.ResourceOptions | None) -> list[str]:
    """Return the former resource names in the aliases; an alias that is an output is ignored."""
    aliases = (opts and opts.aliases) or ()
    names = (alias.name if isinstance(alias, pulumi.Alias) else alias for alias in aliases)
    return [urn_name(name) for name in names if isinstance(name, str)]  # an alias may be a whole URN


@functools.lru_cache(maxsize=8)  # Pulumi's automation API may run several programs in one process
def _used_names(_monitor: object) -> set[str]:
    return set()


@functools.lru_cache(maxsize=8)  # as above
def _rotating_names(_monitor: object) -> set[str]:
    return set()
