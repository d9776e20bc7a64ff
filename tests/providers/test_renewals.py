"""The facts for the plan of both slots: from the stack's state, the account, and the approved plan."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from iamcreds.desired import Desired, DesiredCredential, DesiredUser
from iamcreds.model import RecordedCredential, SourceLocation, Status
from iamcreds.planning.slot_plan import SlotPlan
from iamcreds.pull_request.approval import Approval
from iamcreds.pulumi_engine import successors
from iamcreds.pulumi_engine.stack_state import StackState
from iamcreds.pulumi_engine.successors import declare_slots, plan_successors

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

BEDROCK = "bedrock.amazonaws.com"
NAME = "jane/bedrock"
PLAIN = DesiredCredential("jane", BEDROCK, "bedrock", SourceLocation("a.yaml", 1, 1), expire_after_days=90)
RENEWED = replace(PLAIN, renew_before_hours=48)
GONE = "ACCAGONE0000000000000"


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the config of the stack, which is empty, in an update."""
    values: dict[str, str] = {}
    monkeypatch.setattr(pulumi, "Config", lambda: values)
    monkeypatch.setattr(successors, "is_dry_run", lambda: False)
    return values


def plan(state: StackState | None, *credentials: DesiredCredential, account: str | None = None) -> Any:  # noqa: ANN401
    """Plan the renewals of specs that declare these credentials."""
    users = (DesiredUser("jane", credentials[0].location, credentials),)
    loop = asyncio.new_event_loop()  # `asyncio.run` would leave the thread without a loop for the next test
    try:
        return loop.run_until_complete(plan_successors(Desired(users, account), state))
    finally:
        loop.close()


def state_of(*recorded: RecordedCredential) -> StackState:
    """Return a state with these credentials."""
    names = {("jane", BEDROCK): {each.id: each.resource for each in recorded}}
    return StackState(names, "123456789012", recorded={each.id: each for each in recorded})


def record(created: datetime, credential_id: str = GONE) -> RecordedCredential:
    """Return the recorded credential of slot 1, which expires 90 days after its creation."""
    expires = created + timedelta(days=90)
    return RecordedCredential(NAME, credential_id, "jane", BEDROCK, created, age_days=90, expires=expires)


def outline(plan: SlotPlan) -> list[str]:
    """Return the names of the declared slots."""
    return [each.resource_name for each in plan.slots]


def test_no_successors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `renewBefore`, the program does not use the account, even if the state cannot be read."""
    monkeypatch.setattr(successors, "_plan", pytest.fail)
    assert plan(None, PLAIN) == {}
    assert plan(state_of(record(datetime.now(UTC))), PLAIN) == {}


def test_unreadable_state() -> None:
    """If the state cannot be read, nothing is planned by guessing."""
    with pytest.raises(pulumi.RunError, match="rotations and renewals cannot be planned without it"):
        plan(None, RENEWED)


@pytest.mark.usefixtures("signed_in", "config")
def test_other_account() -> None:
    """Credentials of a different account end the run, because its lists do not concern this stack."""
    with pytest.raises(pulumi.RunError, match=r"belong to account 123456789012, but .* account 999999999999"):
        plan(StackState({}, None), RENEWED, account="999999999999")


@pytest.mark.usefixtures("signed_in", "config")
def test_lag(iam: IAMClient) -> None:
    """A recorded credential that lists lack counts as existing if it is younger than a minute, else as deleted."""
    assert iam.list_users()["Users"]
    now = datetime.now(UTC)
    for created, renewed in ((now - timedelta(seconds=5), True), (now - timedelta(minutes=2), False)):
        recorded = replace(record(created), expires=created + timedelta(days=1))
        short = replace(RENEWED, expire_after_days=1)
        planned = plan(state_of(recorded), short)[NAME]
        assert (planned.renewed is not None, outline(planned)) == (
            renewed,
            [NAME, f"{NAME}~2"] if renewed else [NAME],
        )


@pytest.mark.usefixtures("config")
def test_approved_time(signed_in: Emulator, iam: IAMClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an approved plan, a renewal that became due after it waits for the next one."""
    created = iam.create_service_specific_credential(UserName="jane", ServiceName=BEDROCK, CredentialAgeDays=90)
    existing = created["ServiceSpecificCredential"]
    state = state_of(record(existing["CreateDate"], existing["ServiceSpecificCredentialId"]))
    signed_in.controls.set(clock_shift=89 * 86_400)
    assert plan(state, RENEWED)[NAME].renewed is not None
    approval = Approval("p", "s", None, existing["CreateDate"] + timedelta(days=87), None, {})
    monkeypatch.setattr(successors, "read_approval", lambda: approval)
    assert plan(state, RENEWED)[NAME].renewed is None


@pytest.mark.usefixtures("signed_in")
def test_time_of_previews(iam: IAMClient, config: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An update that would renew by config `now` is rejected; a preview shows it."""
    created = iam.create_service_specific_credential(UserName="jane", ServiceName=BEDROCK, CredentialAgeDays=90)
    existing = created["ServiceSpecificCredential"]
    state = state_of(record(existing["CreateDate"], existing["ServiceSpecificCredentialId"]))
    config["now"] = (existing["CreateDate"] + timedelta(days=88, hours=1)).isoformat()
    with pytest.raises(pulumi.RunError, match="config `now` is only for previews"):
        plan(state, RENEWED)
    monkeypatch.setattr(successors, "is_dry_run", lambda: True)
    assert plan(state, RENEWED)[NAME].renewed is not None


@pytest.mark.usefixtures("iam")
def test_forgotten_time(signed_in: Emulator, iam: IAMClient, config: dict[str, str]) -> None:
    """An earlier time that was left in the config does not silently prevent a renewal that is due."""
    created = iam.create_service_specific_credential(UserName="jane", ServiceName=BEDROCK, CredentialAgeDays=90)
    existing = created["ServiceSpecificCredential"]
    state = state_of(record(existing["CreateDate"], existing["ServiceSpecificCredentialId"]))
    config["now"] = existing["CreateDate"].isoformat()
    assert plan(state, RENEWED)[NAME].renewed is None
    signed_in.controls.set(clock_shift=89 * 86_400)
    with pytest.raises(pulumi.RunError, match="config `now` is only for previews"):
        plan(state, RENEWED)


@pytest.mark.usefixtures("signed_in", "config")
def test_former_names(iam: IAMClient) -> None:
    """Slots are found under the former names of user and credential."""
    assert iam.list_users()["Users"]
    recorded = [
        replace(record(datetime.now(UTC)), resource="joan/bedrock/old"),
        replace(record(datetime.now(UTC), "ACCASECOND0000000000"), resource="joan/bedrock/old~2", rotation=1),
    ]
    planned = plan(state_of(*recorded), replace(RENEWED, was="old", user_was="joan"))[NAME]
    assert outline(planned) == [f"{NAME}~2", NAME]


@pytest.fixture
def denied(signed_in: Emulator, iam: IAMClient) -> dict[str, str]:
    """Return the ids of jane and joe, 89 days old; AWS denies the list of joe, and the list of all users lacks joe."""
    iam.create_user(UserName="joe")
    ids = {}
    for user in ("jane", "joe"):
        created = iam.create_service_specific_credential(UserName=user, ServiceName=BEDROCK, CredentialAgeDays=90)
        ids[user] = created["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    signed_in.controls.set(clock_shift=89 * 86_400, hidden_users=["joe"])
    signed_in.controls.deny("iam:ListServiceSpecificCredentials", call=2)
    return ids


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("declared", "status"), [(RENEWED, None), (replace(PLAIN, expire_after_days=30), Status.ACTIVE)]
)
def test_denied_user(
    denied: dict[str, str], declared: DesiredCredential, status: Status | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If AWS denies the read of one user, its slots are declared as recorded, and other users are renewed."""
    joe = replace(record(datetime.now(UTC), denied["joe"]), user="joe", resource="joe/bedrock", reset="old")
    other = replace(
        joe, id=GONE, resource="joe/bedrock~2", rotation=1, reset="lost", age_days=365, is_enforced=status is not None
    )
    retired = replace(joe, is_enforced=True, is_retired=True)
    jane = record(datetime.now(UTC), denied["jane"])
    names = {(each.user, BEDROCK): {each.id: each.resource} for each in (jane, joe)}
    names["joe", BEDROCK][other.id] = other.resource
    state = StackState(names, "123456789012", recorded={each.id: each for each in (jane, retired, other)})
    of_joe = replace(declared, user="joe", reset="new", adopt="ACCAIMPORTED000000000")
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    plans = plan(state, RENEWED, of_joe)
    assert plans[NAME].renewed is not None
    assert plans["joe/bedrock"] == SlotPlan(
        (
            replace(of_joe, slot=2, rotation=1, reset="lost", expire_after_days=365, status=status, adopt=None),
            replace(of_joe, reset="old", expire_after_days=90, status=Status.INACTIVE),
        )
    )
    (warning,) = warnings
    assert "joe/bedrock: no rotation or renewal is planned, because AWS denied access, and its" in warning
    assert "listing the service-specific credentials of user joe: AWS error AccessDenied" in warning


@pytest.mark.usefixtures("config")
def test_denied_new_credential(signed_in: Emulator, iam: IAMClient) -> None:
    """A new credential of a denied user is declared, and the provider rejects it."""
    iam.create_user(UserName="joe")
    created = iam.create_service_specific_credential(UserName="jane", ServiceName=BEDROCK, CredentialAgeDays=90)
    jane = record(datetime.now(UTC), created["ServiceSpecificCredential"]["ServiceSpecificCredentialId"])
    signed_in.controls.set(hidden_users=["jane", "joe"])
    signed_in.controls.deny("iam:ListServiceSpecificCredentials", call=3)
    of_joe = replace(RENEWED, user="joe")
    assert plan(state_of(jane), RENEWED, of_joe)["joe/bedrock"] == SlotPlan((of_joe,))


@pytest.mark.usefixtures("signed_in", "config")
@pytest.mark.parametrize(("name", "declared"), [(NAME, RENEWED), (f"{NAME}~2", RENEWED), (f"{NAME}~2", PLAIN)])
def test_two_of_one_name(iam: IAMClient, name: str, declared: DesiredCredential) -> None:
    """Two resources with the name of a slot end the run, because the plan may lack the current credential."""
    assert iam.list_users()["Users"]
    twin = replace(record(datetime.now(UTC), "ACCATWIN0000000000000"), resource=name)
    recorded = [replace(record(datetime.now(UTC)), resource=name), twin]
    with pytest.raises(pulumi.RunError, match=f"{name}: the state has 2 credentials .* {GONE} and {twin.id}, so"):
        plan(state_of(*recorded), declared)


def test_two_of_one_name_without_successors() -> None:
    """Without successors, a program may have two resources with one name."""
    twin = record(datetime.now(UTC), "ACCATWIN0000000000000")
    assert plan(state_of(record(datetime.now(UTC)), twin), PLAIN) == {}


@pytest.mark.usefixtures("signed_in", "config")
@pytest.mark.parametrize("declared", [RENEWED, PLAIN])
def test_unreadable_slot(iam: IAMClient, declared: DesiredCredential) -> None:
    """A slot whose recorded properties are not valid ends the run, because `up` would delete its credential."""
    assert iam.list_users()["Users"]
    state = replace(state_of(replace(record(datetime.now(UTC)), resource=f"{NAME}~2")), recorded={})
    with pytest.raises(pulumi.RunError, match=f"{NAME}~2: the state has properties of credential {GONE} that are not"):
        plan(state, declared)


def test_declared_slots() -> None:
    """The planned slots replace their credential; other credentials of the user stay."""
    other = replace(PLAIN, service="logs.amazonaws.com", name="logs")
    user = DesiredUser("jane", PLAIN.location, (RENEWED, other))
    slots = (RENEWED, replace(RENEWED, slot=2, rotation=1))
    assert declare_slots(user, {NAME: SlotPlan(slots)}).credentials == (*slots, other)
    assert declare_slots(user, {}) is user
