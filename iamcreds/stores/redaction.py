"""Errors of calls whose request contains a secret."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from iamcreds.errors import AccountError

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAKED = 8
"""The number of characters of a secret that may not be in an error."""


@contextlib.contextmanager
def hiding(value: str, doing: str) -> Iterator[None]:
    """Remove the message of AWS from an error that quotes a part of the password in a value.

    AWS does not quote values that its models call sensitive, but the endpoint may be a different server.

    Args:
        value: the delivered value.
        doing: the beginning of the error.

    Raises:
        AccountError: or a subclass, as the call raises it.
    """
    try:
        yield
    except AccountError as error:
        if _quotes(f"{error} {error.__cause__}", _find_password(value)):
            # A new error would have this one as its context.
            error.args = (f"{doing}: the response quotes the secret, and is not shown",)
            error.__cause__ = error.__context__ = None
        raise


def _find_password(value: str) -> str:
    """Return the password of a delivered value; the whole value if it is not one."""
    try:
        return str(json.loads(value)["password"])
    except (ValueError, LookupError, TypeError):
        return value


def _quotes(text: str, password: str) -> bool:
    parts = (password[start : start + LEAKED] for start in range(max(1, len(password) - LEAKED + 1)))
    return any(part in text for part in parts)
