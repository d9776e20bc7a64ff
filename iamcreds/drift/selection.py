"""The filters of a comparison; pure."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iamcreds.errors import NothingSelectedError
from iamcreds.services import service_alias
from iamcreds.text.names import find_case_variant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iamcreds.desired import Desired, DesiredUser
    from iamcreds.model import Inventory


@dataclass(frozen=True)
class Selection:
    """The selected users (names) and services (full names); an empty set selects all.

    `has_undeclared` is True if undeclared users are selected, too.
    """

    users: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    has_undeclared: bool = True

    def has_user(self, name: str) -> bool:
        """Return True if the user is selected."""
        return not self.users or name in self.users

    def has(self, user: str, service: str) -> bool:
        """Return True if the user's credentials for the service are selected."""
        return self.has_user(user) and self._has_service(service)

    def narrow(self, desired: Desired) -> Desired:
        """Return the selected part of the specs.

        If services are selected, the users have no access key policies, because access keys belong to no service.
        """
        users = (self._narrow_user(user) for user in desired.users if self.has_user(user.name))
        return replace(desired, users=tuple(users))

    def require_known(self, desired: Desired, inventory: Inventory) -> None:
        """Require that every selected user and service is declared or exists.

        Raises:
            NothingSelectedError: a user or service is neither declared nor exists.
        """
        users = {user.name for user in desired.users} | {user.name for user in inventory.users}
        services = {credential.service for user in desired.users for credential in user.credentials}
        services |= {credential.service for credential in inventory.credentials}
        unknown = [f"user {name}{_suggest(name, users)}" for name in sorted(self.users - users)]
        aliases = {service_alias(name) for name in services}
        missing = sorted(service_alias(name) for name in self.services - services)
        unknown += [f"service {name}{_suggest(name, aliases)}" for name in missing]
        if unknown:
            raise NothingSelectedError(
                f"neither the specs nor the account have {' or '.join(unknown)}."
                " Run `iamcreds list credentials --all-users` to list existing credentials"
            )

    def _has_service(self, service: str) -> bool:
        return not self.services or service in self.services

    def _narrow_user(self, user: DesiredUser) -> DesiredUser:
        if not self.services:
            return user
        credentials = tuple(credential for credential in user.credentials if self._has_service(credential.service))
        return replace(user, credentials=credentials, access_keys=None)


def _suggest(name: str, candidates: Iterable[str]) -> str:
    """Return the most similar names, in parentheses."""
    names = sorted(candidates)
    variant = find_case_variant(name, names)
    near = difflib.get_close_matches(name, names) if variant is None else [variant]
    return f" (did you mean {' or '.join(near)}?)" if near else ""


EVERYTHING = Selection()
"""No filters."""
