"""Users that IAM has renamed: a credential that exists under the declared name is never replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.providers.conftest import new_process
from tests.providers.requests import INPUTS, create, news

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

pytestmark = pytest.mark.usefixtures("iam")
NAME = "joan/codecommit"


def joan(credential_id: str, **context: Any) -> dict[str, Any]:  # noqa: ANN401 - values of a run context
    """The properties of jane's recorded credential, declared for joan who was jane."""
    sent = {"resource": NAME, "owned": {credential_id: NAME}, "on_rejection": "collect", "former_user": "jane"}
    return news(**(sent | context)) | {"user": "joan"}


def test_without_refresh(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """Without a refresh, the recorded user is the former one: only outputs change, and the password stays."""
    name, outs = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    passwords = dict(emulator.controls.passwords())
    provider = new_process()
    checked = provider.check(INPUTS, joan(name))
    assert (checked.failures, checked.inputs) == ([], INPUTS | {"user": "joan"})
    diff = provider.diff(name, outs, checked.inputs)
    assert (diff.changes, diff.replaces) == (True, [])
    updated = provider.update(name, outs, checked.inputs).outs
    assert updated == {**outs, "user": "joan"}
    assert provider.diff(name, updated, checked.inputs).changes is False
    assert emulator.controls.passwords() == passwords


def test_after_refresh(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """A refresh records the new user, and then nothing changes."""
    name, outs = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    provider = new_process()
    read = provider.read(name, outs)
    assert read.inputs is not None
    assert read.outs is not None
    checked = provider.check(read.inputs, joan(name))
    assert provider.diff(name, read.outs, checked.inputs).changes is False


def test_replaced_next_to_a_second_one(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """A replacement for a different reason needs the quota of the renamed user's own credential."""
    properties = {"service": "bedrock.amazonaws.com", "age_days": 30}
    checked = provider.check({}, news(resource="jane/bedrock") | properties)
    made = provider.create(checked.inputs)
    assert made.outs is not None
    iam.create_service_specific_credential(UserName="jane", ServiceName="bedrock.amazonaws.com")
    iam.update_user(UserName="jane", NewUserName="joan")
    renewed = joan(made.id) | properties | {"age_days": 60}
    diff = new_process().diff(made.id, made.outs, {name: renewed[name] for name in ("user", "service", "age_days")})
    assert (diff.replaces, diff.delete_before_replace) == (["age_days"], True)


@pytest.mark.parametrize("has_joan", [True, False])
def test_not_renamed(provider: ServiceSpecificCredentialProvider, iam: IAMClient, *, has_joan: bool) -> None:
    """A former name is rejected while the credential belongs to it: nothing is replaced, and nothing is deleted."""
    name, outs = create(provider)
    if has_joan:
        iam.create_user(UserName="joan")
    provider = new_process()
    checked = provider.check(INPUTS, joan(name))
    (reason,) = checked.inputs["refused"]
    assert f"IAM has not renamed jane to joan: {name} belongs to user jane" in reason
    assert ("aws iam update-user --user-name jane --new-user-name joan" in reason) is not has_joan
    assert provider.diff(name, outs, checked.inputs).replaces is None
    (reason,) = new_process().check({}, joan(name)).inputs["refused"]
    assert "IAM has not renamed jane" in reason, "after --replace"


def test_not_renamed_and_new(provider: ServiceSpecificCredentialProvider) -> None:
    """A new credential of a user that IAM has not renamed yet is rejected with the command that renames the user."""
    (reason,) = provider.check({}, joan("", owned={})).inputs["refused"]
    assert "IAM still has user jane. Options: rename the user (aws iam update-user" in reason


def test_renamed_differently(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """If IAM has renamed the user to a third name, that name is the option."""
    name, _ = create(provider)
    iam.update_user(UserName="jane", NewUserName="jo")
    (reason,) = new_process().check(INPUTS, joan(name)).inputs["refused"]
    assert f"{name} belongs to user jo. Options: declare jo with `was: jane`" in reason


def test_former_name_stays(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """A former name that stays in the specs has no effect, also if IAM has a new user of that name."""
    name, outs = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    iam.create_user(UserName="jane")
    provider = new_process()
    inputs = INPUTS | {"user": "joan"}
    assert provider.check(inputs, joan(name)).inputs == inputs
    assert provider.diff(name, {**outs, "user": "joan"}, inputs).changes is False
    iam.delete_service_specific_credential(UserName="joan", ServiceSpecificCredentialId=name)
    assert "refused" not in new_process().check({}, joan(name)).inputs, "the credential was deleted"


def test_suggestion(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Specs that declare the new name only get a warning with the id and `was`; a sibling's credential gets none."""
    name, _ = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    state = {"owned": {name: "jane/codecommit"}, "strays": {name: "jane"}}
    new_process().check({}, joan(name, former_user=None, **state))
    (line,) = capsys.readouterr().err.splitlines()
    assert f"deletes codecommit credential {name} with its password" in line
    assert line.endswith("To keep it, add `was: jane` to user joan in the specs")
    sibling = {"resource": "joan/codecommit/b", "group": {NAME: {"declared": 2}, "joan/codecommit/b": {"declared": 2}}}
    new_process().check({}, joan(name, strays={name: "jane"}, **sibling) | {"declared": 2})
    assert capsys.readouterr().err == ""
