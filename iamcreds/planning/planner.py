"""The plan for all credentials of one user and service: create, adopt, import or reject each; pure.

IAM's quota, adoption, import and replacement concern these credentials together. The plan does not depend on the
order in which the engine requests them: rules come first, then resource names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.model import Status
from iamcreds.planning.decisions import (
    Adopt,
    Ambiguous,
    Create,
    Decision,
    DeclaredTwice,
    HasExpired,
    Import,
    InTheWay,
    MissingUser,
    NotAdoptable,
    NotFound,
    OfAnother,
    Owned,
    QuotaExceeded,
    Transformed,
    UnknownService,
    Unproven,
)
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iamcreds.model import Credential
    from iamcreds.planning.group import Group


def plan(group: Group) -> dict[str, Decision]:
    """Return a decision for each resource that needs a credential, by resource name; decided ones stay as they are."""
    for decide in (_reject_group, _import, _adopt, _reject_blocked, _create):
        group = _decide(group, decide)
    return dict(group.decided)


def _decide(group: Group, rule: Callable[[Group], dict[str, Decision]]) -> Group:
    return replace(group, decided={**group.decided, **rule(group)})


def _reject_group(group: Group) -> dict[str, Decision]:
    """Reject missing users, unknown services, and more resources than declared, whatever credentials exist."""
    if not group.has_user:
        return dict.fromkeys(group.open, MissingUser(group.renamed_to, group.case_variant))
    if not group.has_service:
        return dict.fromkeys(group.open, UnknownService())
    declaring = frozenset(name for name, member in group.members.items() if member.is_certain)
    surplus = (name for name in group.open if name in declaring and len(declaring) > group.members[name].declared)
    return dict.fromkeys(surplus, DeclaredTwice(declaring))


def _import(group: Group) -> dict[str, Decision]:
    """Import the existing credentials that specs name."""
    return {
        name: _import_one(group, name, group.imports[credential_id])
        for name, credential_id in group.importers.items()
        if name in group.open and credential_id in group.imports
    }


def _import_one(group: Group, name: str, credential: Credential) -> Decision:
    member = group.members[name]
    if (credential.user, credential.service) != (group.user, group.service):
        return OfAnother(credential)
    if credential.id in group.owners:
        return Owned(credential, group.owners[credential.id])
    importers = group.importers | group.decided_ids
    others = [other for other, credential_id in importers.items() if credential_id == credential.id and other != name]
    if others:
        return Owned(credential, others[0])
    if not group.is_whole or credential.id in group.uncertain:
        return Unproven((credential,))
    if credential.status is Status.EXPIRED:
        return HasExpired(credential)
    has_lifetime = member.lifetime is None or member.fits(credential)
    return Import(credential) if has_lifetime else NotAdoptable(credential)


def _adopt(group: Group) -> dict[str, Decision]:
    """Adopt unmanaged credentials: first those of the same status, then by age and resource name.

    A resource that replaces its credential adopts none: `unmanaged: delete` may delete it in the same run.
    """
    adopters = {name: member for name, member in group.open.items() if _adopts(group, name) and member.is_certain}
    is_certain = group.is_whole and not group.uncertain & {each.id for each in group.unmanaged}
    if not is_certain or any(len(group.unmanaged) > group.count_adopters(name) for name in adopters):
        return {}
    order = {credential.id: number for number, credential in enumerate(group.unmanaged)}
    pairs = sorted(
        (not member.is_lifetime_known, credential.status is not member.status, order[credential.id], name)
        for name, member in adopters.items()
        for credential in group.unmanaged
        if member.fits(credential)
    )
    decisions: dict[str, Decision] = {}
    adopted: set[int] = set()
    for *_, number, name in pairs:
        if name not in decisions and number not in adopted:
            decisions[name] = Adopt(group.unmanaged[number])
            adopted.add(number)
    return decisions


def _reject_blocked(group: Group) -> dict[str, Decision]:
    """Reject every create that the unmanaged credentials block which no resource adopts.

    A transformed resource is rejected next to an adopted one as well, because either of the two may be planned first.
    """
    adopted = [each for each in group.existing if each.id in {*group.adopted, *group.decided_ids.values()}]
    transformed = [name for name, member in group.open.items() if not member.is_certain]
    rejections: dict[str, Decision] = dict.fromkeys(transformed if adopted else (), Transformed(adopted))
    if not group.is_whole:  # all unmanaged ones may be managed: then the quota of declared ones decides
        return rejections
    blocked = group.open if group.unmanaged else ()
    return {name: _reject_one(group, name, group.unmanaged) for name in blocked} | rejections


def _adopts(group: Group, name: str) -> bool:
    return group.members[name].adopts and not group.replaces(name)


def _reject_one(group: Group, name: str, unmanaged: Sequence[Credential]) -> Decision:
    member = group.members[name]
    uncertain = [credential for credential in unmanaged if credential.id in group.uncertain]
    if uncertain:
        return Unproven(uncertain)
    if not member.is_certain:
        return Transformed(unmanaged)
    if name in group.importers:
        return NotFound(group.importers[name], unmanaged)
    if not _adopts(group, name):
        return InTheWay(unmanaged)
    return Ambiguous(unmanaged) if len(unmanaged) > group.count_adopters(name) else NotAdoptable(unmanaged[0])


def _create(group: Group) -> dict[str, Decision]:
    """Create as many as the quota allows: replacements in their own slot, new ones by name, then other replacements."""
    requested = group.open.keys() if group.requested is None else group.open.keys() & group.requested
    decisions: dict[str, Decision] = {}
    for name in sorted(requested, key=lambda name: (_rank(group, name), name)):
        if _has_slot(replace(group, decided={**group.decided, **decisions}), name):
            decisions[name] = Create(missing=group.importers.get(name))
        elif not group.is_whole and group.unmanaged:
            decisions[name] = Unproven(group.unmanaged)
        else:
            decisions[name] = QuotaExceeded(group.existing, group.owners_of_existing)
    return decisions


def _rank(group: Group, name: str) -> int:
    """Return the rank for free quota; a replacement without a slot is last, because a plan may precede its request."""
    if name in group.replaced:
        return 0 if group.replaced[name] else 3
    return 1 if group.members[name].is_certain else 2


def _has_slot(group: Group, name: str) -> bool:
    """Return True if the quota allows one more; if the state is unknown, existing ones may be any of the declared."""
    if name in group.reserved:
        return True
    surplus = 0 if group.is_whole or not group.unmanaged else MAX_PER_SERVICE - group.members[name].declared
    return group.free - surplus > 0
