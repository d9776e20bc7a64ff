"""The requests of the YAML program and its use of the responses, without the engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse, Result
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.rpc import UNKNOWN, is_rpc_secret, unwrap_rpc_secret, wrap_rpc_secret

from iamcreds.desired import DesiredCredential, RotationPolicy
from iamcreds.model import SourceLocation, Status
from iamcreds.planning.slot_plan import SlotPlan
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.monitor import send
from iamcreds.pulumi_engine.program_context import state_context
from iamcreds.pulumi_engine.registration import _list_credentials, _Run, register
from iamcreds.pulumi_engine.requests import credential_request
from iamcreds.pulumi_engine.responses import RegisteredResource, describe_slots, group_slots
from iamcreds.pulumi_engine.run_progress import RunProgress
from iamcreds.pulumi_engine.stack_state import StackState
from iamcreds.specs import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from iamcreds.desired import Desired

SPECS = """account: "123456789012"
users:
  jane:
    credentials:
      - {service: codecommit, name: new, was: old, status: Inactive, protect: true}
      - {service: codecommit, name: other}
    accessKeys: {max: 1}
"""
PLACE = SourceLocation("specs/a.yaml", 5, 9)


class Mocks(pulumi.runtime.Mocks):
    """Mocks that respond like the engine and record the registrations."""

    def __init__(self) -> None:
        self.registered: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create every credential."""
        self.registered[args.name] = dict(args.inputs)
        outputs = {"credential_id": "ACCA1", "service_user_name": "jane-at-1", "service_password": "hunter2"}
        return f"{args.name}-id", args.inputs | outputs | {"status": "Active"}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Fail on every function call."""
        raise AssertionError(args.token)


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    """Load SPECS."""
    (tmp_path / "a.yaml").write_text(SPECS)
    return load(tmp_path / "a.yaml")


def test_passwords_are_not_shown() -> None:
    """The printed form of a run contains no password."""
    progress = RunProgress(1, print)
    assert "hunter2" not in repr(_Run(None, None, {"jane/codecommit": "hunter2"}, progress, []))


def test_password_of_a_successor(desired: Desired) -> None:
    """Only the import has the password to import: the successor in its slot is a new credential."""
    (user,) = desired.users
    run = _Run(None, None, {"jane/codecommit/other": "hunter2"}, RunProgress(1, print), [])
    for adopt in ("ACCA1", None):
        credential = replace(user.credentials[1], adopt=adopt)
        ((_, request),) = _list_credentials(replace(user, credentials=(credential,)), run, "urn")
        assert ("password" in request.object.fields) == (adopt is not None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_under_mocks(desired: Desired) -> None:
    """With Pulumi's mocks, everything is registered and returned, and no state is read."""
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)
    told: dict[str, Any] = {}
    pulumi.runtime.test(lambda: register(desired).apply(told.update))()  # type: ignore[no-untyped-call]
    assert set(mocks.registered) == {"jane/codecommit/new", "jane/codecommit/other", desired.files[0]}
    sent = mocks.registered["jane/codecommit/other"]
    assert sent["run"] == {
        "resource": "jane/codecommit/other",
        "group": {
            "jane/codecommit/new": {"status": "Inactive", "declared": 2},
            "jane/codecommit/other": {"declared": 2},
        },
        "options": {"deletes_first": True},
        "on_rejection": "defer",
        "may_create_users": False,
    }
    watched = mocks.registered[desired.files[0]]
    assert watched["users"] == {"jane": {"max": 1}}
    assert (sent["account"], watched["account"]) == ("123456789012", "123456789012")
    assert watched["run"] == {"on_rejection": "defer", "may_create_users": False}
    assert told["credentials"]["jane/codecommit/new"] == {"id": "ACCA1", "user_name": "jane-at-1", "status": "Active"}
    assert unwrap_rpc_secret(told["secrets"]["jane/codecommit/new"]) == "hunter2"


def test_request(desired: Desired) -> None:
    """A credential is registered with its source location, aliases, protection and secret outputs."""
    credential = desired.users[0].credentials[0]
    password = wrap_rpc_secret("hunter2")
    inputs = CredentialInputs.declare(credential, declared=2, account="123456789012", password=password)
    request = credential_request(credential, inputs, run={"resource": "x"}, parent="urn")
    assert request.name == "jane/codecommit/new"
    aliases = [(alias.spec.name, alias.spec.noParent) for alias in request.aliases]
    assert aliases == [("", True), ("jane/codecommit/old", False), ("jane/codecommit/old", True)]
    assert request.protect
    assert (request.deleteBeforeReplace, request.deleteBeforeReplaceDefined) == (True, True)
    assert request.sourcePosition.uri == f"file://{credential.location.file}"
    assert (request.sourcePosition.line, request.sourcePosition.column) == (5, 9)
    assert list(request.additionalSecretOutputs) == ["service_password", "service_credential_secret"]
    sent = dict(request.object.items())
    assert set(sent) >= {"__provider", "run", "password"}
    assert is_rpc_secret(MessageToDict(request.object)["password"])
    assert {name: value for name, value in sent.items() if name not in {"__provider", "run", "password"}} == {
        "user": "jane",
        "service": "codecommit.amazonaws.com",
        "status": Status.INACTIVE,
        "declared": 2,
        "account": "123456789012",
    }


def test_request_of_one(tmp_path: Path) -> None:
    """By default, the only credential of a user and service is not protected, renamed or deleted before replacement."""
    (tmp_path / "a.yaml").write_text("users: {jane: {credentials: [{service: codecommit, existing: fail}]}}")
    credential = load(tmp_path).users[0].credentials[0]
    inputs = CredentialInputs.declare(credential, declared=1, account=None, password=None)
    request = credential_request(credential, inputs, run={}, parent="urn")
    assert (request.protect, [alias.spec.name for alias in request.aliases if alias.spec.name]) == (False, [])
    assert (request.deleteBeforeReplace, request.deleteBeforeReplaceDefined) == (False, False)
    assert MessageToDict(request.object).keys() == {"__provider", "run", "user", "service"}


def registered(outputs: Mapping[str, Any], **answer: Any) -> RegisteredResource:  # noqa: ANN401 - the fields of the response
    """Return a registered credential with this response of the engine."""
    response = RegisterResourceResponse(**answer)
    response.object.update(dict(outputs))
    return RegisteredResource(PLACE, RegisterResourceRequest(name="jane/codecommit"), response)


def test_unknown_in_a_preview() -> None:
    """In a preview, an unknown output is unknown, and an unknown secret is an unknown secret."""
    credential = registered({"user": "jane", "status": "Active"})
    assert credential.public_outputs() == {"id": UNKNOWN, "user_name": UNKNOWN, "status": "Active"}
    assert is_rpc_secret(credential.secret_output())
    assert unwrap_rpc_secret(credential.secret_output()) == UNKNOWN


def test_secrets_are_wrapped_once() -> None:
    """A secret is wrapped once, whether the engine wrapped it or not."""
    wrapped = registered({"service_credential_secret": registered({"service_password": "hunter2"}).secret_output()})
    assert unwrap_rpc_secret(wrapped.secret_output()) == "hunter2"


def test_what_is_not_made() -> None:
    """A resource that failed or was excluded by `--target` is not done."""
    assert registered({}).is_done
    assert not registered({}, result=Result.FAIL).is_done
    assert not registered({}, unknown=True).is_done


def test_rejections() -> None:
    """Each reason of a rejection is reported with the resource and its source location."""
    assert list(registered({}).rejections()) == []
    rejections = list(registered({"refused": ["so", "and so"]}).rejections())
    assert [rejection.sentence for rejection in rejections] == ["jane/codecommit: so", "jane/codecommit: and so"]
    assert {rejection.location for rejection in rejections} == {PLACE}


def test_message() -> None:
    """The run context has the state's credentials of that user and service, or only the name without a state."""
    service = "codecommit.amazonaws.com"
    names = {("jane", service): {"ACCA1": "jane/codecommit"}, ("joe", service): {"ACCA2": "joe/codecommit"}}
    state = StackState(names, "123456789012", newest={service: "2026-11-24"})
    context = {"resource": "x", "user": "jane", "service": service, "recorded": 2, "account": "123456789012"}
    owned = {"owned": {"ACCA1": "jane/codecommit"}, "of_user": ["ACCA1"]}
    assert state_context(state, "x", "jane", "codecommit") == {**context, **owned, "newest": "2026-11-24"}
    assert state_context(state, "x", "jane", "bedrock")["owned"] == {}
    assert state_context(None, "x", "jane", "bedrock") == {"resource": "x"}
    nothing = {"recorded": 0, "owned": {}, "of_user": [], "newest": None}
    empty = state_context(StackState({}, None), "x", "jane", "bedrock")
    assert empty == {"resource": "x", "user": "jane", "service": "bedrock.amazonaws.com", **nothing}
    of_specs = replace(state, users=frozenset({"jane", "joe"}))
    assert "newest" not in state_context(of_specs, "x", "jane", "codecommit"), "specs never change a resource's user"


def test_whatever_the_users_are_called() -> None:
    """The run context has the resource's own credential and those of undeclared users, under any user name."""
    service = "codecommit.amazonaws.com"
    names = {("jane", service): {"ACCA1": "jane/codecommit"}, ("john", service): {"ACCA2": "john/codecommit"}}
    state = StackState(names, None)
    assert state_context(state, "jane/codecommit", "joan", service)["owned"] == {"ACCA1": "jane/codecommit"}
    assert state_context(state, "joan/codecommit", "joan", service)["owned"] == {}
    state = StackState(names, None, frozenset({"joan", "john"}))
    told = state_context(state, "joan/codecommit", "joan", service)
    assert (told["owned"], told["of_user"]) == ({"ACCA1": "jane/codecommit"}, [])


def test_engine_that_is_gone() -> None:
    """An engine that shuts down ends the program with an exit code to which Pulumi adds nothing."""
    with (
        grpc.insecure_channel("127.0.0.1:9") as channel,
        asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner,  # asyncio.run would end the loop of all tests
        pytest.raises(SystemExit) as ended,
    ):
        runner.run(send(ResourceMonitorStub(channel).RegisterResource, RegisterResourceRequest()))
    assert ended.value.code == 32


def test_end_of_the_previous_credential() -> None:
    """`valid_until` is the earlier of expiry and retirement; it is omitted if no run ends the previous credential."""
    rotate = RotationPolicy(7 * 24, 90 * 24)
    desired = DesiredCredential(
        "jane", "bedrock.amazonaws.com", "bedrock", SourceLocation("a.yaml", 1, 1), rotate=rotate
    )
    plan = SlotPlan((desired,))
    dates = {"issued_at": "2027-01-01T00:00:00+00:00", "create_date": "2026-01-01T00:00:00+00:00", "status": "Active"}
    previous = {"credential_id": "ACCA1", "service_credential_alias": "jane-at", "status": "Active"}
    current = {"credential_id": "ACCA2", "rotation": 1.0, **dates}
    soon, later = (f"2027-01-0{day}T00:00:00+00:00" for day in (2, 9))

    def end(plan: SlotPlan | None, **changed: Any) -> object:  # noqa: ANN401 - outputs of either credential
        now = registered(current | {name: each for name, each in changed.items() if name != "expiration_date"})
        old = registered(previous | {name: each for name, each in changed.items() if name == "expiration_date"})
        return describe_slots([now, old], plan)["previous"].get("valid_until")

    assert end(plan) == "2027-01-08T00:00:00+00:00"
    assert end(plan, expiration_date=later) == "2027-01-08T00:00:00+00:00"
    assert end(plan, expiration_date=soon) == soon
    assert end(plan, status="Inactive") is None
    assert end(None) is None
    assert end(plan, issued_at="junk") == "2026-01-08T00:00:00+00:00"
    assert "previous" not in describe_slots([registered(current), registered(previous | {"status": "Inactive"})], plan)


@pytest.mark.parametrize(("recorded", "expected"), [(0, ["jane/codecommit"]), (1, []), (2, [])])
def test_previous_credential_is_no_substitute(recorded: int, expected: list[str]) -> None:
    """If the recorded current credential failed, the outputs do not show the previous one in its place."""
    previous = registered({"credential_id": "ACCA1", "service_password": "x"})
    plans = {"jane/codecommit": SlotPlan((), rotation=recorded)}
    assert list(group_slots([previous], plans)) == expected
    assert list(group_slots([previous], {})) == ["jane/codecommit"]
