"""Replacements: planned and rejected before anything is deleted, regardless of their cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.errors import RejectedError
from tests.providers.conftest import new_process
from tests.providers.requests import AGED, BEDROCK, CODECOMMIT, INPUTS, UNMANAGED, create, news, reasons

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

NAME = "jane/codecommit"
SIBLING = "ACCASIBLING0000000000"
DELETES_FIRST = {"deletes_first": True}
OLDER = INPUTS | AGED
NEWER = AGED | {"age_days": 6}
pytestmark = pytest.mark.usefixtures("iam")


def owning(credential_id: str, **context: object) -> dict[str, Any]:
    """Return the inputs with the run context of a resource that has this credential in the state."""
    return news(owned={credential_id: NAME}, on_rejection="defer", **context)


def test_rejected_before_anything_is_deleted(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """If an unmanaged credential has the other slot, no replacement begins, and the update fails with the reason."""
    name, outs = create(provider, **AGED)
    emulator.controls.put_credential(UNMANAGED, "jane", BEDROCK)
    provider = new_process()
    provider.read(name, outs)
    checked = provider.check(OLDER, owning(name) | NEWER)
    (reason,) = checked.inputs["refused"]
    assert UNMANAGED in reason
    assert name not in reason
    difference = provider.diff(name, outs, checked.inputs)
    assert (difference.changes, difference.replaces) == (True, None)
    with pytest.raises(RejectedError) as raised:
        provider.update(name, outs, checked.inputs)
    assert str(raised.value) == reason
    assert set(emulator.controls.passwords()) == {name, UNMANAGED}


def test_rejected_by_a_check_failure(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """In a preview of a program with classes, a rejected replacement is a check failure."""
    name, outs = create(provider, **AGED)
    emulator.controls.put_credential(UNMANAGED, "jane", BEDROCK)
    provider = new_process()
    provider.read(name, outs)
    (reason,) = reasons(provider.check(OLDER, news(owned={name: NAME}) | NEWER))
    assert UNMANAGED in reason


@pytest.mark.parametrize("sibling", [False, True])
def test_slot(provider: ServiceSpecificCredentialProvider, emulator: Emulator, *, sibling: bool) -> None:
    """A replacement is created first if the quota allows it, and otherwise takes the slot of the old credential."""
    name, outs = create(provider, **AGED)
    owned = {name: NAME}
    if sibling:
        emulator.controls.put_credential(SIBLING, "jane", BEDROCK)
        owned[SIBLING] = f"{NAME}/b"
    provider = new_process()
    inputs = news(owned=owned, on_rejection="defer") | NEWER
    checked = provider.check(OLDER, inputs)
    assert "refused" not in checked.inputs
    difference = provider.diff(name, outs, checked.inputs)
    assert (difference.replaces, difference.delete_before_replace) == (["age_days"], sibling)
    if sibling:
        provider.delete(name, outs)
    replacement = provider.create(provider.check({}, inputs).inputs)
    assert set(emulator.controls.passwords()) == {replacement.id, SIBLING if sibling else name}


def test_slot_of_a_retained_credential(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A replacement is rejected if the old credential is retained and a sibling has the other slot."""
    name, _ = create(provider, **AGED)
    emulator.controls.put_credential(SIBLING, "jane", BEDROCK)
    provider = new_process()
    owned = {name: NAME, SIBLING: f"{NAME}/b"}
    context = news(owned=owned, on_rejection="defer", options={"retain": True, **DELETES_FIRST})
    (reason,) = provider.check(OLDER, context | NEWER).inputs["refused"]
    assert f"{name} by {NAME}" in reason
    assert f"{SIBLING} by {NAME}/b" in reason


def test_expired(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """An expired credential is replaced, and the replacement is planned with it."""
    name, outs = create(provider, **AGED)
    emulator.controls.set(clock_shift=6 * 86_400)
    provider = new_process()
    outs = dict(provider.read(name, outs).outs or {})
    checked = provider.check(OLDER, owning(name) | AGED)
    assert provider.diff(name, outs, checked.inputs).replaces == ["status"]
    emulator.controls.put_credential(UNMANAGED, "jane", BEDROCK)
    provider = new_process()
    provider.read(name, outs)
    (reason,) = provider.check(OLDER, owning(name) | AGED).inputs["refused"]
    assert UNMANAGED in reason


def test_expiry_is_recorded(provider: ServiceSpecificCredentialProvider) -> None:
    """The expiration date is an output, and an expired credential is replaced."""
    name, outs = create(provider, service="bedrock", age_days=30)
    assert outs["expiration_date"][:10] > outs["create_date"][:10]
    inputs = {"user": "jane", "service": BEDROCK, "age_days": 30}
    assert not provider.diff(name, outs, inputs).changes
    assert provider.diff(name, outs | {"status": "Expired"}, inputs).replaces == ["status"]


def test_requested(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A replacement that a user requests is created next to the old credential."""
    name, outs = create(provider)
    provider = new_process()
    assert provider.check(INPUTS, owning(name)).failures == []
    assert not provider.diff(name, outs, INPUTS).changes
    checked = provider.check({}, owning(name))
    assert "refused" not in checked.inputs
    replacement = provider.create(checked.inputs)
    assert set(emulator.controls.passwords()) == {name, replacement.id}


@pytest.mark.parametrize("has_diff", [True, False])
def test_requested_and_rejected(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, *, has_diff: bool
) -> None:
    """The deletion of a credential fails with the reason if its requested replacement is rejected."""
    name, outs = create(provider)
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    provider = new_process()
    inputs = owning(name, options=DELETES_FIRST) | {"declared": 2}
    if has_diff:  # after taint there is none
        assert provider.check(INPUTS, inputs).failures == []
        assert not provider.diff(name, outs, INPUTS).changes
    (reason,) = provider.check({}, inputs).inputs["refused"]
    assert UNMANAGED in reason
    with pytest.raises(RejectedError) as raised:
        provider.delete(name, outs)
    assert str(raised.value) == reason
    assert set(emulator.controls.passwords()) == {name, UNMANAGED}


def test_requested_and_retained(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A rejected replacement of a retained credential ends the run: the engine drops it without a call to delete."""
    name, _ = create(provider)
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    provider = new_process()
    inputs = owning(name, options={"retain": True, **DELETES_FIRST}) | {"declared": 2}
    assert provider.check(INPUTS, inputs).failures == []
    (reason,) = reasons(provider.check({}, inputs))
    assert UNMANAGED in reason


@pytest.mark.parametrize("options", [DELETES_FIRST, {}], ids=["deletes first", "creates first"])
def test_requested_slot(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, options: dict[str, bool]
) -> None:
    """If there are two credentials, one is replaced in its own slot only if the engine deletes first."""
    created = {name: create(provider, run=news(resource=name)["run"], declared=2) for name in "ab"}
    owned = {credential_id: name for name, (credential_id, _) in created.items()}
    (first, outs), (second, _) = created.values()
    provider = new_process()
    inputs = news(resource="a", owned=owned, options=options, on_rejection="defer") | {"declared": 2}
    assert provider.check(INPUTS, inputs).failures == []
    checked = provider.check({}, inputs)
    if not options:
        (reason,) = checked.inputs["refused"]
        assert f"{first} by a" in reason
        assert f"{second} by b" in reason
        return
    provider.delete(first, outs)
    replacement = provider.create(checked.inputs)
    assert set(emulator.controls.passwords()) == {replacement.id, second}


def test_sibling_of_a_renamed_user_keeps_its_slot(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """If IAM renamed the user of a credential, the replacement does not free its slot for others."""
    name, outs = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    provider = new_process()
    outs = dict(provider.read(name, outs).outs or {})
    assert provider.diff(name, outs, INPUTS).replaces == ["user"]
    joan = {"user": "joan", "declared": 2}
    assert provider.check({}, news(resource="b") | joan).failures == []
    (reason,) = reasons(provider.check({}, news(resource="c") | joan))
    assert "quota exceeded" in reason


def test_different_user_or_service(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """A replacement for a different user or service is created first, even if both of the old slots are used."""
    iam.create_user(UserName="bob")
    name, outs = create(provider)
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    provider = new_process()
    for change in ({"user": "bob"}, {"service": "logs.amazonaws.com"}):
        difference = provider.diff(name, outs, INPUTS | change)
        assert (difference.replaces, difference.delete_before_replace) == (list(change), False)
        inputs = owning(name) | change
        assert "refused" not in provider.check(INPUTS, inputs).inputs


def test_requested_for_an_imported_credential(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """The rejection of a requested replacement names the unmanaged credential, even if `adopt` is still declared."""
    emulator.controls.put_credential(SIBLING, "jane", CODECOMMIT)
    inputs = {"adopt": SIBLING}
    name, outs = create(provider, **inputs)
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    provider = new_process()
    provider.read(name, outs)
    context = owning(name, group={NAME: inputs}) | inputs
    provider.check(INPUTS | inputs, context)
    (reason,) = provider.check({}, context).inputs["refused"]
    assert UNMANAGED in reason
    assert "transformation" not in reason
