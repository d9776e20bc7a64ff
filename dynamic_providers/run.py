"""What a provider process knows of the run that it serves: which ids are whose, and what siblings are about to make.

A provider cannot read the state. What is the stack's own it knows from what the engine had it read, from what it
made itself, and from the message that the program sends along with each credential.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from dynamic_providers.unknowns import is_known

if TYPE_CHECKING:
    from dynamic_providers.handover import Handover

NEVER = 0
"""What a message has for the days until a credential expires that never does: the protocol drops what is None."""


class Refuse(StrEnum):
    """When a credential that cannot be created is refused."""

    CHECK = "check"
    """At once, which stops the run."""
    PREVIEW = "preview"
    """The program wants to hear of it, so that it can tell all refusals together."""
    CREATE = "create"
    """When its turn comes, so that the others go on."""


@dataclass(frozen=True)
class Message:
    """What the program says with each credential; it is never recorded.

    Attributes:
        resource: the resource's name, empty where it is not known.
        owned: the credentials of the same user and service that the stack's state has: resource names by id. None
            where the program could not tell.
        of_user: the ids of those of them that it has under this very user's name.
        account: the account that the stack's state is of, None where it is empty or the program could not tell.
        claimed: the credentials of the same user and service that the program names to be adopted, by resource name.
        protect: whether the resource is protected.
        refuse: when to refuse.
        adopters: what says `existing: adopt` of the same user and service: days until it expires (`NEVER` for never)
            by resource name.
        made_users: those of its users whom the program makes itself: one who is missing in a preview will be there.
        declaring: the names of the resources that declare the same user and service, as far as the program can tell.
    """

    resource: str = ""
    owned: Mapping[str, str] | None = None
    of_user: tuple[str, ...] = ()
    account: str | None = None
    claimed: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    refuse: Refuse = Refuse.CHECK
    adopters: Mapping[str, int] = field(default_factory=dict)
    made_users: tuple[str, ...] = ()
    declaring: tuple[str, ...] = ()

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Self:
        """The message out of a credential's properties; what of it is not known yet is not told."""
        message = properties.get("run")
        if not isinstance(message, Mapping):
            return cls()
        told = {name: value for name, value in message.items() if is_known(value)}
        return cls(
            resource=told.get("resource") or "",
            owned=_rename(told.get("owned"), told.get("renamed") or {}),
            of_user=tuple(told.get("of_user") or ()),
            account=told.get("account"),
            claimed=told.get("claimed") or {},
            protect=told.get("protect") is True,
            refuse=Refuse(told.get("refuse") or Refuse.CHECK),
            adopters={name: int(days) for name, days in (told.get("adopters") or {}).items()},
            made_users=tuple(told.get("made_users") or ()),
            declaring=tuple(told.get("declaring") or ()),
        )


def _rename(owned: Mapping[str, str] | None, renamed: Mapping[str, str]) -> dict[str, str] | None:
    """The owners by the names that the program gives them now, where the state does not have these already."""
    if owned is None:
        return None
    there = set(owned.values())
    return {key: name if renamed.get(name, name) in there else renamed[name] for key, name in owned.items()}


class Run:
    """What one process knows. Safe to use from several threads.

    Args:
        handover: between the process that reads and the one that decides, where these are two; None hands nothing over.
    """

    def __init__(self, handover: Handover | None = None) -> None:
        self._lock = threading.Lock()
        self._handover = handover
        self._has_taken = False
        self._owners: dict[str, str] = {}
        self._told: set[str] = set()
        self._read: set[str] = set()
        self._whole: set[tuple[str, str]] = set()
        self._declaring: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._claimed: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        self._plans: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
        self._adopters: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        self._replaced: set[str] = set()
        self._recorded: set[str] = set()
        self._kept: dict[str, str] = {}

    def own(self, credential_id: str) -> None:
        """Know that a resource of the stack has this credential."""
        with self._lock:
            self._owners.setdefault(credential_id, "")

    def read(self, credential_id: str) -> None:
        """Know that the engine has had this credential of the stack's read, and with it older ones of its resource."""
        self.own(credential_id)
        with self._lock:
            self._read.add(credential_id)
            if self._handover is not None:
                self._handover.leave(credential_id)

    def _take(self) -> None:
        """Know, when the first question comes, what another process has had read for this one."""
        if self._handover is None or self._has_taken:
            return
        self._has_taken = True
        for credential_id in self._handover.take():
            self._owners.setdefault(credential_id, "")
            self._read.add(credential_id)

    def has_read(self, credential_id: str) -> bool:
        """Whether the engine has had this credential read."""
        with self._lock:
            self._take()
            return credential_id in self._read

    def is_unread(self, credential_id: str) -> bool:
        """Whether the program has told that the state has this credential, and the engine has not had it read."""
        with self._lock:
            self._take()
            return credential_id in self._told - self._read

    def replace(self, credential_id: str) -> None:
        """Know that this credential is to be replaced by another."""
        with self._lock:
            self._replaced.add(credential_id)

    def record(self, resource: str) -> None:
        """Know that the state has this resource, whatever becomes of it."""
        with self._lock:
            self._recorded.add(resource)

    def keep(self, resource: str, reason: str) -> None:
        """Know that this resource is protected, and why it would have to be replaced all the same."""
        with self._lock:
            self._kept[resource] = reason

    def reason_to_keep(self, credential_id: str) -> str | None:
        """Why what has this credential is not replaced although it would have to be; None where there is no reason."""
        with self._lock:
            owner = self._owners.get(credential_id)
            return None if owner is None else self._kept.get(owner)

    def is_recorded(self, resource: str) -> bool:
        """Whether this process was asked about this resource as one that the state has."""
        with self._lock:
            return bool(resource) and resource in self._recorded

    def has(self, resource: str) -> bool:
        """Whether the state has this resource: then a check without old inputs is that of its successor."""
        with self._lock:
            return bool(resource) and (resource in self._recorded or resource in self._owners.values())

    def hear(self, user: str, service: str, message: Message) -> None:
        """Take in what the program says with a credential of that user and service."""
        with self._lock:
            if message.resource:
                self._declaring[user, service].update({message.resource, *message.declaring})
            self._claimed[user, service].update(message.claimed)
            self._adopters[user, service].update(message.adopters)
            if message.owned is not None:
                self._owners.update(message.owned)
                self._told.update(message.owned)
                self._whole.add((user, service))

    def claim(self, user: str, service: str, resource: str, credential_id: str) -> None:
        """Know that this resource names a credential of that user and service to be adopted."""
        with self._lock:
            self._claimed[user, service][resource] = credential_id

    def claimed(self, user: str, service: str, having: Collection[str]) -> frozenset[str]:
        """The ids that resources name to be adopted, as far as they are known, but for those `having` a credential."""
        with self._lock:
            return frozenset(claim for name, claim in self._claimed[user, service].items() if name not in having)

    def plan(self, user: str, service: str, resource: str, adopts: str | None) -> None:
        """Know that this resource is about to adopt a credential, or to have one created (None)."""
        with self._lock:
            self._plans[user, service][resource] = adopts

    def finish(self, user: str, service: str, adopts: str | None, credential_id: str) -> None:
        """Know that such a plan was carried out, and which credential came of it."""
        with self._lock:
            plans = self._plans[user, service]
            resource = next((name for name, planned in plans.items() if planned == adopts), None)
            if resource is not None:
                del plans[resource]
            self._owners[credential_id] = resource or ""

    def owner(self, credential_id: str) -> str | None:
        """The resource that has this credential, empty where its name is not known; None of what is not the stack's."""
        with self._lock:
            self._take()
            return self._owners.get(credential_id)

    def is_whole(self, user: str, service: str) -> bool:
        """Whether all credentials that the state has of this user and service are known."""
        with self._lock:
            return (user, service) in self._whole

    def declaring(self, user: str, service: str) -> frozenset[str]:
        """The names of the resources that declare this user and service, as far as they were told or checked."""
        with self._lock:
            return frozenset(self._declaring[user, service])

    def adopters_to_come(self, user: str, service: str, having: Collection[str]) -> list[int | None]:
        """The lifetimes, in days or None, of what may adopt: resources not `having` a live one, and undecided yet."""
        with self._lock:
            decided = {*having, *self._plans[user, service]}
            adopters = self._adopters[user, service].items()
            return [None if days == NEVER else days for name, days in adopters if name not in decided]

    def is_replaced(self, credential_id: str) -> bool:
        """Whether our own diff has this credential replaced."""
        with self._lock:
            return credential_id in self._replaced

    def adopted(self, user: str, service: str) -> frozenset[str]:
        """The ids that resources of this run are about to adopt."""
        with self._lock:
            return frozenset(adopts for adopts in self._plans[user, service].values() if adopts is not None)

    def plans_beside(self, user: str, service: str, resource: str) -> dict[str, str | None]:
        """What the other resources are about to do: the id that each adopts, None where it has one created."""
        with self._lock:
            return {name: adopts for name, adopts in self._plans[user, service].items() if name != resource}
