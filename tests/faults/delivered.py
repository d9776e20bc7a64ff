"""The secrets in the stores: each must be a working password at every moment of a rotation, and in the end."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from iamcreds.emulator.models import Credentials
from iamcreds.emulator.stores import copies
from iamcreds.emulator.stores.records import Records
from tests.faults.passwords import CHANGES, Password, list_working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.faults.scenarios import Scenario

REGION = "us-east-1"


def read_delivered(name: str) -> tuple[str, Password] | None:
    """Return the id and the password that a secret of the emulator of this process hands out, None without one."""
    values = copies.read_values()
    value = next((stored[REGION][name] for stored in values.values() if name in stored.get(REGION, {})), None)
    if value is None:
        return None
    content = json.loads(value)
    return content["credentialId"], Password(content["username"], content["password"])


def find_useless(name: str) -> Iterator[str]:
    """Yield a problem if a secret does not hand out a working password."""
    delivered = read_delivered(name)
    if delivered is None:
        yield f"the store does not have {name}"
    elif list_working().get(delivered[0]) != delivered[1]:
        yield f"{name} hands out a password of {delivered[0]} that does not work"


@contextmanager
def watch_store(name: str | None) -> Iterator[list[str]]:
    """Check after each change of the account and its stores that a secret is a working password; list the problems.

    Without a name, nothing is checked.
    """
    problems: list[str] = []
    with ExitStack() as stack:
        for owner, method in [*((Credentials, change) for change in CHANGES), (Records, "put")] if name else ():
            watched = _watched(getattr(owner, method), name or "", problems)
            stack.enter_context(mock.patch.object(owner, method, watched))
        yield problems


def _watched(change: Callable[..., Any], name: str, problems: list[str]) -> Callable[..., Any]:
    def watched(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - those of the method
        result = change(*arguments, **named)
        problems.extend(each for each in find_useless(name) if each not in problems)
        return result

    return watched


def find_store_problems(scenario: Scenario, state: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the differences between a scenario's secret and the current credential in the state.

    Args:
        scenario: the scenario.
        state: the credentials in the state; the current one has the greatest `rotation`.
    """
    if scenario.secret is None:
        return
    current = max(state, key=lambda found: found["outputs"].get("rotation") or 0, default=None)
    if current is None:
        if not is_deleted(scenario.secret):
            yield f"{scenario.secret} is not deleted"
        return
    yield from find_useless(scenario.secret)
    delivered = read_delivered(scenario.secret)
    if delivered is not None and delivered[0] != current["id"]:
        yield f"{scenario.secret} is the password of {delivered[0]}, and the current credential is {current['id']}"


def is_deleted(name: str) -> bool:
    """Return True if the store does not have a secret, or deletes it after its recovery window."""
    stored = [each for kind in copies.copy().values() for each in kind if each["name"] == name]
    return all(each.get("deleted") is not None for each in stored)
