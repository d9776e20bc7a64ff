"""Passwords that are known of credentials to be adopted: the stack's config `passwords`, a secret, by resource name."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pulumi

from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.model import Desired

KEY = "passwords"
"""The config key: an object of passwords or API keys by resource name; read at the create of what is adopted alone."""


async def read_passwords(desired: Desired) -> Mapping[str, str]:
    """The passwords of credentials that the specs adopt, by resource name; of any other one it is told in a warning.

    Raises:
        pulumi.RunError: it is no object of texts.
    """
    passwords = _check(await _read())
    adopting = {wanted.resource_name for user in desired.users for wanted in user.credentials if wanted.adopt}
    for name in sorted(passwords.keys() - adopting):
        entry = shlex.quote(f'{KEY}["{name}"]')
        pulumi.log.warn(
            escape_invisible(
                f"config `{KEY}` has a password of {name}, which the specs do not adopt: it is not used; take it out"
                f" (pulumi config rm --path {entry})"
            )
        )
    return {name: password for name, password in passwords.items() if name in adopting}


async def _read() -> Any:  # noqa: ANN401 - any JSON
    try:
        found = pulumi.Config().get_secret_object(KEY)
    except pulumi.ConfigTypeError:
        return ""
    return {} if found is None else await found.future()


def _check(passwords: Any) -> Mapping[str, str]:  # noqa: ANN401 - any JSON
    """What was read, which must be passwords by name; none of them is told."""
    if isinstance(passwords, dict) and all(isinstance(password, str) and password for password in passwords.values()):
        return passwords
    raise pulumi.RunError(
        f"config `{KEY}` must be texts by resource name:"
        f" pulumi config set --secret --path '{KEY}[\"jane/codecommit\"]' (which asks for the password)"
    )
