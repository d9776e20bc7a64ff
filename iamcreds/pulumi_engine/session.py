"""The facts that one provider process knows about its run; it makes no plans.

A provider cannot read the state. Its facts are the ids that the engine requested reads of, the run contexts that the
program sent, and the decisions that the provider returned.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from iamcreds.errors import UserDeniedError
from iamcreds.planning.decisions import Adopt, Decision, Import
from iamcreds.planning.group import Group, Member

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from iamcreds.model import Credential
    from iamcreds.pulumi_engine.handover import Handover
    from iamcreds.pulumi_engine.run_context import RunContext


@dataclass(frozen=True)
class Returned:
    """A decision of `check`, and the ids that existed at that time."""

    decision: Decision
    existing: frozenset[str]


@dataclass
class _GroupFacts:
    """The facts about one user and service; see `Group`."""

    members: dict[str, Member] = field(default_factory=dict)
    requested: set[str] = field(default_factory=set)
    replaced: dict[str, bool] = field(default_factory=dict)
    returned: dict[str, Returned] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)
    changed: dict[str, Credential] = field(default_factory=dict)
    is_whole: bool = False


class Session:
    """The facts of one provider process. Safe to use from several threads.

    Args:
        handover: passes the read ids from the process that reads to the one that decides; None if there is one process.
    """

    def __init__(self, handover: Handover | None = None) -> None:
        self._lock = threading.Lock()
        self._handover = handover
        self._owners: dict[str, str] = {}
        self._recorded: set[str] = set()
        self._resources: set[str] = set()
        self._read: set[str] = set()
        self._kept: dict[str, str] = {}
        self._replaced: set[str] = set()
        self._denied: dict[str, str] = {}
        self._groups: dict[tuple[str, str], _GroupFacts] = defaultdict(_GroupFacts)
        self._newest: dict[str, datetime] = {}
        self._is_narrowed: bool | None = None
        self._lacks_state = False

    def read(self, credential_id: str) -> None:
        """Note that the engine requested a read of this managed credential."""
        with self._lock:
            self._owners.setdefault(credential_id, "")
            self._read.add(credential_id)
            if self._handover is not None:
                self._handover.leave(credential_id)

    def own(self, credential_id: str) -> None:
        """Note that a resource of the stack has this credential."""
        with self._lock:
            self._owners.setdefault(credential_id, "")

    def note_request(
        self, user: str, service: str, context: RunContext, members: Mapping[str, Member], *, is_recorded: bool = False
    ) -> None:
        """Note the run context of a requested resource of this user and service, and the group's members."""
        with self._lock:
            self._take()
            self._lacks_state = self._lacks_state or context.owned is None
            self._resources.update({context.resource} if is_recorded else ())
            group = self._groups[user, service]
            new = {name: member for name, member in members.items() if name not in group.requested}
            group.members |= new | {context.resource: members[context.resource]}
            group.requested.add(context.resource)
            group.is_whole = group.is_whole or context.owned is not None
            if context.newest is not None:
                self._newest[service] = context.newest
            self._owners.update(context.owned or {})
            self._recorded.update(context.owned or {})
            if self._is_narrowed is None:
                self._is_narrowed = len(self._read) < (context.recorded or 0)

    def replace(self, user: str, service: str, resource: str, *, frees_quota: bool) -> None:
        """Note that this resource's credential is to be replaced, and whether its deletion frees the quota first."""
        with self._lock:
            self._groups[user, service].replaced.setdefault(resource, frees_quota)

    def note_replaced(self, credential_ids: Collection[str]) -> None:
        """Note that this run replaces these credentials, so that their secrets in a store stay."""
        with self._lock:
            self._replaced.update(credential_ids)

    def is_replaced(self, credential_id: str) -> bool:
        """Return True if this run replaces the credential."""
        with self._lock:
            return credential_id in self._replaced

    def is_recorded(self, resource: str) -> bool:
        """Return True if the engine requested a check of this resource as one that the state has."""
        with self._lock:
            return resource in self._resources

    def keep(self, credential_ids: Collection[str], reason: str) -> None:
        """Note that these credentials must not be deleted, because their replacement is rejected."""
        with self._lock:
            self._kept.update(dict.fromkeys(credential_ids, reason))

    def reason_to_keep(self, credential_id: str) -> str | None:
        """Return why this credential must not be deleted, None if it may be."""
        with self._lock:
            return self._kept.get(credential_id)

    @property
    def lacks_state(self) -> bool:
        """Return True if the program could not read the state, so that it may have left out a second slot."""
        with self._lock:
            return self._lacks_state

    def deny(self, credential_id: str, reason: str) -> None:
        """Note that AWS denies the read of this credential's user, so that its actual state is unknown."""
        with self._lock:
            self._denied[credential_id] = reason

    def require_read(self, credential_ids: Collection[str]) -> None:
        """Require that the actual state of these credentials is known.

        Raises:
            UserDeniedError: AWS denied the read of one of them.
        """
        with self._lock:
            for credential_id in credential_ids:
                if credential_id in self._denied:
                    raise UserDeniedError(self._denied[credential_id])

    def note_change(self, unmanaged: Credential) -> None:
        """Note that this run deactivates or deletes an unmanaged credential, with the facts from before that."""
        with self._lock:
            self._groups[unmanaged.user, unmanaged.service].changed.setdefault(unmanaged.id, unmanaged)

    def changed(self, user: str, service: str) -> dict[str, Credential]:
        """Return the unmanaged credentials that this run deactivates or deletes, as they were before, by id."""
        with self._lock:
            return dict(self._groups[user, service].changed)

    def owner(self, credential_id: str) -> str | None:
        """Return the resource that has this credential (empty: of unknown name), None for an unmanaged one."""
        with self._lock:
            self._take()
            return self._owners.get(credential_id)

    def has_read(self, credential_id: str) -> bool:
        """Return True if the engine requested a read of this credential."""
        with self._lock:
            self._take()
            return credential_id in self._read

    def is_unread(self, credential_id: str) -> bool:
        """Return True if the state has this credential, and the engine requested no read of it."""
        with self._lock:
            self._take()
            return credential_id in self._recorded - self._read

    def newest_unread(self, service: str) -> datetime | None:
        """Return when the newest credential was created that may have a predecessor of a different user, unread."""
        with self._lock:
            return self._newest.get(service) if self._is_narrowed else None

    def adopted(self, user: str, service: str) -> frozenset[str]:
        """Return the ids that resources of this run are going to adopt or import."""
        return frozenset(self.group(user, service).decided_ids.values())

    def group(self, user: str, service: str) -> Group:
        """Return the facts about this user and service without the account; `decided` has the returned decisions."""
        with self._lock:
            facts = self._groups[user, service]
            return Group(
                user,
                service,
                members=dict(facts.members),
                is_whole=facts.is_whole,
                replaced=dict(facts.replaced),
                adopted=frozenset(facts.adopted),
                decided={name: returned.decision for name, returned in facts.returned.items()},
                requested=frozenset(facts.requested) if self._is_narrowed else None,
            )

    def decide(self, group: Group, resource: str, decision: Decision) -> None:
        """Note the decision that `check` returns for this resource."""
        existing = frozenset(credential.id for credential in group.existing)
        with self._lock:
            self._groups[group.user, group.service].returned[resource] = Returned(decision, existing)

    def find(self, user: str, service: str, member: Member, adopts: str | None) -> tuple[str, Returned | None]:
        """Return the resource that create is about, and the decision that check returned for it, if any.

        Create knows the inputs only. Resources of equal inputs and decisions are interchangeable, and a rejected one
        has its rejection among its inputs.
        """
        with self._lock:
            facts = self._groups[user, service]
            for name, returned in facts.returned.items():
                if _adopts(returned.decision) == adopts and _is_like(facts.members[name], member):
                    return name, returned
            alike = (name for name, other in facts.members.items() if _is_like(other, member))
            name = next((name for name in alike if name not in facts.finished | facts.returned.keys()), "")
            facts.members.setdefault(name, member)
            return name, None

    def finish(self, user: str, service: str, resource: str, credential_id: str) -> None:
        """Note that this resource has this credential now."""
        with self._lock:
            facts = self._groups[user, service]
            returned = facts.returned.pop(resource, None)
            if returned is not None and _adopts(returned.decision) == credential_id:
                facts.adopted.add(credential_id)
            facts.replaced.pop(resource, None)
            facts.finished.add(resource)
            self._owners[credential_id] = resource

    def _take(self) -> None:
        """Take the ids that another process has read, once."""
        if self._handover is not None:
            handover, self._handover = self._handover, None
            self._read.update(handover.take())
            self._owners.update(dict.fromkeys(self._read - self._owners.keys(), ""))


def _adopts(decision: Decision) -> str | None:
    return decision.credential.id if isinstance(decision, Adopt | Import) else None


def _is_like(other: Member, member: Member) -> bool:
    return replace(other, is_certain=True, is_renewed=False) == member
