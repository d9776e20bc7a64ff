"""If AWS denies the read of one user, only this user is rejected; a denial for the whole account stops the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from dynamic_providers.unmanaged_credentials import UnmanagedCredentialsProvider
from iamcreds.errors import AccessDeniedError, RejectedError, UserDeniedError
from tests.providers.conftest import new_process

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

CODECOMMIT = "codecommit.amazonaws.com"
LIST = "iam:ListServiceSpecificCredentials"
RESET = "iam:ResetServiceSpecificCredential"
DENIED = "listing the service-specific credentials of user joe: AWS error AccessDenied"


def run(user: str, owned: dict[str, str], **context: object) -> dict[str, Any]:
    """Return a credential's inputs with a run context."""
    return {
        "user": user,
        "service": CODECOMMIT,
        "run": {"resource": user, "owned": owned, "of_user": [*owned]} | context,
    }


@pytest.fixture
def recorded(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return day-old credentials of jane and joe; AWS denies the list of joe, and the list of all users lacks joe."""
    iam.create_user(UserName="joe")
    made = {user: provider.create(provider.check({}, run(user, {})).inputs) for user in ("jane", "joe")}
    emulator.controls.set(clock_shift=86_400, hidden_users=["joe"])
    emulator.controls.deny(LIST, call=2)
    return {user: (each.id, dict(each.outs or {})) for user, each in made.items()}


def test_denied_read(
    recorded: dict[str, tuple[str, dict[str, Any]]], emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """The credential is kept as recorded, the preview rejects it, and in `up` only its update fails."""
    provider = new_process()
    name, outs = recorded["joe"]
    read = provider.read(name, outs)
    assert (read.id, read.outs, read.inputs) == (name, outs, {"user": "joe", "service": CODECOMMIT})
    warning = capsys.readouterr().err
    assert warning.startswith(f"warning: {DENIED}")
    assert f"The state keeps {CODECOMMIT} credential {name} of user joe unchanged" in warning
    assert provider.read(*recorded["jane"]).id == recorded["jane"][0]

    news = {**run("joe", {name: "joe"}), "reset": "lost"}
    olds = {"user": "joe", "service": CODECOMMIT}
    (failure,) = provider.check(olds, news).failures or []
    assert failure.reason.startswith(DENIED)
    for on_rejection in ("collect", "defer"):
        context = news["run"] | {"on_rejection": on_rejection}
        checked = provider.check(olds, news | {"run": context})
        assert not checked.failures
        assert checked.inputs["refused"][0].startswith(DENIED)
    diff = provider.diff(name, outs, checked.inputs)
    assert (diff.changes, diff.replaces) == (True, None)
    with pytest.raises(RejectedError, match=DENIED):
        provider.update(name, outs, checked.inputs)
    assert emulator.controls.counts().get(RESET, 0) == 0


def test_process_that_has_not_read(recorded: dict[str, tuple[str, dict[str, Any]]]) -> None:
    """The deciding process rejects the credential, even if a different process read the state."""
    provider = new_process()
    name, outs = recorded["joe"]
    checked = provider.check({"user": "joe", "service": CODECOMMIT}, run("joe", {name: "joe"}, on_rejection="defer"))
    assert checked.inputs["refused"][0].startswith(DENIED)
    assert provider.diff(name, outs, checked.inputs).changes


def test_requested_replacement(recorded: dict[str, tuple[str, dict[str, Any]]]) -> None:
    """After `--replace` or taint, the new credential is rejected, and the existing one is not deleted."""
    provider = new_process()
    name, outs = recorded["joe"]
    provider.read(name, outs)
    checked = provider.check({}, run("joe", {name: "joe"}, on_rejection="defer"))
    assert checked.inputs["refused"][0].startswith(DENIED)
    with pytest.raises(RejectedError, match=DENIED):
        provider.delete(name, outs)


def test_without_the_state(recorded: dict[str, tuple[str, dict[str, Any]]]) -> None:
    """If the program cannot send the ids of the state, `diff` reports a change, and the update fails."""
    provider = new_process()
    name, outs = recorded["joe"]
    provider.read(name, outs)
    inputs = {"user": "joe", "service": CODECOMMIT}
    assert provider.diff(name, outs, inputs).changes
    with pytest.raises(UserDeniedError, match=DENIED):
        provider.update(name, outs, inputs)


def test_denied_account(recorded: dict[str, tuple[str, dict[str, Any]]], emulator: Emulator) -> None:
    """If AWS denies the list of all users, the first read stops the run, and the others keep the recorded values."""
    emulator.controls.deny(LIST)
    provider = new_process()
    with pytest.raises(AccessDeniedError) as raised:
        provider.read(*recorded["joe"])
    assert not isinstance(raised.value, UserDeniedError)
    assert provider.read(*recorded["jane"]).id == recorded["jane"][0]


def test_watcher(recorded: dict[str, tuple[str, dict[str, Any]]], emulator: Emulator) -> None:
    """The watcher of unmanaged credentials skips the denied user and reports the others."""
    emulator.controls.put_credential("ACCAUNMANAGED00000000", "jane", CODECOMMIT)
    new_process()
    watcher = UnmanagedCredentialsProvider()
    watcher.configure(ConfigureRequest(Config({}, "iamcreds")))
    ids = {user: name for user, (name, _) in recorded.items()}
    context = {
        "owned": [*ids.values()],
        "declared": {name: [user, CODECOMMIT] for user, name in ids.items()},
        "undecided": [],
    }
    checked = watcher.check({}, {"users": {"jane": "report", "joe": "delete"}, "run": context})
    assert not checked.failures
    assert checked.inputs["unmanaged"].keys() == {"jane"}
    assert checked.inputs["deletes"] == []
