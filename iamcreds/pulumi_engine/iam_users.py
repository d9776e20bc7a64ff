"""The IAM users that specs have made: what is asked of pulumi-aws before the engine is asked to make any.

pulumi-aws has a client of its own, with credentials and configuration of its own (the stack's `aws:` keys). So it is
pulumi-aws that is asked whose account that is and who is there: by functions of its plugin, which write nothing down.
Their names and results are those of its documentation. The package itself is never imported, for that takes long: only
its version is needed, by which the engine finds the plugin.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pulumi

from iamcreds.pulumi_engine.monitor import invoke
from iamcreds.text.commands import install_extra

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from iamcreds.model import DesiredUser, Place
    from iamcreds.pulumi_engine.stack_state import RecordedState

_GET_CALLER = "aws:index/getCallerIdentity:getCallerIdentity"
_GET_USERS = "aws:iam/getUsers:getUsers"
_NOT_INSTALLED = f"`iamUser` needs pulumi-aws, which is not installed: {install_extra('aws')}"
_ORPHAN = (
    "`iamUser` was taken out, and Pulumi would delete the IAM user, who is still declared. Put it back; or, to leave"
    " the user to somebody else, add `retainOnDelete: true` to it, run `pulumi up`, and then write `iamUser: false`"
)


def find_orphans(users: Iterable[DesiredUser], state: RecordedState | None) -> list[tuple[Place, str]]:
    """Why users whom the stack has made cannot be let go of: they are still declared. Each with its place.

    The engine would detach their policies and then try to delete them, which IAM refuses as long as they have anything.
    """
    made = frozenset[str]() if state is None else state.iam_users
    return [
        (user.place, f"{user.name}: {_ORPHAN}")
        for user in users
        if user.name in made and user.iam_user is None and not user.releases_iam_user
    ]


def find_plugin_version(place: Place) -> str:
    """The version of pulumi-aws that is installed, which is that of its plugin; `place` is where a spec needs it.

    Raises:
        pulumi.RunError: none is.
    """
    try:
        return metadata.version("pulumi-aws")
    except metadata.PackageNotFoundError:
        raise pulumi.RunError(f"{place}: {_NOT_INSTALLED}") from None


async def require_account(expected: Collection[str], version: str) -> None:
    """See to it that pulumi-aws works on the account that the specs are for and that the state is of, 12 digits each.

    Raises:
        pulumi.RunError: it works on another, or cannot be asked.
    """
    if not expected:
        return
    account = (await invoke(_GET_CALLER, version)).get("accountId")
    if {account} != set(expected):
        raise pulumi.RunError(
            f"pulumi-aws, which makes the users that have `iamUser`, works on account {account}, and this stack is for"
            f" account {' and '.join(sorted(expected))}: nothing was changed. Give it credentials of that account"
            " (AWS_PROFILE, or the stack's config `aws:profile`), or select the stack of the other"
        )


async def find_refusals(users: Sequence[DesiredUser], version: str) -> dict[str, tuple[Place, str]]:
    """Why these users, whom the stack does not have yet, could not be made or imported, and the place, by name.

    Raises:
        pulumi.RunError: pulumi-aws cannot be asked who is there.
    """
    if not users:
        return {}
    names = (await invoke(_GET_USERS, version)).get("names", [])
    there = {name.lower(): name for name in names}  # IAM has no two that differ by case only
    return dict(_refuse(users, there))


def _refuse(users: Sequence[DesiredUser], there: Mapping[str, str]) -> Iterator[tuple[str, tuple[Place, str]]]:
    for user in users:
        assert user.iam_user is not None  # noqa: S101 - those alone are asked about
        reason = _find_reason(user.name, there.get(user.name.lower()), is_imported=user.iam_user.is_imported)
        if reason is not None:
            yield user.name, (user.iam_user.place, f"{user.name}: {reason}")


def _find_reason(user: str, found: str | None, *, is_imported: bool) -> str | None:
    """Why a user cannot be made or imported where IAM has the user `found`."""
    if is_imported and found != user:
        return f"IAM has no user {user} to import: take `import` out, and the user is created"
    if is_imported or found is None:
        return None
    if found == user:
        return f"IAM has user {user} already: `iamUser: {{import: true}}` takes the user over"
    return f"IAM has user {found}, and allows no other whose name differs by case only"
