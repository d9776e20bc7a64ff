"""Users whom IAM seems to have renamed: a credential keeps the login that was made of its user's name; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.model import Credential, Inventory


def find_new_names(inventory: Inventory) -> Mapping[str, str]:
    """The present names of renamed users, by their names before, as far as logins tell.

    A former name that several users have in their logins is left out, for nobody can tell which of them it is.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for credential in inventory.credentials:
        names = _names_in_login(credential, inventory.account)
        if credential.user not in names:
            for name in names:
                found[name].add(credential.user)
    return {former: min(users) for former, users in found.items() if len(users) == 1}


def _names_in_login(credential: Credential, account: str) -> set[str]:
    """The user names that a login may be made of: `jane+1-at-123456789012` is jane's second, or the first of `jane+1`.

    (AWS's answers, recorded by another public project.)
    """
    name, at, _ = credential.login.rpartition(f"-at-{account}")
    return {name, re.sub(r"\+\d+$", "", name)} if at else set()
