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
        pulumi.log.warn(
            escape_invisible(
                f"config `{KEY}` has a password of {name}, which the specs do not adopt: it is not used; take it out"
                f" (pulumi config rm --path {_path(name)})"
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
    """Return the config's value, which must be passwords by name; an error names the resources and no password.

    Raises:
        pulumi.RunError: it is not an object, or some values are empty or not texts.
    """
    if not isinstance(passwords, dict):
        raise pulumi.RunError(
            f"config `{KEY}` must be texts by resource name. Run pulumi config set --secret --path"
            f" {_path('jane/codecommit')} (which asks for the password)"
        )
    wrong = sorted(name for name, password in passwords.items() if not (isinstance(password, str) and password))
    if wrong:
        reasons = (f"{name} is {'empty' if passwords[name] == '' else 'not a text'}" for name in wrong)
        raise pulumi.RunError(
            escape_invisible(
                f"config `{KEY}`: the password of {', that of '.join(reasons)}. Run pulumi config set --secret --path"
                f" {_path(wrong[0])}, which asks for the password, or pulumi config rm --path {_path(wrong[0])}"
            )
        )
    return passwords


def _path(name: str) -> str:
    """Return the path of a resource's password in the config, as one word of a shell."""
    return shlex.quote(f'{KEY}["{name}"]')
