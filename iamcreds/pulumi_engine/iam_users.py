"""The IAM users that specs declare: checks by pulumi-aws before the engine creates any.

pulumi-aws has its own client, credentials and configuration (the stack's `aws:` keys). So its plugin's functions return
the account and the users; their names and results are those of its documentation. The package is never imported,
because that takes long: the engine finds the plugin by the version.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pulumi

from iamcreds.pulumi_engine.monitor import invoke
from iamcreds.pulumi_engine.rejection_report import RejectedResource
from iamcreds.text.commands import install_extra

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from iamcreds.desired import DesiredUser
    from iamcreds.model import SourceLocation
    from iamcreds.pulumi_engine.stack_state import StackState

_GET_CALLER = "aws:index/getCallerIdentity:getCallerIdentity"
_GET_USERS = "aws:iam/getUsers:getUsers"
_NOT_INSTALLED = f"`iamUser` needs pulumi-aws, which is not installed: {install_extra('aws')}"
_ORPHAN = (
    "`iamUser` was removed, and Pulumi would delete the IAM user, who is still declared. Options: restore it; or, to"
    " stop managing the user, add `retainOnDelete: true` to it, run `pulumi up`, and set `iamUser: false`"
)


def find_orphans(users: Iterable[DesiredUser], state: StackState | None) -> list[RejectedResource]:
    """Find users that the stack created and that are still declared, but no longer with `iamUser`.

    The engine would detach their policies and then try to delete them, which IAM rejects as long as they have anything.
    """
    created = frozenset[str]() if state is None else state.iam_users
    return [
        RejectedResource(user.location, f"{user.name}: {_ORPHAN}")
        for user in users
        if user.name in created and user.iam_user is None and not user.releases_iam_user
    ]


def find_plugin_version(location: SourceLocation) -> str:
    """Return the installed version of pulumi-aws and its plugin; `location` is where a spec needs it.

    Raises:
        pulumi.RunError: none is.
    """
    try:
        return metadata.version("pulumi-aws")
    except metadata.PackageNotFoundError:
        raise pulumi.RunError(f"{location}: {_NOT_INSTALLED}") from None


async def require_account(expected: Collection[str], version: str) -> None:
    """Require that pulumi-aws uses the expected account, that of the specs and of the state (12 digits each).

    Raises:
        pulumi.RunError: it uses a different one, or its function fails.
    """
    if not expected:
        return
    account = (await invoke(_GET_CALLER, version)).get("accountId")
    if {account} != set(expected):
        raise pulumi.RunError(
            f"pulumi-aws, which creates the users with `iamUser`, uses account {account}, but this stack is for account"
            f" {' and '.join(sorted(expected))}: nothing was changed. Options: use credentials of that account"
            f" (AWS_PROFILE, or the stack's config `aws:profile`); or select the stack of account {account}"
        )


async def find_rejections(users: Sequence[DesiredUser], version: str) -> dict[str, RejectedResource]:
    """Find users that are new to the stack and cannot be created or imported, by name.

    Raises:
        pulumi.RunError: pulumi-aws cannot list the users.
    """
    if not users:
        return {}
    names = (await invoke(_GET_USERS, version)).get("names", [])
    existing = {name.lower(): name for name in names}  # IAM has no two that differ by case only
    rejections = {}
    for user in users:
        if user.iam_user is not None:
            reason = _find_reason(user.name, existing.get(user.name.lower()), is_imported=user.iam_user.is_imported)
            if reason is not None:
                rejections[user.name] = RejectedResource(user.iam_user.location, f"{user.name}: {reason}")
    return rejections


def _find_reason(user: str, existing: str | None, *, is_imported: bool) -> str | None:
    """Return why a user cannot be created or imported if IAM has the user `existing`."""
    if existing is not None and existing != user:
        return f"IAM has user {existing}, and user names must differ by more than case. Declare the user as {existing}"
    if is_imported and existing is None:
        return f"IAM has no user {user} to import. Remove `import` to create the user"
    if is_imported or existing is None:
        return None
    return f"IAM user {user} already exists. Import the user with `iamUser: {{import: true}}`"
