"""Rotation: the provider's update of a slot, the facts of the program's plan, its messages, and the stack's outputs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from iamcreds.desired import Desired, DesiredCredential, DesiredUser, RotationPolicy
from iamcreds.errors import RejectedError
from iamcreds.model import Existing, RecordedCredential, SourceLocation
from iamcreds.pulumi_engine import successors
from iamcreds.pulumi_engine.credential_warnings import find_warnings
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.stack_state import StackState
from iamcreds.pulumi_engine.successors import plan_successors
from tests.providers.conftest import new_process
from tests.providers.requests import BEDROCK, CODECOMMIT, INPUTS, create, news

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator
    from iamcreds.planning.slot_plan import SlotPlan

NAME = "jane/codecommit"
ROTATED = DesiredCredential(
    "jane", CODECOMMIT, "codecommit", SourceLocation("a.yaml", 1, 1), rotate=RotationPolicy(7 * 24, 30 * 24)
)
SUCCESSOR = {"rotation": 1, "declared": 2, "rotates": "ACCAPREVIOUS000000000"}
DAY = timedelta(days=1)


def retire(provider: ServiceSpecificCredentialProvider) -> tuple[str, dict[str, Any]]:
    """Create a credential, and deactivate it as a run does after the overlap."""
    key, outs = create(provider, declared=2)
    updated = new_process().update(key, outs, INPUTS | {"declared": 2, "status": "Inactive"}).outs
    return key, dict(updated or {})


def test_rotated_slot(provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator) -> None:
    """An Inactive slot gets a new password and is activated afterwards, so the old password never works again."""
    assert iam.list_users()["Users"]
    key, outs = retire(provider)
    before = emulator.controls.passwords()[key]
    diff = new_process().diff(key, outs, INPUTS | SUCCESSOR)
    assert (diff.changes, list(diff.replaces or [])) == (True, [])
    emulator.controls.clear_counts()
    updated = new_process().update(key, outs, INPUTS | SUCCESSOR).outs or {}
    writes = [call for call in emulator.controls.calls() if call.endswith("ServiceSpecificCredential")]
    assert writes == ["iam:ResetServiceSpecificCredential", "iam:UpdateServiceSpecificCredential"]
    assert (updated["status"], updated["rotation"]) == ("Active", 1)
    assert updated["service_password"] == emulator.controls.passwords()[key] != before
    assert not updated.keys() & {"rotates", "desired_status"}
    assert not new_process().diff(key, updated, INPUTS | SUCCESSOR).changes


@pytest.mark.parametrize("reset", [{}, {"reset": "new"}])
def test_password_in_use(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator, reset: dict[str, str]
) -> None:
    """A slot that someone activated since the preview is not rotated, also if the spec's `reset` is new in it."""
    key, outs = retire(provider)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=key, Status="Active")
    before = emulator.controls.passwords()
    with pytest.raises(RejectedError, match=f"codecommit.* credential {key} of user jane is not rotated"):
        new_process().update(key, outs, INPUTS | SUCCESSOR | reset)
    assert emulator.controls.passwords() == before


@pytest.mark.usefixtures("signed_in")
def test_password_in_use_at_the_check(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """The preview rejects the rotation of a slot whose key is Active, also if a replacement would issue the new one."""
    aged = {"service": BEDROCK, "age_days": 30, "declared": 2}
    key, outs = create(provider, **aged)
    assert iam.list_users()["Users"]
    context = {"resource": f"{NAME}~2", "owned": {key: f"{NAME}~2"}, "rotates": "ACCAPREVIOUS000000000"}
    inputs = INPUTS | aged | {"rotation": 1, "run": context | {"on_rejection": "collect"}}
    (reason,) = new_process().check(outs, inputs).inputs["refused"]
    assert f"credential {key} of user jane is not rotated, because it was activated just now" in reason


@pytest.mark.parametrize("owned", [None, {}])
@pytest.mark.usefixtures("iam")
def test_lost_state(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, owned: dict[str, str] | None
) -> None:
    """If the program could not read the state, a second slot that it does not declare is not deleted."""
    key, outs = create(provider, rotation=1)
    process = new_process()
    process.check({}, news(owned=owned, user="jane", service=CODECOMMIT))
    if owned is None:
        with pytest.raises(RejectedError, match=f"{key} of user jane is not deleted, because the program could not"):
            process.delete(key, outs)
    else:
        process.delete(key, outs)
    assert (key in emulator.controls.passwords()) is (owned is None)


@pytest.mark.usefixtures("iam")
def test_expiring_slot(provider: ServiceSpecificCredentialProvider) -> None:
    """A successor with an age is replaced, also if its `reset` is new; the current credential is reset in place."""
    aged = {"service": BEDROCK, "age_days": 30, "declared": 2}
    key, outs = create(provider, **aged)
    for inputs, replaces in (
        (SUCCESSOR, ["rotation"]),
        (SUCCESSOR | {"reset": "new"}, ["rotation"]),
        ({"rotation": 1, "reset": "new"}, []),
    ):
        assert list(new_process().diff(key, outs, INPUTS | aged | inputs).replaces or []) == replaces


@pytest.mark.usefixtures("iam")
def test_trigger(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A trigger is only recorded: its update calls nothing that writes."""
    key, outs = create(provider)
    assert new_process().diff(key, outs, INPUTS | {"trigger": "new"}).changes
    before = emulator.controls.passwords()
    updated = new_process().update(key, outs, INPUTS | {"trigger": "new"}).outs or {}
    assert (updated["trigger"], emulator.controls.passwords()) == ("new", before)
    assert not new_process().diff(key, updated, INPUTS | {"trigger": "new"}).changes


@pytest.mark.usefixtures("iam")
def test_shown_successor(provider: ServiceSpecificCredentialProvider) -> None:
    """A preview shows whose successor a slot becomes, and only then."""
    context = {"owned": {}, "rotates": "ACCAPREVIOUS000000000"}
    assert provider.check({}, news(**context)).inputs["rotates"] == "ACCAPREVIOUS000000000"
    assert "rotates" not in new_process().check({}, news()).inputs


@pytest.mark.parametrize(("declared", "warns"), [(None, True), ("Inactive", False)])
def test_retired_by_a_run(declared: str | None, *, warns: bool) -> None:
    """A credential that a run retired is not reported as deactivated outside Pulumi by a later run."""
    outputs = {"status": "Inactive", "desired_status": declared, "service": CODECOMMIT, "user": "jane"}
    inputs = CredentialInputs.read(INPUTS | {"declared": 2})
    found = list(find_warnings("ACCA1", outputs, inputs))
    assert [("outside Pulumi" in text, "`rotate` or `renewBefore`" in text) for text in found] == [(True, True)] * warns


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the messages of the program, in an update of a stack without config."""
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", shown.append)
    monkeypatch.setattr(pulumi.log, "warn", lambda text: shown.append(f"warning: {text}"))
    monkeypatch.setattr(pulumi, "Config", dict)
    monkeypatch.setattr(successors, "is_dry_run", lambda: False)
    return shown


def plan(state: StackState, *credentials: DesiredCredential, limit: int | None = None) -> dict[str, SlotPlan]:
    """Plan specs that declare these credentials."""
    users = tuple(DesiredUser(each.user, each.location, (each,)) for each in credentials)
    loop = asyncio.new_event_loop()  # `asyncio.run` would leave the thread without a loop for the next test
    try:
        return dict(loop.run_until_complete(plan_successors(Desired(users, max_rotations=limit), state)))
    finally:
        loop.close()


def state_of(*recorded: RecordedCredential) -> StackState:
    """Return a state with these credentials."""
    names: dict[tuple[str, str], dict[str, str]] = {}
    for each in recorded:
        names.setdefault((each.user, CODECOMMIT), {})[each.id] = each.resource
    return StackState(names, "123456789012", recorded={each.id: each for each in recorded})


def make(iam: IAMClient, user: str = "jane", name: str = NAME, *, age: float = 30, **facts: Any) -> RecordedCredential:  # noqa: ANN401
    """Create a credential, and return it as recorded, with a password of that age in days."""
    created = iam.create_service_specific_credential(UserName=user, ServiceName=CODECOMMIT)["ServiceSpecificCredential"]
    key, issued = created["ServiceSpecificCredentialId"], datetime.now(UTC) - age * DAY
    return RecordedCredential(name, key, user, CODECOMMIT, created["CreateDate"], issued=issued, **facts)


@pytest.mark.usefixtures("signed_in")
def test_first_rotation(iam: IAMClient, messages: list[str]) -> None:
    """The message of a rotation names the id that stays valid, and the resource of the new password."""
    recorded = make(iam)
    planned = plan(state_of(recorded), ROTATED)[NAME]
    assert [each.resource_name for each in planned.slots] == [NAME, f"{NAME}~2"]
    (message,) = messages
    assert message.startswith(f"{NAME}: a new password or key is issued in {NAME}~2. {recorded.id} works until")


@pytest.mark.usefixtures("signed_in")
def test_most_overdue_first(iam: IAMClient, messages: list[str]) -> None:
    """`maxPerRun` rotates the most overdue credentials, and the others wait."""
    recorded, desired = [], []
    for number, user in enumerate(("ann", "bob", "cid")):
        iam.create_user(UserName=user)
        recorded.append(make(iam, user, f"{user}/codecommit", age=[40, 90, 60][number]))
        desired.append(replace(ROTATED, user=user))
    for limit, rotated in (
        (1, ["bob"]),
        (2, ["bob", "cid"]),
        (3, ["ann", "bob", "cid"]),
        (None, ["ann", "bob", "cid"]),
    ):
        messages.clear()
        plans = plan(state_of(*recorded), *desired, limit=limit)
        assert [name.partition("/")[0] for name, each in plans.items() if each.rotated is not None] == rotated
        assert sum("`maxPerRun` is reached" in text for text in messages) == 3 - len(rotated)


@pytest.mark.usefixtures("signed_in")
def test_messages(iam: IAMClient, messages: list[str]) -> None:
    """Messages explain a retirement, a rotation that waits, and a retired credential that is Active."""
    previous = make(iam, age=40, trigger="old")
    current = make(iam, name=f"{NAME}~2", age=8, rotation=1, trigger="old")
    plan(state_of(previous, current), ROTATED)
    assert messages == [f"{NAME}: the previous credential {previous.id} is deactivated, because its overlap has ended"]
    messages.clear()
    triggered = replace(ROTATED, trigger="new")
    plan(state_of(previous, replace(current, issued=datetime.now(UTC))), triggered)
    (waits,) = messages
    assert waits.startswith(f"warning: {NAME}: a rotation is due, but the previous password still works. The first")
    messages.clear()
    plan(state_of(replace(previous, is_retired=True), current), ROTATED)
    (reactivated,) = messages
    assert f"{previous.id} is Active although an earlier run retired it" in reactivated


@pytest.mark.usefixtures("signed_in", "messages")
def test_renamed_user(iam: IAMClient) -> None:
    """If IAM renamed the user and specs did not, both slots stay declared, and the provider rejects them."""
    previous, current = make(iam, age=40), make(iam, name=f"{NAME}~2", age=1, rotation=1)
    iam.update_user(UserName="jane", NewUserName="joan")
    planned = plan(state_of(previous, current), ROTATED)[NAME]
    assert [each.resource_name for each in planned.slots] == [f"{NAME}~2", NAME]
    assert (planned.rotated, planned.retired, planned.deleted) == (None, None, None)


@pytest.mark.usefixtures("signed_in")
def test_sibling(iam: IAMClient, messages: list[str]) -> None:
    """A rotation waits until the stack has deleted a second credential that specs no longer declare."""
    recorded, spare = make(iam), make(iam, name=f"{NAME}/spare")
    planned = plan(state_of(recorded, spare), ROTATED)[NAME]
    assert [each.resource_name for each in planned.slots] == [NAME]
    reason = f"{spare.id} of the same user and service must be deleted first"
    assert messages == [f"{NAME}: a rotation is due, but {reason}. A later `pulumi up` rotates this credential"]


@pytest.mark.usefixtures("signed_in")
def test_blocked_rotation(iam: IAMClient, emulator: Emulator, messages: list[str]) -> None:
    """A rotation that an unmanaged credential blocks is planned and rejected, and takes no other one's turn."""
    iam.create_user(UserName="ann")
    blocked, other = make(iam, age=90), make(iam, "ann", "ann/codecommit", age=40)
    emulator.controls.put_credential("ACCAUNMANAGED00000000", "jane", CODECOMMIT)
    plans = plan(state_of(blocked, other), ROTATED, replace(ROTATED, user="ann"), limit=1)
    assert [each.rotated is not None for each in plans.values()] == [True, True]
    assert [plans[NAME].is_blocked, plans["ann/codecommit"].is_blocked] == [True, False]
    assert not any("a new password is issued as jane" in text for text in messages)
    adopting = replace(ROTATED, existing=Existing.ADOPT)
    assert not plan(state_of(blocked), adopting)[NAME].is_blocked


@pytest.mark.usefixtures("signed_in")
def test_blocked(iam: IAMClient, emulator: Emulator, messages: list[str]) -> None:
    """An unmanaged credential that leaves no quota for the successor is reported at once, with the due date."""
    recorded = make(iam, age=1)
    emulator.controls.put_credential("ACCAUNMANAGED00000000", "jane", CODECOMMIT)
    plan(state_of(recorded), ROTATED)
    (warning,) = messages
    assert "ACCAUNMANAGED00000000 (unmanaged) leaves no quota for the successor of" in warning
    assert "to be created from 20" in warning
