"""Unmanaged credentials: they are found, reported by id, and changed only after a preview showed them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from dynamic_providers.unmanaged_credentials import UnmanagedCredentialsProvider
from iamcreds.desired import DesiredCredential, DesiredUser
from iamcreds.errors import AccountError, RejectedError, WrongAccountError
from iamcreds.model import SourceLocation, Unmanaged
from iamcreds.planning.decisions import Adopt
from iamcreds.planning.group import Group, Member
from iamcreds.pulumi_engine.program_context import unmanaged_context
from iamcreds.pulumi_engine.stack_state import StackState
from iamcreds.resource_types import UNMANAGED_CREDENTIALS_TYPE
from iamcreds.specs import load
from tests.providers.conftest import new_process
from tests.providers.engine import Engine
from tests.providers.test_program import recorded, run, sent, settings

__all__ = ["settings"]

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

CODECOMMIT, LOGS = "codecommit.amazonaws.com", "logs.amazonaws.com"
OWN, FOREIGN, OFF, JOES, OLD = (f"ACCA{letter * 17}" for letter in "OFXJZ")


@pytest.fixture
def unmanaged(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator
) -> UnmanagedCredentialsProvider:
    """Return the provider in a new process; jane has one managed credential and two unmanaged ones, and joe has one."""
    del provider  # is required to exist
    iam.create_user(UserName="joe")
    for credential_id, user, service in ((OWN, "jane", CODECOMMIT), (FOREIGN, "jane", CODECOMMIT), (JOES, "joe", LOGS)):
        emulator.controls.put_credential(credential_id, user, service)
    emulator.controls.put_credential(OFF, "jane", LOGS, status="Inactive")
    emulator.controls.clear_counts()
    return another_process()


def another_process(*, refresh: bool = True) -> UnmanagedCredentialsProvider:
    """Return the provider as in the next run; in a refresh, the engine reads the managed credential first."""
    new_process()
    made = UnmanagedCredentialsProvider()
    made.configure(ConfigureRequest(Config({}, "iamcreds")))
    if refresh:
        made.session.read(OWN)
    return made


def inputs(action: str, **message: object) -> dict[str, Any]:
    """Return the program's inputs: this action for jane's credentials, one of which is managed."""
    return {"users": {"jane": action}, "run": {"owned": [OWN]} | message}


def writes(emulator: Emulator) -> dict[str, int]:
    """Count the calls that change something."""
    return {
        name: number for name, number in emulator.controls.counts().items() if "List" not in name and "Get" not in name
    }


def test_report(
    unmanaged: UnmanagedCredentialsProvider, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each unmanaged credential causes a warning with its id in every preview; nothing changes between runs."""
    checked = unmanaged.check({}, inputs("report"))
    shown = checked.inputs["unmanaged"]["jane"]
    assert shown == [
        {"id": FOREIGN, "service": CODECOMMIT, "status": "Active", "created": shown[0]["created"]},
        {"id": OFF, "service": LOGS, "status": "Inactive", "created": shown[1]["created"]},
    ]
    assert all(datetime.fromisoformat(one["created"]).tzinfo for one in shown)
    assert (checked.inputs["deactivates"], checked.inputs["deletes"], checked.failures) == ([], [], [])
    said = capsys.readouterr().err
    on = datetime.fromisoformat(shown[0]["created"]).date()
    assert (
        f"warning: codecommit credential {FOREIGN} (Active, created {on}) of user jane is unmanaged. Options: import it"
        f" with `adopt: {FOREIGN}`; or delete it"
    ) in said
    assert OWN not in said
    assert JOES not in said
    made = unmanaged.create(checked.inputs)
    outs = made.outs
    assert made.id == "123456789012/unmanaged-credentials"
    assert outs is not None
    assert writes(emulator) == {}
    read = unmanaged.read(made.id, outs)
    assert (read.id, read.outs) == (made.id, outs)
    again = another_process()
    assert not again.diff("x", outs, again.check({}, inputs("report")).inputs).changes
    assert "run" not in checked.inputs


def test_deactivate(
    unmanaged: UnmanagedCredentialsProvider, emulator: Emulator, iam: IAMClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Active credentials are deactivated with one call each, and inactive ones stay inactive; then nothing differs."""
    checked = unmanaged.check({}, inputs("deactivate"))
    ends = {line.rpartition(". ")[2] for line in capsys.readouterr().err.splitlines()}
    assert ends == {"`pulumi up` deactivates it", "`pulumi up` does not change it"}
    assert (checked.inputs["deactivates"], checked.inputs["deletes"]) == ([FOREIGN], [])
    outs = unmanaged.create(checked.inputs).outs
    assert outs is not None
    assert writes(emulator) == {"iam:UpdateServiceSpecificCredential": 1}
    existing = iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"]
    assert {one["ServiceSpecificCredentialId"]: one["Status"] for one in existing} == {
        OWN: "Active",
        FOREIGN: "Inactive",
        OFF: "Inactive",
    }
    again = another_process()
    assert not again.diff("x", outs, again.check({}, inputs("deactivate")).inputs).changes


def test_delete(
    unmanaged: UnmanagedCredentialsProvider, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unmanaged credentials are deleted, even if another user deletes them meanwhile; then nothing differs."""
    checked = unmanaged.check({}, inputs("delete"))
    said = capsys.readouterr().err.splitlines()
    assert [line.rpartition(". ")[2] for line in said] == ["`pulumi up` deletes it"] * 2
    assert checked.inputs["deletes"] == [FOREIGN, OFF]
    assert unmanaged.diff("x", {}, checked.inputs).changes
    outs = unmanaged.update("x", {}, checked.inputs).outs
    assert outs is not None
    assert set(emulator.controls.passwords()) == {OWN, JOES}
    assert unmanaged.update("x", {}, checked.inputs).outs == outs
    again = another_process()
    assert not again.diff("x", outs, again.check({}, inputs("delete")).inputs).changes
    again.delete("x", outs)
    assert set(emulator.controls.passwords()) == {OWN, JOES}


@pytest.mark.parametrize("name", ["users", "unmanaged", "deactivates", "deletes"])
def test_what_changes(unmanaged: UnmanagedCredentialsProvider, name: str) -> None:
    """Different users, actions, findings and planned steps are changes, and nothing else is."""
    recorded: dict[str, Any] = {"users": {}, "unmanaged": {}, "deactivates": [], "deletes": []}
    assert unmanaged.diff("x", recorded, recorded | {name: "other"}).changes
    assert not unmanaged.diff("x", recorded, recorded | {"account": "123456789012"}).changes


def test_gone_since(unmanaged: UnmanagedCredentialsProvider, emulator: Emulator, iam: IAMClient) -> None:
    """A credential that was deleted after the check is not deactivated."""
    checked = unmanaged.check({}, inputs("deactivate"))
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=FOREIGN)
    unmanaged.account.inventory.reread(["jane"])
    emulator.controls.clear_counts()
    unmanaged.create(checked.inputs)
    assert writes(emulator) == {}


def test_only_what_was_shown(unmanaged: UnmanagedCredentialsProvider, emulator: Emulator) -> None:
    """A credential that appeared after the check is not touched until a preview shows it."""
    checked = unmanaged.check({}, inputs("delete"))
    emulator.controls.put_credential("ACCALATER000000000000", "jane", "bedrock.amazonaws.com")
    unmanaged.create(checked.inputs)
    assert set(emulator.controls.passwords()) == {OWN, JOES, "ACCALATER000000000000"}


def test_undecided(unmanaged: UnmanagedCredentialsProvider) -> None:
    """Until a declared credential is created or adopted, its own decision covers the existing ones of its group."""
    checked = unmanaged.check({}, inputs("delete", undecided=[["jane", CODECOMMIT]]))
    assert checked.inputs["deletes"] == [OFF]


def test_left_when_replaced(
    unmanaged: UnmanagedCredentialsProvider, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A credential that a replacement left is known only if it was read; otherwise it is not touched."""
    unmanaged.session.read(FOREIGN)
    assert unmanaged.check({}, inputs("delete")).inputs["deletes"] == [OFF]
    assert FOREIGN not in capsys.readouterr().err
    again = another_process(refresh=False)
    assert again.check({}, inputs("delete")).inputs["deletes"] == [OFF], "it is older than one of its user and service"
    assert f"{FOREIGN} of user jane is unmanaged, or this stack has not deleted it yet after a replacement" in (
        capsys.readouterr().err
    )
    emulator.controls.put_credential("ACCALATER000000000000", "jane", LOGS)
    again = another_process()
    assert again.check({}, inputs("delete")).inputs["deletes"] == [FOREIGN, "ACCALATER000000000000", OFF]


def test_waits_for_a_create(unmanaged: UnmanagedCredentialsProvider) -> None:
    """A credential that a sibling's Create may have created is checked after that create is resolved."""
    account, found = unmanaged.account, threading.Event()
    looked = account.inventory.has_written

    def has_written(credential_id: str) -> bool:
        if credential_id == FOREIGN:
            found.set()
        return looked(credential_id)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor() as pool:
        patch.setattr(account.inventory, "has_written", has_written)
        with account.create_journal.hold("jane", CODECOMMIT):
            checked = pool.submit(unmanaged.check, {}, inputs("delete"))
            assert found.wait(10)
            account.credentials.change("jane", FOREIGN, reset=True)  # as after a lost response
        assert checked.result(10).inputs["deletes"] == [OFF]


def test_own_that_is_gone(unmanaged: UnmanagedCredentialsProvider, iam: IAMClient) -> None:
    """If a declared credential is gone, it will be created again or adopted, so its group is not touched."""
    declared = {"declared": {OWN: ["jane", CODECOMMIT]}}
    assert unmanaged.check({}, inputs("delete", **declared)).inputs["deletes"] == [FOREIGN, OFF]
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=OWN)
    assert another_process().check({}, inputs("delete", **declared)).inputs["deletes"] == [OFF]


def test_taken_over_since(unmanaged: UnmanagedCredentialsProvider, emulator: Emulator) -> None:
    """A credential that this run has adopted is not touched, although the inputs name it."""
    checked = unmanaged.check({}, inputs("delete"))
    unmanaged.account.credentials.change("jane", FOREIGN, reset=True)
    with pytest.raises(RejectedError, match=f"{FOREIGN} of user jane is not changed"):
        unmanaged.create(checked.inputs)
    assert FOREIGN in emulator.controls.passwords()


def test_about_to_be_taken_over(unmanaged: UnmanagedCredentialsProvider, emulator: Emulator) -> None:
    """A credential that a resource of this run is going to adopt is neither deactivated nor deleted."""
    checked = unmanaged.check({}, inputs("delete"))
    credentials = unmanaged.account.inventory.of("jane", CODECOMMIT)
    adopted = next(credential for credential in credentials if credential.id == FOREIGN)
    group = Group("jane", CODECOMMIT, {"jane/codecommit/spare": Member()}, credentials)
    unmanaged.session.decide(group, "jane/codecommit/spare", Adopt(adopted))
    with pytest.raises(RejectedError, match=f"{FOREIGN} of user jane is not changed"):
        unmanaged.create(checked.inputs)
    assert FOREIGN in emulator.controls.passwords()
    assert unmanaged.check({}, inputs("delete")).inputs["deletes"] == [OFF]


@pytest.mark.parametrize("action", ["deactivate", "delete"])
def test_replacement_that_is_requested_later(
    unmanaged: UnmanagedCredentialsProvider, emulator: Emulator, action: str
) -> None:
    """A replacement that an unmanaged credential blocks stays rejected after that one is deactivated or deleted."""
    credentials = ServiceSpecificCredentialProvider()
    credentials.configure(ConfigureRequest(Config({}, "iamcreds")))
    resource = {"user": "jane", "service": CODECOMMIT, "run": {"resource": "jane/codecommit", "owned": {OWN: "jane"}}}
    unmanaged.create(unmanaged.check({}, inputs(action)).inputs)
    (failure,) = credentials.check({}, resource).failures or []
    assert f"{FOREIGN} (Active" in failure.reason
    assert (FOREIGN in emulator.controls.passwords()) is (action == "deactivate")


def test_two_of_one_name(unmanaged: UnmanagedCredentialsProvider) -> None:
    """If two resources in the state have a declared name, and one of their credentials is gone, nothing is touched."""
    names = {("jane", CODECOMMIT): {"ACCAGONE0000000000000": "jane/codecommit", OWN: "jane/codecommit"}}
    state = StackState(names, "123456789012")
    wanted = DesiredCredential("jane", CODECOMMIT, "codecommit", location=SourceLocation("a.yaml", 1, 1))
    user = DesiredUser(
        "jane", credentials=(wanted,), unmanaged=Unmanaged.DELETE, location=SourceLocation("a.yaml", 1, 1)
    )
    message = unmanaged_context(state, [user]) | {"account": None}
    assert unmanaged.check({}, {"users": {"jane": "delete"}, "run": message}).inputs["deletes"] == [OFF]


def test_without_the_state(unmanaged: UnmanagedCredentialsProvider, capsys: pytest.CaptureFixture[str]) -> None:
    """If the state cannot be read, no credential is reported, and nothing is done."""
    checked = unmanaged.check({}, {"users": {"jane": "delete"}, "run": {}})
    nothing: dict[str, Any] = {"unmanaged": {}, "deactivates": [], "deletes": []}
    assert (checked.inputs, checked.failures) == ({"users": {"jane": "delete"}} | nothing, [])
    assert "this run could not read the state" in capsys.readouterr().err
    assert unmanaged.check({}, {"users": {"jane": "delete"}}).inputs == checked.inputs, "nor without a run context"


def test_refused_halfway(unmanaged: UnmanagedCredentialsProvider, emulator: Emulator) -> None:
    """After a failure between two deletions, the next run shows the remaining one and deletes it."""
    emulator.controls.fail("iam:DeleteServiceSpecificCredential", status=403, code="AccessDenied", message="no", call=2)
    with pytest.raises(AccountError):
        unmanaged.create(unmanaged.check({}, inputs("delete")).inputs)
    assert set(emulator.controls.passwords()) == {OWN, JOES, OFF}
    again = another_process()
    checked = again.check({}, inputs("delete"))
    assert checked.inputs["deletes"] == [OFF]
    again.create(checked.inputs)
    assert set(emulator.controls.passwords()) == {OWN, JOES}


def test_another_account(unmanaged: UnmanagedCredentialsProvider, emulator: Emulator) -> None:
    """Nothing is read or changed in an account that differs from the one in the specs or the state."""
    for wrong in ({"account": "999999999999"}, {"run": {"owned": [], "account": "999999999999"}}):
        checked = unmanaged.check({}, inputs("delete") | wrong)
        assert [failure.property for failure in checked.failures or []] == ["account"]
        assert checked.inputs["users"] == {"jane": "delete"}
    checked = unmanaged.check({}, inputs("delete"))
    with pytest.raises(WrongAccountError, match="this resource is declared for account 999999999999"):
        unmanaged.create(checked.inputs | {"account": "999999999999"})
    assert set(emulator.controls.passwords()) == {OWN, FOREIGN, OFF, JOES}


def test_endpoint_without_all_users(unmanaged: UnmanagedCredentialsProvider, emulator: Emulator) -> None:
    """If the endpoint cannot list all users at once, each user is listed, and unmanaged credentials are found."""
    emulator.controls.set(all_users=False)
    assert unmanaged.check({}, inputs("delete")).inputs["deletes"] == [FOREIGN, OFF]


def test_registered(tmp_path: Path, settings: None) -> None:
    """If specs set `unmanaged`, their file has one resource for it, and its run context has the owned ids."""
    del settings  # is required to exist
    (tmp_path / "a.yaml").write_text(
        "account: '123456789012'\n"
        "users:\n"
        "  jane: {unmanaged: delete, credentials: [{service: codecommit, name: new, was: old},"
        " {service: logs, adopt: ACCAEXAMPLE1234567890}]}\n"
        "  joe: {credentials: []}\n"
        "  watched: {unmanaged: delete, accessKeys: {max: 1}}\n"
    )
    (tmp_path / "b.yaml").write_text("users: {bob: {credentials: []}}\n")
    engine = Engine(
        dict([recorded("jane/codecommit/old", "jane", "ACCA1"), recorded("bob/codecommit", "bob", "ACCA2")])
    )
    run(engine, load(tmp_path))
    asked = {name: request for (type_, name), request in engine.requests.items() if type_ == UNMANAGED_CREDENTIALS_TYPE}
    assert list(asked) == [str(tmp_path / "a.yaml")]
    request = asked[str(tmp_path / "a.yaml")]
    assert request.parent == f"urn:{tmp_path}/a.yaml"
    assert (request.sourcePosition.line, request.sourcePosition.column) == (3, 3)
    properties = sent(request)
    assert properties["users"] == {"jane": "delete"}
    assert properties["account"] == "123456789012"
    assert properties["run"] == {
        "owned": ["ACCA1", "ACCA2", "ACCAEXAMPLE1234567890"],
        "undecided": [["jane", LOGS]],
        "declared": {"ACCA1": ["jane", CODECOMMIT]},
        "account": "123456789012",
    }
    (tmp_path / "a.yaml").write_text("users: {jane: {unmanaged: delete, credentials: []}}")
    engine = Engine(None)
    run(engine, load(tmp_path))
    (request,) = [request for (type_, _), request in engine.requests.items() if type_ == UNMANAGED_CREDENTIALS_TYPE]
    assert {name: sent(request).get(name) for name in ("run", "account")} == {"run": {}, "account": None}
    assert "account" not in sent(request)


@pytest.mark.parametrize(
    ("age", "end"),
    [
        (timedelta(hours=1), f"Options: import it with `adopt: {OLD}`; or delete it\n"),
        (
            -timedelta(hours=1),
            f"Options: import it with `adopt: {OLD}`; or delete it, unless a different run is creating it\n",
        ),
        (timedelta(days=9), "Delete it\n"),
    ],
    ids=["adoptable", "recent", "expired"],
)
def test_advice(
    unmanaged: UnmanagedCredentialsProvider,
    emulator: Emulator,
    capsys: pytest.CaptureFixture[str],
    age: timedelta,
    end: str,
) -> None:
    """The warning does not suggest to adopt an expired credential, nor to delete one that may be in creation."""
    created = datetime.now(UTC) - age
    dates = {"created": created.isoformat(), "expires": (created + timedelta(days=7)).isoformat()}
    emulator.controls.put_credential(OLD, "jane", "bedrock.amazonaws.com", **dates)
    unmanaged.check({}, inputs("report"))
    (warning,) = (line for line in capsys.readouterr().err.splitlines(keepends=True) if OLD in line)
    assert warning.endswith(f" of user jane is unmanaged. {end}")


@pytest.mark.parametrize("hours", [14 * 24, None])
@pytest.mark.parametrize("slots", [(1,), (1, 2)])
def test_both_slots(unmanaged: UnmanagedCredentialsProvider, slots: tuple[int, ...], hours: int | None) -> None:
    """The ids of both slots are managed, whether the program declares both, or leaves one to the engine's deletion."""
    names = {("jane", CODECOMMIT): {OWN: "jane/codecommit", FOREIGN: "jane/codecommit~2"}}
    place = SourceLocation("a.yaml", 1, 1)
    wanted = tuple(
        DesiredCredential("jane", CODECOMMIT, "codecommit", place, slot=slot, renew_before_hours=hours)
        for slot in slots
    )
    user = DesiredUser("jane", place, wanted, unmanaged=Unmanaged.DELETE)
    context = unmanaged_context(StackState(names, "123456789012"), [user]) | {"account": None}
    assert context["owned"] == sorted([OWN, FOREIGN])
    assert unmanaged.check({}, {"users": {"jane": "delete"}, "run": context}).inputs["deletes"] == [OFF]
