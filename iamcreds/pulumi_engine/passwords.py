"""Known passwords of credentials to import: the stack's config `passwords`, a secret, by resource name."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pulumi

from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.desired import Desired

KEY = "passwords"
"""The config key: an object of passwords or API keys by resource name. Only the create of an import reads it."""


async def read_passwords(desired: Desired) -> Mapping[str, str]:
    """Return the passwords of credentials that the specs import, by resource name, and warn about any other one.

    Raises:
        pulumi.RunError: the value is not an object of strings.
    """
    passwords = _check(await _read())
    imported = {each.resource_name for user in desired.users for each in user.credentials if each.adopt}
    for name in sorted(passwords.keys() - imported):
        pulumi.log.warn(
            escape_invisible(
                f"config `{KEY}`: the password of {name} is not used, because the specs do not import this credential."
                f" Run pulumi config rm --path {_path(name)}"
            )
        )
    return {name: password for name, password in passwords.items() if name in imported}


async def _read() -> Any:  # noqa: ANN401 - any JSON
    try:
        passwords = pulumi.Config().get_secret_object(KEY)
    except pulumi.ConfigTypeError:
        return ""
    return {} if passwords is None else await passwords.future()


def _check(passwords: Any) -> Mapping[str, str]:  # noqa: ANN401 - any JSON
    """Return the config's value, which must be passwords by name; an error names the resources and no password.

    Raises:
        pulumi.RunError: it is not an object, or some values are empty or not strings.
    """
    if not isinstance(passwords, dict):
        raise pulumi.RunError(
            f"config `{KEY}`: the value must be an object that maps resource names to passwords. Run pulumi config set"
            f" --secret --path {_path('jane/codecommit')}, which prompts for the password"
        )
    wrong = sorted(name for name, password in passwords.items() if not (isinstance(password, str) and password))
    if wrong:
        reasons = (f"{name} is {'empty' if passwords[name] == '' else 'not text'}" for name in wrong)
        raise pulumi.RunError(
            escape_invisible(
                f"config `{KEY}`: the password of {', that of '.join(reasons)}. Run pulumi config set --secret --path"
                f" {_path(wrong[0])}, which prompts for the password, or pulumi config rm --path {_path(wrong[0])}"
            )
        )
    return passwords


def _path(name: str) -> str:
    """Return the path of a resource's password in the config, as one word of a shell."""
    return shlex.quote(f'{KEY}["{name}"]')
