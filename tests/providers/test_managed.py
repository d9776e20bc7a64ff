"""Managed and unmanaged credentials: the owners that a process knows, even in a narrowed run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.providers.conftest import new_process
from tests.providers.requests import CODECOMMIT, INPUTS, UNMANAGED, create, news, put_old, reasons

if TYPE_CHECKING:
    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

pytestmark = pytest.mark.usefixtures("iam")


@pytest.mark.parametrize("inputs", [{}, {"existing": "adopt"}])
def test_without_the_state(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, inputs: dict[str, str]
) -> None:
    """If the program does not send the state's credentials, none is called unmanaged or adopted."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    (reason,) = reasons(provider.check({}, INPUTS | inputs))
    assert "Run with --refresh, without --target" in reason
    assert "delete" not in reason


def test_read_or_compared(provider: ServiceSpecificCredentialProvider) -> None:
    """A credential that the engine read or compared is managed, even without a run context."""
    name, outs = create(provider)
    assert reasons(new_process().check({}, INPUTS))
    provider = new_process()
    provider.read(name, outs)
    assert provider.check({}, INPUTS).failures == []
    provider = new_process()
    provider.diff(name, outs, INPUTS)
    assert provider.check({}, INPUTS).failures == []


def test_left_by_a_replacement(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A credential that a replacement left is managed if the engine read it, and otherwise uncertain."""
    name, outs = create(provider)
    put_old(emulator, "jane", UNMANAGED)
    spare = news(resource="jane/codecommit/spare", owned={name: "jane/codecommit"}) | {"declared": 2}
    for existing in ("fail", "adopt"):
        (reason,) = reasons(new_process().check({}, spare | {"existing": existing}))
        assert f"{UNMANAGED} (Active" in reason
        assert "this run read only a part of the state, so the stack may manage" in reason
    provider = new_process()
    provider.read(name, outs)
    provider.read(UNMANAGED, outs | {"credential_id": UNMANAGED})
    (reason,) = reasons(provider.check({}, spare))
    assert f"({UNMANAGED} by this stack and {name} by jane/codecommit)" in reason, "oldest first"
    assert "remove this resource, run `up`, which deletes replaced and removed credentials" in reason


def test_left_by_a_resource_of_a_different_user(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator
) -> None:
    """In a narrowed run, a credential is uncertain if a younger one of any user is in the state."""
    put_old(emulator, "jane", UNMANAGED)
    name, outs = create(provider, run={"resource": "x", "owned": {UNMANAGED: "old"}})
    context = {"recorded": 1, "newest": outs["create_date"], "owned": {}}
    emulator.controls.set(clock_shift=120)
    provider.account.credentials.delete("jane", name)
    (reason,) = reasons(new_process().check({}, news(**context)))
    assert "this run read only a part of the state, so the stack may manage" in reason
    provider = new_process()
    provider.read(name, outs)
    (reason,) = reasons(provider.check({}, news(**context)))
    assert "unmanaged credential" in reason


@pytest.mark.parametrize("is_narrowed", [True, False])
def test_requested_resource_takes_free_quota(provider: ServiceSpecificCredentialProvider, *, is_narrowed: bool) -> None:
    """In a narrowed run, a sibling that was not requested takes no free quota."""
    name, outs = create(provider)
    provider = new_process()
    if not is_narrowed:
        provider.read(name, outs)
    group = {"b": {"declared": 2}, "c": {"declared": 2}}
    context = {"owned": {name: "old"}, "recorded": 1, "group": group, "on_rejection": "collect"}
    checked = provider.check({}, news(resource="c", **context) | {"declared": 2})
    assert ("refused" in checked.inputs) is not is_narrowed
