"""`IAMCREDS_APPROVED`: the file is read once, and providers and program reject the steps that it does not name."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.dynamic import Config, ConfigureRequest

from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from dynamic_providers.unmanaged_credentials import UnmanagedCredentialsProvider
from iamcreds.desired import Desired
from iamcreds.errors import ApprovalError, NotApprovedError, RejectedError
from iamcreds.pulumi_engine.approved_plan import VARIABLE, read_approval, require_approved_specs
from iamcreds.specs import compute_digest
from tests.providers.conftest import new_process
from tests.pull_request.previews import make_preview, make_step, run_plan
from tests.pull_request.test_approval import EMPTY, GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

LOGS = "logs.amazonaws.com"
INPUTS = {"user": "jane", "service": LOGS, "age_days": 30}
FOREIGN, OTHER = "ACCAFOREIGN0000000000", "ACCAOTHER000000000000"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Set the file of the approved plan, which is read again in each test."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "approved.json"))
    read_approval.cache_clear()
    yield tmp_path / "approved.json"
    read_approval.cache_clear()


def approve(file: Path, **ids: list[str]) -> ServiceSpecificCredentialProvider:
    """Approve the ids, and start a new process."""
    file.write_text(json.dumps(GOOD | EMPTY | ids))
    return new_process()


def make(provider: ServiceSpecificCredentialProvider) -> tuple[str, dict[str, Any]]:
    """Create a credential; return its id and outputs."""
    result = provider.create(provider.check({}, INPUTS | {"run": {"resource": "jane/logs", "owned": {}}}).inputs)
    assert result.outs is not None
    return result.id, result.outs


def read_outputs(
    provider: ServiceSpecificCredentialProvider, credential_id: str, outs: dict[str, Any]
) -> dict[str, Any]:
    """Read a credential as the refresh does."""
    return dict(provider.read(credential_id, outs).outs or {})


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize("is_expired", [False, True])
def test_replacement(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, file: Path, *, is_expired: bool
) -> None:
    """A replacement that is not approved becomes an update that fails, so nothing is created or deleted."""
    file.write_text(json.dumps(GOOD | EMPTY))
    own, outs = make(provider)
    news = INPUTS | ({} if is_expired else {"age_days": 60})
    emulator.controls.set(clock_shift=(40 if is_expired else 1) * 86_400)
    for approved in ({}, {"delete": [own]}, {"replace": [OTHER]}):
        provider = approve(file, **approved)
        outs = read_outputs(provider, own, outs)
        context = {"resource": "jane/logs", "owned": {own: "jane/logs"}, "on_rejection": "defer"}
        checked = provider.check(INPUTS, news | {"run": context}).inputs
        difference = provider.diff(own, outs, checked)
        assert (difference.changes, difference.replaces) == (True, None)
        with pytest.raises(RejectedError, match=f"cannot replace credential {own} of user jane"):
            provider.update(own, outs, checked)
        requested = approve(file, **approved)
        assert "refused" in requested.check({}, news | {"run": context}).inputs
        with pytest.raises(RejectedError, match=f"cannot replace credential {own} of user jane"):
            requested.delete(own, outs)
    provider = approve(file, replace=[own])
    outs = read_outputs(provider, own, outs)
    assert provider.diff(own, outs, news).replaces == (["status"] if is_expired else ["age_days"])
    provider.delete(own, outs)
    assert own not in emulator.controls.passwords()


@pytest.mark.usefixtures("iam")
def test_update_and_delete(provider: ServiceSpecificCredentialProvider, emulator: Emulator, file: Path) -> None:
    """Only an approved reset, deactivation or deletion is applied; other updates need no approval."""
    file.write_text(json.dumps(GOOD | EMPTY))
    own, outs = make(provider)
    passwords = emulator.controls.passwords()
    emulator.controls.set(clock_shift=86_400)
    provider = approve(file, deactivate=[own])
    for change in ({"reset": "lost"}, {"reset": "lost", "status": "Inactive"}, {"status": "Active"}):
        with pytest.raises(NotApprovedError, match=f"credential {own} of user jane"):
            provider.update(own, outs, INPUTS | change)
    with pytest.raises(NotApprovedError, match=f"cannot delete credential {own} of user jane"):
        provider.delete(own, outs)
    assert emulator.controls.passwords() == passwords
    assert provider.update(own, outs, INPUTS | {"existing": "adopt"}).outs is not None
    assert (provider.update(own, outs, INPUTS | {"status": "Inactive"}).outs or {})["status"] == "Inactive"


@pytest.mark.usefixtures("iam")
def test_renewal(provider: ServiceSpecificCredentialProvider, emulator: Emulator, file: Path) -> None:
    """The plan of a renewal lets the successor through, and a later plan the deletion of the expired one by its id."""
    file.write_text(json.dumps(GOOD | EMPTY))
    own, outs = make(provider)
    slot_2 = INPUTS | {"rotation": 1}
    context = {"resource": "jane/logs~2", "owned": {own: "jane/logs"}}
    renewal = make_step("create", "jane/logs~2", new=slot_2)
    kept = make_step("same", "jane/logs", old=outs, new=outs)
    run_plan("-", "--approve", str(file), given=make_preview(renewal, kept))
    read_approval.cache_clear()
    emulator.controls.set(clock_shift=20 * 86_400)
    provider = new_process()
    created = provider.create(provider.check({}, slot_2 | {"run": context}).inputs)
    with pytest.raises(NotApprovedError, match=f"cannot delete credential {own} of user jane"):
        provider.delete(own, outs)
    emulator.controls.set(clock_shift=31 * 86_400)
    deletion = make_step("delete", "jane/logs", old=outs | {"status": "Expired"})
    deletion["oldState"]["id"] = own
    current = make_step("same", "jane/logs~2", old=created.outs or {}, new=created.outs or {})
    run_plan("-", "--approve", str(file), given=make_preview(deletion, current))
    read_approval.cache_clear()
    new_process().delete(own, outs)
    assert own not in emulator.controls.passwords()
    assert created.id in emulator.controls.passwords()


@pytest.mark.parametrize("is_active", [True, False])
def test_reset_of_a_renewed_key(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient, file: Path, *, is_active: bool
) -> None:
    """The plan of a reset names exactly the steps that the update carries out; an Inactive key is activated."""
    file.write_text(json.dumps(GOOD | EMPTY))
    own, outs = make(provider)
    before = emulator.controls.passwords().get(own)
    emulator.controls.set(clock_shift=86_400)
    if not is_active:
        iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=own, Status="Inactive")
        outs = read_outputs(new_process(), own, outs)
    news = INPUTS | {"rotation": 1, "reset": "leaked"}
    step = make_step("update", "jane/logs", old=outs, new=news)
    step["oldState"]["id"] = own
    run_plan("-", "--approve", str(file), given=make_preview(step))
    assert json.loads(file.read_text())["activate"] == ([] if is_active else [own])
    read_approval.cache_clear()
    updated = new_process().update(own, outs, news).outs or {}
    assert (updated["status"], updated["rotation"], updated["reset"]) == ("Active", 1, "leaked")
    assert emulator.controls.passwords()[own] != before


@pytest.mark.usefixtures("iam", "provider")
@pytest.mark.parametrize("how", [{"existing": "adopt"}, {"adopt": FOREIGN}])
def test_adoption(emulator: Emulator, file: Path, how: dict[str, str]) -> None:
    """Adoption and import are rejected unless the id is approved; an import needs no reset."""
    emulator.controls.put_credential(FOREIGN, "jane", LOGS)
    passwords = emulator.controls.passwords()
    inputs = {"user": "jane", "service": LOGS} | how
    for approved in ({}, {"adopt": [OTHER]}, {"reset": [FOREIGN]}):
        provider = approve(file, **approved)
        checked = provider.check({}, inputs | {"run": {"resource": "jane/logs", "owned": {}}})
        with pytest.raises(NotApprovedError, match=f"cannot adopt or import credential {FOREIGN} of user jane"):
            provider.create(checked.inputs)
    assert emulator.controls.passwords() == passwords
    provider = approve(file, adopt=[FOREIGN], **({} if "adopt" in how else {"reset": [FOREIGN]}))
    checked = provider.check({}, inputs | {"run": {"resource": "jane/logs", "owned": {}}})
    assert provider.create(checked.inputs).id == FOREIGN
    assert (emulator.controls.passwords() == passwords) is ("adopt" in how)


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("action", ["delete", "deactivate"])
def test_unmanaged_credentials(emulator: Emulator, iam: IAMClient, file: Path, action: str) -> None:
    """One error names every unmanaged credential that is not approved; the approved ones are handled."""
    ids = [f"ACCA{letter * 17}" for letter in "ABC"]
    for credential_id, service in zip(ids, (LOGS, LOGS, "codecommit.amazonaws.com"), strict=True):
        emulator.controls.put_credential(credential_id, "jane", service)
    approve(file, **{action: [ids[1]]})
    unmanaged = UnmanagedCredentialsProvider()
    unmanaged.configure(ConfigureRequest(Config({}, "iamcreds")))
    checked = unmanaged.check({}, {"users": {"jane": action}, "run": {"owned": []}})
    with pytest.raises(NotApprovedError) as raised:
        unmanaged.update("x", {}, checked.inputs)
    rejected = [line.split()[:4] for line in str(raised.value).splitlines()]
    assert sorted(rejected) == [["cannot", action, "credential", each] for each in (ids[0], ids[2])]
    listed = iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"]
    left = {each["ServiceSpecificCredentialId"] for each in listed if each["Status"] == "Active"}
    assert left == {ids[0], ids[2]}


@pytest.mark.usefixtures("iam", "provider")
def test_wrong_account(file: Path) -> None:
    """A plan of a different account causes a check failure before anything is changed."""
    file.write_text(json.dumps(GOOD | {"account": "999999999999"}))
    (failure,) = new_process().check({}, INPUTS).failures
    assert failure.property == "account"
    assert "but the approved plan is of account 999999999999: nothing was changed" in failure.reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read IAMCREDS_APPROVED={}: no such file or directory"),
        (b"{\xff", "cannot read IAMCREDS_APPROVED={}: it is not UTF-8 text"),
        (b"\xff\xfe{\0", "cannot read IAMCREDS_APPROVED={}: it is UTF-16: save it as UTF-8"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b" " * 20_000_001, "it has more than 20 MB"),
    ],
)
def test_unreadable_file(file: Path, content: bytes | None, message: str) -> None:
    """An unreadable file fails the first request of the process, and never approves anything."""
    if content is not None:
        file.write_bytes(content)
    for _ in range(2):
        with pytest.raises(ApprovalError) as raised:
            ServiceSpecificCredentialProvider().configure(ConfigureRequest(Config({}, "iamcreds")))
        assert message.format(file) in str(raised.value)


def test_odd_files(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty name, a folder and a pipe are errors, and their messages cannot control a terminal."""
    os.mkfifo(file)
    with pytest.raises(ApprovalError, match="it is not a regular file"):
        read_approval()
    for name, message in (("", "the name is empty"), (str(file.parent), "it is not a regular file")):
        monkeypatch.setenv(VARIABLE, name)
        with pytest.raises(ApprovalError, match=message):
            read_approval()
    monkeypatch.setenv(VARIABLE, "\x1b[2Jgone")
    with pytest.raises(ApprovalError, match="no such file") as raised:
        read_approval()
    assert str(raised.value).isprintable()
    monkeypatch.delenv(VARIABLE)
    assert read_approval() is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, None),
        ({"specs": "1" * 64}, "the specs have changed since the approved plan of 2026-11-29 08:00 UTC"),
        ({"specs": None}, "the approved plan has no digest of the specs"),
        ({"stack": "prod"}, "is for stack iamcreds/prod, but this is stack iamcreds/test: nothing was changed"),
        ({"project": "\x1b[2J"}, r"is for stack \x1b[2J/test, but this is stack iamcreds/test"),
        ({"version": 2}, "was written by a newer version of iamcreds"),
    ],
)
def test_program(file: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str | None) -> None:
    """Unless the plan is for its stack and its specs, the program ends with one error before it registers anything."""
    monkeypatch.setattr(pulumi, "get_project", lambda: "iamcreds")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "test")
    file.write_text(json.dumps(GOOD | {"specs": compute_digest(Desired())} | changes))
    if message is None:
        require_approved_specs(Desired())
        return
    with pytest.raises(pulumi.RunError) as raised:
        require_approved_specs(Desired())
    assert message in str(raised.value)
