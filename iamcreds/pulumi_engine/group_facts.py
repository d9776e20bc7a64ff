"""The input of a plan: the account's facts and the session's facts about one user and service."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.pulumi_engine.provider import warn
from iamcreds.pulumi_engine.run_context import OnRejection
from iamcreds.services import known_service, service_alias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from iamcreds.aws import Account
    from iamcreds.model import Credential
    from iamcreds.planning.group import Group
    from iamcreds.pulumi_engine.run_context import RunContext
    from iamcreds.pulumi_engine.session import Session

_WAITING = (
    "a run on this machine began to create a {credential} less than a minute ago, and its result is unknown."
    " Waiting for IAM's lists to show it, at most {seconds} seconds"
)


def read_group(account: Account, session: Session, user: str, service: str) -> Group:
    """Return the group with its existing credentials. The caller holds the lock of `create_journal.hold`.

    An unmanaged credential that this run deactivates or deletes counts as it was before that, as in the preview.
    The plan must not depend on which of the two the engine requests first.

    Raises:
        AccountError: as AWS responds.
    """
    group = session.group(user, service)
    imports = _find(account, user, {member.adopt for member in group.members.values() if member.adopt is not None})
    if not account.users.exists(user):
        return replace(
            group,
            imports=imports,
            has_user=False,
            case_variant=account.users.find_case_variant(user),
            has_service=has_service(account, None, service),
        )
    if any(member.adopt is None for member in group.members.values()):
        _settle(account, session, user, service)
    changed = session.changed(user, service)
    unchanged = [credential for credential in account.inventory.of(user, service) if credential.id not in changed]
    existing = sorted([*unchanged, *changed.values()], key=lambda credential: (credential.created, credential.id))
    return replace(
        group,
        existing=existing,
        owners=_find_owners(account, session, [*unchanged, *imports.values()]),
        uncertain=_find_uncertain(session, service, existing),
        imports=imports,
        has_service=has_service(account, user, service),
    )


def foresee_user(account: Account, group: Group, context: RunContext) -> Group:
    """Return the group as the create will meet it: a preview counts users that the program creates."""
    if group.has_user:
        return group
    ids = dict.fromkeys([*context.own_ids(), *context.of_user])  # each id that lists lack costs a call
    renamed_to = next(
        (existing.user for existing in _find(account, group.user, ids).values() if existing.user != group.user), None
    )
    is_preview = context.on_rejection is not OnRejection.DEFER
    is_created = is_preview and renamed_to is None and group.user in context.created_users
    has_iam_user = group.user in context.created_users
    return replace(group, has_user=is_created, renamed_to=renamed_to, has_iam_user=has_iam_user)


def find_own(account: Account, user: str, context: RunContext) -> list[Credential]:
    """Return the existing credentials that the state has for the resource of this run context."""
    return list(_find(account, user, context.own_ids()).values())


def has_service(account: Account, user: str | None, service: str) -> bool:
    """Return True if AWS has the service. Only unknown services cost a request, about that user or any (None)."""
    return known_service(service) is not None or account.inventory.has_service(user, service)


def _find(account: Account, user: str, ids: Iterable[str]) -> dict[str, Credential]:
    credentials = (account.inventory.find(user, credential_id) for credential_id in sorted(ids))
    return {credential.id: credential for credential in credentials if credential is not None}


def _find_owners(account: Account, session: Session, existing: Iterable[Credential]) -> dict[str, str]:
    """Return the owners of managed credentials by id; those that this process created have one without a name."""
    owners = {credential.id: session.owner(credential.id) for credential in existing}
    written = {credential_id: "" for credential_id in owners if account.inventory.has_written(credential_id)}
    return written | {credential_id: owner for credential_id, owner in owners.items() if owner is not None}


def _find_uncertain(session: Session, service: str, existing: list[Credential]) -> frozenset[str]:
    """Return ids that a replacement may have left: older than a managed credential that the engine did not have read.

    The engine has such old copies read together with their successors, and the program does not see them.
    """
    unread = [credential.created for credential in existing if session.is_unread(credential.id)]
    newest = session.newest_unread(service)
    unread += [] if newest is None else [newest]
    unowned = (credential for credential in existing if session.owner(credential.id) is None)
    return frozenset(each.id for each in unowned if any(each.created <= created for created in unread))


def _settle(account: Account, session: Session, user: str, service: str) -> None:
    """Wait for creates in flight for this user and service, and for recent ones to appear in list results."""

    def is_managed(credential_id: str) -> bool:
        return session.owner(credential_id) is not None

    def report(longest: timedelta) -> None:
        credential = f"{service_alias(service)} credential for user {user}"
        warn(_WAITING.format(credential=credential, seconds=math.ceil(longest.total_seconds())))

    account.open_creates.wait(user, service, is_managed, report)
