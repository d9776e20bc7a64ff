"""The detection of renamed users: after a rename, credentials keep the login with the former name; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.model import Credential, Inventory


def find_new_names(inventory: Inventory) -> Mapping[str, str]:
    """Return the current names of renamed users by their former names, as far as logins show them.

    A former name in the logins of several users is omitted, because any of them may have had it.
    """
    users_by_name: dict[str, set[str]] = defaultdict(set)
    for credential in inventory.credentials:
        names = _names_in_login(credential, inventory.account)
        if credential.user not in names:
            for name in names:
                users_by_name[name].add(credential.user)
    return {former: min(users) for former, users in users_by_name.items() if len(users) == 1}


def _names_in_login(credential: Credential, account: str) -> set[str]:
    """Return the user names that a login may contain: `jane+1-at-123456789012` is jane's second or `jane+1`'s first.

    Recorded responses of AWS in a different public project show this format.
    """
    name, at, _ = credential.login.rpartition(f"-at-{account}")
    return {name, re.sub(r"\+\d+$", "", name)} if at else set()
