"""Credentials that the list of all users lacks: found by IAM's response to Create, and adopted or reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.errors import LimitExceededError, RejectedError
from iamcreds.planning.group import Member
from iamcreds.pulumi_engine.run_context import RunContext
from tests.providers.conftest import new_process
from tests.providers.requests import CODECOMMIT, CREATE, INPUTS, LIST, UNMANAGED, create, news, put_old, reasons

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

DELETE = "iam:DeleteServiceSpecificCredential"
ADOPTING = {"existing": "adopt"}
pytestmark = pytest.mark.usefixtures("iam")


@pytest.fixture
def hidden(emulator: Emulator) -> str:
    """Return the id of an unmanaged credential of jane that the list of all users lacks."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    emulator.controls.set(hidden_users=["jane"], clock_shift=120)
    return UNMANAGED


def test_endpoint_without_all_users(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """An unmanaged credential blocks the create even if the endpoint cannot list all users at once."""
    put_old(emulator, "jane", UNMANAGED)
    emulator.controls.set(all_users=False)
    (reason,) = reasons(provider.check({}, news()))
    assert UNMANAGED in reason


def test_managed_one_is_lacking(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """If the list of all users lacks a managed credential, every user is listed, and unmanaged ones block."""
    name, outs = create(provider, service="bedrock")
    iam.create_user(UserName="bob")
    put_old(emulator, "bob", UNMANAGED)
    emulator.controls.set(hidden_users=["bob", "jane"], clock_shift=120)
    provider = new_process()
    assert provider.read(name, outs).id == name
    (reason,) = reasons(provider.check({}, news() | {"user": "bob"}))
    assert UNMANAGED in reason


@pytest.mark.parametrize("number", [1, 2])
def test_blocked(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient, number: int) -> None:
    """The created credential is deleted, the error names the unmanaged ones, and each user is listed from then on."""
    iam.create_user(UserName="bob")
    for user in ("jane", "bob"):
        for _ in range(number):
            iam.create_service_specific_credential(UserName=user, ServiceName=CODECOMMIT)
    unmanaged = set(emulator.controls.passwords())
    emulator.controls.set(hidden_users=["bob", "jane"], clock_shift=120)
    checked = provider.check({}, news() | {"declared": 2})
    assert checked.failures == []
    with pytest.raises(RejectedError, match="unmanaged credential") as raised:
        provider.create(checked.inputs)
    assert set(emulator.controls.passwords()) == unmanaged
    assert sum(name in str(raised.value) for name in unmanaged) == number
    assert ("was deleted again" in str(raised.value)) is (number == 1)
    for others in (news(resource="jane/codecommit/b") | {"declared": 2}, news() | {"user": "bob"}):
        assert "unmanaged credential" in reasons(provider.check({}, others))[0]


def test_adopt(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, hidden: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `existing: adopt` it is adopted with a warning, and the created credential is deleted again.

    The next run has nothing to do.
    """
    inputs = ADOPTING | {"status": "Inactive"}
    name, outs = create(provider, **inputs)
    assert emulator.controls.passwords() == {hidden: outs["service_password"]}
    assert (name, outs["status"]) == (hidden, "Inactive")
    assert f"credential {hidden} of user jane is adopted, as `existing: adopt` declares" in capsys.readouterr().err
    provider = new_process()
    assert provider.read(name, outs).id == name
    checked = provider.check(INPUTS | inputs, news(owned={name: "jane/codecommit"}) | inputs)
    assert not provider.diff(name, outs, checked.inputs).changes


def test_adopt_two(provider: ServiceSpecificCredentialProvider, emulator: Emulator, hidden: str) -> None:
    """If the quota is used, the first one is adopted, and the next preview shows the other one."""
    emulator.controls.put_credential("ACCAOTHER000000000000", "jane", CODECOMMIT)
    unmanaged = {hidden, "ACCAOTHER000000000000"}
    inputs = ADOPTING | {"declared": 2}
    checked = {name: provider.check({}, news(resource=name) | inputs).inputs for name in "ab"}
    first = provider.create(checked["a"])
    with pytest.raises(RejectedError, match="appeared after the preview\\. Run again to adopt it"):
        provider.create(checked["b"])
    provider = new_process()
    provider.read(first.id, first.outs or {})
    shown = provider.check({}, news(resource="b", owned={first.id: "a"}) | inputs).inputs
    assert {first.id, shown["adopts"]} == unmanaged
    assert {first.id, provider.create(shown).id} == unmanaged == set(emulator.controls.passwords())


def test_two_for_one(provider: ServiceSpecificCredentialProvider, emulator: Emulator, hidden: str) -> None:
    """If a second list shows two unmanaged credentials for one declared, neither is adopted; the reason names both."""
    emulator.controls.put_credential("ACCAOTHER000000000000", "jane", CODECOMMIT)
    checked = provider.check({}, news() | ADOPTING)
    with pytest.raises(RejectedError) as raised:
        provider.create(checked.inputs)
    assert "cannot adopt a codecommit credential for user jane" in str(raised.value)
    assert str(raised.value).endswith("or `adopt: ACCAOTHER000000000000`")
    assert hidden in str(raised.value)


def test_young_one_is_not_adopted(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """A credential that the list may lack only because it is young is not adopted."""
    checked = provider.check({}, news() | ADOPTING)
    iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)
    before = emulator.controls.passwords()
    with pytest.raises(RejectedError, match="was deleted again"):
        provider.create(checked.inputs)
    assert emulator.controls.passwords() == before


def test_sibling_adopts(provider: ServiceSpecificCredentialProvider, emulator: Emulator, hidden: str) -> None:
    """A new credential stays next to one that its sibling is going to adopt."""
    inputs: dict[str, dict[str, Any]] = {"a": ADOPTING | {"declared": 2}, "b": {"declared": 2}}
    new = provider.create(provider.check({}, news(resource="b", group=inputs) | inputs["b"]).inputs)
    adopting = provider.check({}, news(resource="a", group=inputs) | inputs["a"])
    assert provider.create(adopting.inputs).id == hidden
    assert set(emulator.controls.passwords()) == {hidden, new.id}


def test_quota_next_to_a_sibling_that_adopts(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, hidden: str
) -> None:
    """If a create exceeds the quota despite the lists, the error does not name the credential that a sibling adopts."""
    emulator.controls.fail(CREATE, status=409, code="LimitExceeded", message="Cannot exceed quota")
    inputs: dict[str, dict[str, Any]] = {"a": ADOPTING | {"declared": 2}, "b": {"declared": 2}}
    checked = provider.check({}, news(resource="b", group=inputs) | inputs["b"])
    with pytest.raises(LimitExceededError) as raised:
        provider.create(checked.inputs)
    assert hidden not in str(raised.value)


def test_replacement_of_one_that_lists_lack(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A requested replacement is rejected if only a second list shows its old credential and an unmanaged one."""
    name, _ = create(provider)
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    emulator.controls.set(hidden_users=["jane"], clock_shift=120)
    emulator.controls.fail(CREATE, status=409, code="LimitExceeded", message="Cannot exceed quota")
    provider = new_process()
    inputs = news() | {"declared": 2}
    checked = provider.check({}, inputs)
    context = RunContext(resource="jane/codecommit", owned={name: "jane/codecommit"})
    provider.session.note_request("jane", CODECOMMIT, context, {"jane/codecommit": Member(declared=2)})
    with pytest.raises(RejectedError, match=UNMANAGED):
        provider.create(checked.inputs)


def test_failed_deletion(provider: ServiceSpecificCredentialProvider, emulator: Emulator, hidden: str) -> None:
    """If the created credential cannot be deleted again, none is adopted, and the error has its id."""
    emulator.controls.fail(DELETE, status=403, code="AccessDenied", message="no")
    before = emulator.controls.passwords()[hidden]
    with pytest.raises(RejectedError, match=r"could not be deleted .* manually"):
        provider.create(provider.check({}, news() | ADOPTING).inputs)
    assert emulator.controls.passwords()[hidden] == before


def test_login_of_a_renamed_user(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """A numbered login is not rejected if the user has no other credential: a renamed user has the first login."""
    create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    iam.create_user(UserName="jane")
    emulator.controls.clear_counts()
    _, outs = create(new_process())
    assert outs["service_user_name"] == "jane+1-at-123456789012"
    assert emulator.controls.counts()[LIST] == 2


def test_lost_response(provider: ServiceSpecificCredentialProvider, emulator: Emulator, hidden: str) -> None:
    """A credential found after a lost response may have been created by another person, so it is not deleted again."""
    checked = provider.check({}, news())
    emulator.controls.drop(CREATE, when="after")
    created = provider.create(checked.inputs)
    assert set(emulator.controls.passwords()) == {hidden, created.id}


def test_without_the_state(provider: ServiceSpecificCredentialProvider, emulator: Emulator, hidden: str) -> None:
    """If the program does not send the state's credentials, nothing is called unmanaged, and nothing is deleted."""
    created = provider.create(provider.check({}, INPUTS).inputs)
    assert set(emulator.controls.passwords()) == {hidden, created.id}
