"""The passwords in use: each must work at every moment of a run, with the same login."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from iamcreds.emulator.account import CREDENTIALS, SWITCHES
from iamcreds.emulator.models import Credentials
from iamcreds.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CHANGES = ("switch", "reset", "delete", "rename_user")
"""The methods of the emulated account that can end a password."""


class Password(NamedTuple):
    """A valid login and password."""

    login: str
    password: str


def list_working() -> dict[str, Password]:
    """Return the passwords of the credentials that work now in the emulator of this process, by id."""
    now, secrets = SWITCHES.now(), CREDENTIALS.secrets()
    working = (each for each in CREDENTIALS.select() if each.status(now) is Status.ACTIVE)
    return {each.id: Password(each.login, secrets[each.id]) for each in working}


def select_in_use(
    working: Mapping[str, Password], state: Sequence[Mapping[str, Any]], *, retires: bool
) -> dict[str, Password]:
    """Select the passwords in use: of the current credential, and of the previous one until its overlap ends.

    Args:
        working: the passwords that work.
        state: the credentials in the state; the current one has the greatest `rotation`.
        retires: True if the overlap has ended.
    """
    current = max(state, key=lambda found: found["outputs"].get("rotation") or 0, default=None)
    ids = {current["id"]} if retires and current is not None else working.keys()
    return {each: password for each, password in working.items() if each in ids}


@contextmanager
def watch(in_use: Mapping[str, Password]) -> Iterator[list[str]]:
    """Check after each change of the account that the passwords in use work, and list the problems."""
    problems: list[str] = []
    with ExitStack() as stack:
        for name in CHANGES:
            stack.enter_context(mock.patch.object(Credentials, name, _watched(name, in_use, problems)))
        yield problems


def _watched(name: str, in_use: Mapping[str, Password], problems: list[str]) -> Callable[..., Any]:
    change: Callable[..., Any] = getattr(Credentials, name)

    def watched(credentials: Credentials, *arguments: Any) -> Any:  # noqa: ANN401 - those of the method
        result = change(credentials, *arguments)
        problems.extend(each for each in find_broken(in_use, list_working()) if each not in problems)
        return result

    return watched


def find_broken(before: Mapping[str, Password], after: Mapping[str, Password]) -> Iterator[str]:
    """Yield the ids of credentials that worked before, and do not work or have a different login or password."""
    yield from (f"{credential_id} no longer works" for credential_id in before if credential_id not in after)
    changed = [each for each in sorted(before.keys() & after.keys()) if before[each] != after[each]]
    for each in changed:
        what = "login" if before[each].login != after[each].login else "password"
        yield f"the {what} of {each} is changed"
