"""`rotating_credential` with an engine and an account: the plan of both resources, and the selected outputs."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.resource_pb2 import RegisterResourceResponse, Result
from pulumi.runtime.settings import Settings, configure, set_root_resource

from dynamic_providers import RotatingCredential, ServiceSpecificCredential, rotating_credential, rotation
from iamcreds.resource_types import CREDENTIAL_TYPE
from tests.providers.engine import Engine, asking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

ACCOUNT = "123456789012"
KEYSPACES = "cassandra.amazonaws.com"
OTHER = "ACCAOTHER000000000000"
LATER = "2035-01-01T00:00:00+00:00"
OUTPUTS = ("credential_id", "service_user_name", "issued_at", "previous")


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Remove the settings of other programs, and of this one."""
    set_root_resource(None)  # type: ignore[arg-type] # as before a program
    yield
    configure(Settings(None, None))


@pytest.fixture
def created(iam: IAMClient, signed_in: Emulator) -> dict[str, Any]:
    """Return the recorded outputs of jane's credential, which was created 91 days ago."""
    response = iam.create_service_specific_credential(UserName="jane", ServiceName=KEYSPACES)
    credential = response["ServiceSpecificCredential"]
    signed_in.controls.set(clock_shift=91 * 86_400)
    signed_in.controls.clear_counts()
    date = credential["CreateDate"].isoformat()
    return {
        "user": "jane",
        "service": KEYSPACES,
        "credential_id": credential["ServiceSpecificCredentialId"],
        "account_id": ACCOUNT,
        "status": "Active",
        "create_date": date,
        "issued_at": date,
        "service_user_name": credential["ServiceUserName"],
    }


def record(name: str, outputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the URN and the resource of a credential in the state."""
    return f"urn:pulumi:dev::iamcreds::{CREDENTIAL_TYPE}::{name}", {"type": CREDENTIAL_TYPE, "outputs": outputs}


def answer(outputs: dict[str, Any], **fields: Any) -> RegisterResourceResponse:  # noqa: ANN401 - the protocol
    """Return a response of the engine for a resource."""
    response = RegisterResourceResponse(**fields)
    response.object.update(outputs)
    return response


def answer_all(outputs: dict[str, Any]) -> dict[str, RegisterResourceResponse]:
    """Return the same response for both resources."""
    return {name: answer(outputs) for name in ("vault", "vault~2")}


def run(
    engine: Engine,
    declare: Callable[[], RotatingCredential | list[ServiceSpecificCredential]],
    *,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Run a program and return the outputs of its rotating credential; unknown ones are missing."""
    outputs: dict[str, Any] = {}

    async def program() -> None:
        declared = declare()
        for resource in declared if isinstance(declared, list) else declared.resources:
            await resource.urn.future()
        if isinstance(declared, list):
            return
        outputs["dependencies"] = {each._name for each in await declared.credential_id.resources()}  # noqa: SLF001
        for name in OUTPUTS:
            output: pulumi.Output[Any] = getattr(declared, name)
            value = await output.future()
            outputs.update({name: value} if await output.is_known() else {})

    with asking(engine) as monitor:
        configure(Settings("iamcreds", "dev", monitor, dry_run=dry_run, organization="acme"))
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(program())
    return outputs


def declare(**arguments: Any) -> RotatingCredential:  # noqa: ANN401 - the function's own arguments
    """Declare the rotating credential of the tests."""
    given = {"user": "jane", "service": "keyspaces", "every": "90d", "overlap": "7d"} | arguments
    return rotating_credential("vault", **given)


def inputs(engine: Engine, name: str) -> dict[str, Any]:
    """Return the registered properties of a resource, without its provider."""
    registered = MessageToDict(engine.requests[CREDENTIAL_TYPE, name].object)
    registered.pop("__provider")
    return dict(registered)


def names(engine: Engine) -> list[str]:
    """Return the names of the registered resources."""
    return sorted(name for _, name in engine.requests)


def test_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the state has no resource of this name, one plain credential is declared without a call to AWS."""
    monkeypatch.setattr(rotation, "open_account", pytest.fail)
    engine = Engine(dict([record("other", {"user": "jane", "service": KEYSPACES, "credential_id": OTHER})]))
    outputs = run(engine, lambda: declare(user=pulumi.Output.from_input("jane"), trigger="a", reset="b"))
    assert names(engine) == ["vault"]
    registered = inputs(engine, "vault")
    assert registered["run"]["renewed"]
    assert {name: registered.get(name) for name in ("declared", "rotation", "trigger", "reset", "status")} == {
        "declared": 2,
        "rotation": None,
        "trigger": "a",
        "reset": "b",
        "status": None,
    }
    assert outputs["previous"] is None


def test_rotation(created: dict[str, Any], signed_in: Emulator) -> None:
    """A rotation that is due declares the second resource; several calls cost one list and one STS call."""
    signed_in.controls.put_credential(OTHER, "jane", "codecommit.amazonaws.com")
    second = {**created, "credential_id": OTHER, "service": "codecommit.amazonaws.com"}
    engine = Engine(dict([record("vault", created), record("git", second)]))

    def program() -> list[ServiceSpecificCredential]:
        git = rotating_credential("git", user="jane", service="codecommit", trigger="a", overlap="12h")
        return [*declare(account=ACCOUNT).resources, *git.resources]

    run(engine, program)
    assert names(engine) == ["git", "vault", "vault~2"]
    current, successor = inputs(engine, "vault"), inputs(engine, "vault~2")
    assert (current.get("rotation"), successor["rotation"]) == (None, 1)
    assert (current["account"], successor["account"]) == (ACCOUNT, ACCOUNT)
    assert current["run"]["previous"]
    assert successor["run"]["rotates"] == created["credential_id"]
    assert "previous" not in successor["run"]
    assert "rotates" not in current["run"]
    assert current["run"]["group"] == {"vault": {"declared": 2}, "vault~2": {"declared": 2}}
    assert signed_in.controls.counts() == {"sts:GetCallerIdentity": 1, "iam:ListServiceSpecificCredentials": 1}


@pytest.mark.parametrize("is_renamed", [False, True])
def test_user_of_other_resource(created: dict[str, Any], iam: IAMClient, is_renamed: bool) -> None:  # noqa: FBT001
    """The plan of a user that is an output uses the recorded user, also after a rename in IAM."""
    if is_renamed:
        iam.update_user(UserName="jane", NewUserName="joan")
    engine = Engine(dict([record("vault", created)]), answer_all(created))
    user = "joan" if is_renamed else "jane"
    run(engine, lambda: declare(user=pulumi.Output.from_input(user)))
    assert names(engine) == ["vault", "vault~2"]
    assert inputs(engine, "vault~2")["user"] == user


def done(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any outputs
    """Return the outputs of the rotated second resource."""
    outputs = {"credential_id": OTHER, "issued_at": LATER, "service_user_name": "jane+1", "status": "Active"}
    return {**outputs, "create_date": LATER, "rotation": 1, **changes}


@pytest.mark.parametrize(
    ("successor", "is_done"),
    [
        (answer(done()), True),
        (answer({}, result=Result.FAIL), False),
        (answer({}, unknown=True), False),
    ],
)
def test_created_successor(created: dict[str, Any], successor: RegisterResourceResponse, is_done: bool) -> None:  # noqa: FBT001
    """The outputs are those of a created successor, and of the recorded credential if it failed or was left out."""
    engine = Engine(dict([record("vault", created)]), {"vault": answer(created), "vault~2": successor})
    outputs = run(engine, declare)
    first = created["credential_id"]
    if is_done:
        end = (datetime.fromisoformat(LATER) + timedelta(days=7)).isoformat()
        previous = {"id": first, "user_name": created["service_user_name"], "valid_until": end}
        assert (outputs["credential_id"], outputs["previous"]) == (OTHER, previous)
    else:
        assert (outputs["credential_id"], outputs["service_user_name"]) == (first, created["service_user_name"])
        assert outputs.get("previous") is None
    assert outputs["dependencies"] == {"vault~2" if is_done else "vault"}


@pytest.mark.parametrize("is_done", [True, False])
def test_reset_successor(created: dict[str, Any], signed_in: Emulator, is_done: bool) -> None:  # noqa: FBT001
    """If `--target` leaves out a reset, the recorded outputs that the engine returns show that it is not done."""
    signed_in.controls.put_credential(OTHER, "jane", KEYSPACES, status="Inactive")
    created |= {"rotation": 1}
    retired = done(issued_at="2030-01-01T00:00:00+00:00", status="Inactive", desired_status="Inactive")
    retired |= {"user": "jane", "service": KEYSPACES, "account_id": ACCOUNT}
    del retired["rotation"]
    state = dict([record("vault~2", created), record("vault", retired)])
    successor = retired | ({"rotation": 2, "issued_at": LATER, "status": "Active"} if is_done else {})
    engine = Engine(state, {"vault~2": answer(created), "vault": answer(successor)})
    outputs = run(engine, declare)
    assert inputs(engine, "vault")["rotation"] == 2
    assert outputs["credential_id"] == (OTHER if is_done else created["credential_id"])
    assert (outputs["previous"] is None) == (not is_done)


def test_preview(created: dict[str, Any]) -> None:
    """A preview shows the outputs of the planned successor as unknown, so that consumers show a change."""
    engine = Engine(dict([record("vault", created)]), {"vault": answer(created), "vault~2": answer({"rotation": 1})})
    assert run(engine, declare, dry_run=True) == {"dependencies": {"vault~2"}}


@pytest.mark.parametrize(("days", "status"), [(1, "Active"), (8, "Inactive")])
def test_previous(created: dict[str, Any], iam: IAMClient, signed_in: Emulator, days: int, status: str) -> None:
    """The previous login is shown until it is retired, and with `retire="delete"` it is not declared any more."""
    response = iam.create_service_specific_credential(UserName="jane", ServiceName=KEYSPACES)
    credential = response["ServiceSpecificCredential"]
    date = credential["CreateDate"].isoformat()
    current = {**created, "credential_id": credential["ServiceSpecificCredentialId"], "rotation": 1}
    current |= {"create_date": date, "issued_at": date}
    signed_in.controls.set(clock_shift=(91 + days) * 86_400)
    state = dict([record("vault", created), record("vault~2", current)])
    answers = {"vault": answer(created | {"status": status}), "vault~2": answer(current)}
    engine = Engine(state, answers)
    outputs = run(engine, declare)
    is_retired = status == "Inactive"
    assert inputs(engine, "vault").get("status") == ("Inactive" if is_retired else None)
    assert outputs["credential_id"] == current["credential_id"]
    assert (outputs["previous"] is None) == is_retired
    engine = Engine(state, answers)
    run(engine, lambda: declare(retire="delete"))
    assert names(engine) == (["vault~2"] if is_retired else ["vault", "vault~2"])


def test_errors_of_aws(created: dict[str, Any], signed_in: Emulator) -> None:
    """If AWS denies the list, the program ends with one plain error before it declares anything."""
    signed_in.controls.deny("iam:ListServiceSpecificCredentials")
    engine = Engine(dict([record("vault", created)]))
    with pytest.raises(pulumi.RunError, match="AWS error AccessDenied"):
        run(engine, declare)
    assert names(engine) == []


@pytest.mark.usefixtures("created")
def test_unreadable_state() -> None:
    """If the state cannot be read, the run ends without a plan."""
    engine = Engine(None)
    with pytest.raises(pulumi.RunError, match="the stack's state cannot be read"):
        run(engine, declare)
    assert names(engine) == []


def test_other_account(created: dict[str, Any]) -> None:
    """Credentials of a different account end the run."""
    with pytest.raises(pulumi.RunError, match=r"belong to account 123456789012, but .* account 999999999999"):
        run(Engine(dict([record("vault", created)])), lambda: declare(account="999999999999"))


def test_alias(created: dict[str, Any]) -> None:
    """Both resources are found under former names; the alias of the second one has the suffix as well."""
    engine = Engine(dict([record("old", created)]), answer_all(created))
    options = pulumi.ResourceOptions(
        aliases=[
            pulumi.Alias(name="old"),
            pulumi.Alias(type_="x"),
            "urn:pulumi:a::b::c::old",
            pulumi.Output.from_input("urn:pulumi:a::b::c::d"),
        ]
    )
    run(engine, lambda: declare(opts=options))
    assert names(engine) == ["vault", "vault~2"]
    urns = {name: engine.requests[CREDENTIAL_TYPE, name].aliasURNs for name in names(engine)}
    own = f"urn:pulumi:dev::iamcreds::{CREDENTIAL_TYPE}"
    assert {f"{own}::old", "urn:pulumi:a::b::c::old", "urn:pulumi:a::b::c::d", "urn:pulumi:dev::iamcreds::x::vault"} < {
        *urns["vault"]
    }
    assert sorted(urns["vault~2"]) == sorted(f"{urn}~2" for urn in urns["vault"])


@pytest.mark.parametrize(
    ("recorded", "declared", "is_rejected"),
    [
        ({"vault": 0, "vault~2": 1}, ["vault"], True),
        ({"vault~2": 1}, ["vault"], True),
        ({"vault": 2, "vault~2": 1}, ["vault"], False),
        ({"vault": 0, "vault~2": 0}, ["vault"], False),
        ({"vault": 0, "vault~2": 1}, ["vault~2"], False),
        ({"vault": 0, "vault~2": 1}, ["vault~2", "vault"], False),
    ],
)
def test_plain_credential(recorded: dict[str, int], declared: list[str], is_rejected: bool) -> None:  # noqa: FBT001
    """A plain credential in place of a rotating one is rejected if the engine would delete the current password."""
    date = "2026-11-24T00:00:00+00:00"
    outputs = {"user": "jane", "service": KEYSPACES, "status": "Active", "create_date": date, "account_id": ACCOUNT}
    ids = {name: f"ACCASLOT0000000000{number}00" for number, name in enumerate(recorded)}
    state = dict(
        record(name, outputs | {"credential_id": ids[name], "rotation": number}) for name, number in recorded.items()
    )
    engine = Engine(state)

    def program() -> list[ServiceSpecificCredential]:
        return [ServiceSpecificCredential(name, user="jane", service="keyspaces", declared=2) for name in declared]

    if is_rejected:
        with pytest.raises(pulumi.RunError, match=rf"'vault' is {ids['vault~2']} in resource 'vault~2', which"):
            run(engine, program)
    else:
        run(engine, program)
        assert names(engine) == sorted(declared)
