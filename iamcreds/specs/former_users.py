"""Rules for `was` of a user, the former name of an IAM user: within a user, and between users and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.model import Problem
from iamcreds.specs.nodes import Block, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.specs.nodes import Plain, Tree
    from iamcreds.specs.reading import Setting, Spec


def check_user(tree: Tree, user: str, fields: Plain) -> Iterator[Problem]:
    """Reject `was` next to `iamUser`, because the resource has the user's name and would be a different one."""
    if isinstance(fields, Block) and {"was", "iamUser"} <= fields.keys():
        message = (
            '"was" is not supported together with "iamUser", which creates a user of the new name: remove one of them'
        )
        yield Problem(tree.key_location(["users", user, "was"]), message, "was-with-iam-user")


def check_former_users(specs: Sequence[Spec]) -> Iterator[Problem]:
    """Reject a former name that is the user's own, that of a declared user, or the former name of two users.

    IAM's user names are unique regardless of case (IAM reference), but a rename may change the case only.
    """
    declared = {user.desired.name.lower(): user.desired for spec in specs for user in spec.users}
    first: dict[str, Setting[str]] = {}
    for name, was in ((name, was) for spec in specs for name, was in spec.former_users.items()):
        other, before = declared.get(was.value.lower()), first.setdefault(was.value.lower(), was)
        if was.value == name:
            message = f'{quoted(name)} is this user\'s current name: remove "was", or correct one of the names'
        elif other is not None and other.name.lower() != name.lower():
            message = (
                f"{quoted(was.value)} is declared as a user at {other.location}:"
                ' remove this "was" if an `up` has applied it already, or remove that user'
            )
        elif before is not was:
            message = f'the user with the "was" at {before.location} has the same former name: remove one of them'
        else:
            continue
        yield Problem(was.location, message, "wrong-was")
