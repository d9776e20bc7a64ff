"""Rejected credentials: the report of check, and the failures of create, update and delete with the same reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pulumi.output import UNKNOWN

from iamcreds.errors import RejectedError
from tests.providers.conftest import new_process
from tests.providers.requests import CODECOMMIT, INPUTS, LIST, UNMANAGED, create, news, reasons

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

TEAPOT = {"service": "teapot.amazonaws.com"}
pytestmark = pytest.mark.usefixtures("iam")


def test_run_context_is_not_recorded(provider: ServiceSpecificCredentialProvider) -> None:
    """The inputs do not contain the run context."""
    assert provider.check({}, news()).inputs == INPUTS
    assert provider.check(INPUTS, news()).inputs == INPUTS


def test_fail(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """By default, a rejection is a check failure."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    (reason,) = reasons(provider.check({}, news()))
    assert UNMANAGED in reason


@pytest.mark.parametrize("on_rejection", ["collect", "defer"])
def test_refused(provider: ServiceSpecificCredentialProvider, emulator: Emulator, on_rejection: str) -> None:
    """A rejection is an input: the program reports all of them, or only this create fails."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    (reason,) = reasons(provider.check({}, news()))
    checked = new_process().check({}, news(on_rejection=on_rejection))
    assert (checked.inputs, checked.failures) == (INPUTS | {"refused": [reason]}, [])


@pytest.mark.parametrize("is_same_process", [True, False])
def test_create_fails(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, *, is_same_process: bool
) -> None:
    """The create of a rejected credential fails with the reason, and creates nothing."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    checked = provider.check({}, news(on_rejection="defer"))
    with pytest.raises(RejectedError) as raised:
        (provider if is_same_process else new_process()).create(checked.inputs)
    assert UNMANAGED in str(raised.value)
    assert [str(raised.value)] == checked.inputs["refused"]
    assert list(emulator.controls.passwords()) == [UNMANAGED]


def test_decision_is_final(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """A second check of a resource in the same process returns the first decision."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    rejected = provider.check({}, news(on_rejection="defer"))
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=UNMANAGED)
    provider.account.inventory.reread(["jane"])
    assert provider.check({}, news(on_rejection="defer")).inputs == rejected.inputs
    assert "refused" not in new_process().check({}, news(on_rejection="defer")).inputs


def test_missing_user(provider: ServiceSpecificCredentialProvider) -> None:
    """A preview of specs rejects a missing user; a program with classes may create the user, and gets a warning."""
    ghost = {"user": "ghost"}
    assert "no IAM user ghost" in provider.check({}, news(on_rejection="collect") | ghost).inputs["refused"][0]
    assert new_process().check({}, news() | ghost).failures == []


def test_user_name_in_a_different_case(provider: ServiceSpecificCredentialProvider) -> None:
    """The rejection of a missing user names the user whose name differs by case only; IAM does not allow both."""
    (reason,) = provider.check({}, news(on_rejection="collect") | {"user": "Jane"}).inputs["refused"]
    assert "IAM does not allow it next to jane. Options: declare the user as jane; or" in reason
    assert "create-user" not in reason


def test_user_of_the_program(provider: ServiceSpecificCredentialProvider, capsys: pytest.CaptureFixture[str]) -> None:
    """A preview of a program with classes warns of a missing user, unless the program creates the user."""
    ghost = {"user": "ghost"}
    assert provider.check({}, news(created_users=["ghost"]) | ghost).failures == []
    assert capsys.readouterr().err == ""
    assert new_process().check({}, news(created_users=["other"]) | ghost).failures == []
    assert "warning: the account has no IAM user ghost" in capsys.readouterr().err


@pytest.mark.usefixtures("provider")
def test_messages_do_not_name_specs(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A program with classes has no specs, so no rejection of a credential mentions them."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    imported = {"adopt": "ACCAMISSING0000000000"}
    for more in ({}, {"user": "ghost"}, TEAPOT, {"account": "999999999999"}, imported):
        said = " ".join([*reasons(new_process().check({}, news() | more)), capsys.readouterr().err])
        assert said.strip()
        assert "spec" not in said.replace("service-specific", "")


def test_user_created_since(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """In an update, a missing user is not final: the create plans again."""
    ghost = news(on_rejection="defer") | {"user": "ghost"}
    checked = provider.check({}, ghost)
    assert "refused" not in checked.inputs
    with pytest.raises(RejectedError, match="no IAM user ghost"):
        provider.create(checked.inputs)
    iam.create_user(UserName="ghost")
    assert provider.create(checked.inputs).id.startswith("ACCA")


def test_missing_user_of_a_replacement(provider: ServiceSpecificCredentialProvider) -> None:
    """In an update, a replacement for a missing user is rejected before anything is deleted."""
    name, outs = create(provider)
    provider = new_process()
    options = {"deletes_first": True}  # as for two credentials of a user and service
    owned = {name: "jane/codecommit"}
    context = news(owned=owned, options=options, on_rejection="defer") | {"user": "ghost"}
    checked = provider.check(INPUTS, context)
    (reason,) = checked.inputs["refused"]
    assert "no IAM user ghost" in reason
    assert provider.diff(name, outs, checked.inputs).replaces is None


def test_renamed_user(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """A missing user counts as renamed if IAM has the user's credentials under a new name."""
    name, _ = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    owned = {"owned": {name: "jane/codecommit"}, "on_rejection": "collect"}
    for context in ({}, {"resource": "jane/codecommit/b", "of_user": [name]}):  # its own, or that of its sibling
        (reason,) = new_process().check({}, news(**owned, **context)).inputs["refused"]
        assert "IAM renamed it to joan" in reason
    new = news(resource="ghost/codecommit", **owned) | {"user": "ghost"}
    (reason,) = new_process().check({}, new).inputs["refused"]
    assert "no IAM user ghost. Options: create the user" in reason, "jane is removed from the specs"
    iam.delete_service_specific_credential(UserName="joan", ServiceSpecificCredentialId=name)
    (reason,) = new_process().check({}, news(of_user=[name], **owned)).inputs["refused"]
    assert "no IAM user jane. Options: create the user" in reason


def test_unknown_service(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A service that IAM does not support is rejected at the cost of one call; a known one costs none."""
    create(provider)
    emulator.controls.clear_counts()
    for resource in "ab":
        teapot = news(resource=resource, on_rejection="collect") | TEAPOT | {"declared": 2}
        assert (
            "does not support service-specific credentials for teapot"
            in provider.check({}, teapot).inputs["refused"][0]
        )
    assert emulator.controls.counts() == {LIST: 1}


def test_unknown_service_of_a_new_user(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """The service is rejected at the cost of one call, even if the user does not exist yet."""
    message = "IAM does not support service-specific credentials for teapot.amazonaws.com. Check the service"
    created = {"on_rejection": "collect", "created_users": ["new"]}
    assert message in provider.check({}, news(**created) | TEAPOT | {"user": "new"}).inputs["refused"][0]
    for user in ("ghost", UNKNOWN):
        (reason,) = reasons(provider.check({}, news(resource=f"{user}") | TEAPOT | {"user": user}))
        assert message in reason
        assert reasons(provider.check({}, news(resource="known") | {"user": user})) == []
    assert emulator.controls.counts()[LIST] == 1, "for the service"


def test_unknown_service_in_an_empty_account(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """In an account without users, the service cannot be verified, and nothing is rejected."""
    iam.delete_user(UserName="jane")
    assert reasons(provider.check({}, news() | TEAPOT | {"user": UNKNOWN})) == []


def test_declared_twice(provider: ServiceSpecificCredentialProvider) -> None:
    """If two credentials are each declared as the only one, they are rejected with both names."""
    group: dict[str, dict[str, Any]] = {"a": {}, "b": {}}
    (reason,) = reasons(provider.check({}, news(resource="a", group=group)))
    assert reason.startswith("a and b declare a codecommit credential of user jane, but `declared` is 1")
    assert reasons(provider.check(INPUTS, news(resource="b", group=group))) == [], "it is in the state"


def test_declared_twice_for_a_new_user(provider: ServiceSpecificCredentialProvider) -> None:
    """Every other rejection is reported, even if the program may create the missing user."""
    group: dict[str, dict[str, Any]] = {"a": {}, "b": {}}
    (reason,) = reasons(provider.check({}, news(resource="a", group=group) | {"user": "ghost"}))
    assert "a and b declare a codecommit credential of user ghost" in reason


def test_only_the_rejected_create_fails(provider: ServiceSpecificCredentialProvider) -> None:
    """If two resources have equal inputs, the one that check rejected fails, even if its create is first."""
    old, outs = create(provider)
    provider = new_process()
    provider.read(old, outs)
    group = {"a": {"declared": 2}, "b": {"declared": 2}}
    context = {"group": group, "owned": {old: "old"}, "on_rejection": "defer"}
    checked = {name: provider.check({}, news(resource=name, **context) | {"declared": 2}) for name in "ab"}
    assert [name for name in "ab" if "refused" in checked[name].inputs] == ["b"]
    failed = []
    for name in "ba":
        try:
            provider.create(checked[name].inputs)
        except RejectedError:
            failed.append(name)
    assert failed == ["b"]


def test_two_of_a_user_created_since(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """In an update, both credentials with equal inputs are created if their user exists by then."""
    inputs = {"user": "ghost", "declared": 2}
    group = {"a": {"declared": 2}, "b": {"declared": 2}}
    checked = [
        provider.check({}, news(resource=name, group=group, on_rejection="defer") | inputs).inputs for name in "ab"
    ]
    iam.create_user(UserName="ghost")
    assert len({provider.create(one).id for one in checked}) == 2


def test_malformed(provider: ServiceSpecificCredentialProvider) -> None:
    """In `up`, malformed inputs and a password without an import fail only this resource."""
    malformed = {"status": "On", "age_days": 5}
    (reason,) = provider.check({}, news(on_rejection="defer") | malformed).inputs["refused"]
    assert reason.startswith("status: expected Active or Inactive; age_days: only API keys expire")
    checked = provider.check({}, news(on_rejection="defer") | {"password": "hunter2"})
    assert checked.inputs["refused"][0].startswith("`password` is only for a credential to import")
    assert "hunter2" not in str(checked.inputs)
    with pytest.raises(RejectedError):
        provider.create(checked.inputs)
    (failure,) = provider.check({}, news(on_rejection="defer") | {"account": "12"}).failures or []
    assert failure.property == "account"


def test_malformed_replacement(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A credential is not deleted for a replacement with malformed inputs."""
    name, outs = create(provider)
    provider = new_process()
    inputs = news(owned={name: "jane/codecommit"}, on_rejection="defer") | {"age_days": 0}
    for olds in (INPUTS, {}):
        checked = provider.check(olds, inputs)
        assert "age_days: expected" in checked.inputs["refused"][0]
    difference = provider.diff(name, outs, checked.inputs)
    assert (difference.changes, difference.replaces) == (True, None)
    with pytest.raises(RejectedError):
        provider.delete(name, outs)
    assert set(emulator.controls.passwords()) == {name}
