"""The state that the engine returns to the program, by the engine's own protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pulumi
import pytest

from iamcreds.delivery import DeliveredSecret, Delivery
from iamcreds.errors import StateError
from iamcreds.pulumi_engine.program_context import state_context
from iamcreds.pulumi_engine.stack_state import StackState, _read_state
from iamcreds.resource_types import CREDENTIAL_TYPE
from tests.providers.engine import Engine, asking

if TYPE_CHECKING:
    from pulumi.runtime.proto.provider_pb2 import InvokeResponse
    from pulumi.runtime.proto.resource_pb2 import ResourceInvokeRequest

CODECOMMIT = "codecommit.amazonaws.com"
CREATED = "2026-11-24T00:00:00+00:00"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "jane"}


def resource(user: Any, id_: str, type_: str = CREDENTIAL_TYPE, **more: object) -> dict[str, Any]:  # noqa: ANN401 - any
    """Return a resource as in the state."""
    outputs = {"user": user, "service": CODECOMMIT, "credential_id": id_, "create_date": CREATED} | more
    return {"type": type_, "outputs": outputs}


def test_read() -> None:
    """The state has resource names by user, service and id, the account, and the newest date of each service."""
    urn = f"urn:pulumi:dev::iamcreds::{CREDENTIAL_TYPE}::"
    engine = Engine(
        {
            f"{urn}jane/codecommit/a": resource("jane", "ACCA1", account_id="123456789012"),
            f"{urn}odd::name": resource(SECRET, "ACCA2", create_date="2026-11-25T00:00:00+00:00"),
            f"{urn}bob/codecommit": resource("bob", "ACCA3", account_id="123456789012"),
            "urn:pulumi:dev::iamcreds::other::x": resource("jane", "ACCA4", "other"),
        }
    )
    with asking(engine) as monitor:
        state = _read_state(monitor, "org/iamcreds/dev")
    assert engine.asked == [("pulumi:pulumi:readStackResourceOutputs", {"stackName": "org/iamcreds/dev"})]
    assert state == StackState(
        {
            ("jane", CODECOMMIT): {"ACCA1": "jane/codecommit/a", "ACCA2": "odd::name"},
            ("bob", CODECOMMIT): {"ACCA3": "bob/codecommit"},
        },
        "123456789012",
        newest={CODECOMMIT: "2026-11-25T00:00:00+00:00"},
    )


def test_delivery() -> None:
    """The state has the declared delivery and the delivered version of a credential, and the presence of its secret."""
    deliver = {"secrets_manager": {"name": "{service}/{user}", "tags": {"value": "a"}}, "keep_in_state": True}
    delivery = {"arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-1", "version": "1"}
    outputs: dict[str, Any] = {"deliver": deliver, "delivery": delivery, "service_password": SECRET}
    urn = f"urn:pulumi:dev::iamcreds::{CREDENTIAL_TYPE}::jane/codecommit"
    with asking(Engine({urn: resource("jane", "ACCA1234567890123456", status="Active", **outputs)})) as monitor:
        state = _read_state(monitor, "org/iamcreds/dev")
    assert state is not None
    recorded = state.read("jane/codecommit")
    assert (recorded.deliver, recorded.delivered) == (Delivery.read(deliver), DeliveredSecret(**delivery))
    assert recorded.has_secret


def test_nothing_recorded() -> None:
    """An empty state has no credentials and no account."""
    with asking(Engine({})) as monitor:
        assert _read_state(monitor, "org/iamcreds/empty") == StackState({}, None)


def test_no_state() -> None:
    """An unreadable state is not evaluated."""
    engine = Engine(None)
    with asking(engine) as monitor:
        assert _read_state(monitor, "org/iamcreds/none") is None
    assert len(engine.asked) == 3


class Busy(Engine):
    """An engine that fails the first request."""

    def Invoke(self, request: ResourceInvokeRequest, context: grpc.ServicerContext) -> InvokeResponse:  # noqa: N802 - gRPC's
        """Return the state from the second request on."""
        if not self.asked:
            self.asked.append((request.tok, {}))
            context.abort(grpc.StatusCode.UNKNOWN, "unexpected end of JSON input")
        return super().Invoke(request, context)


def test_state_that_is_being_written() -> None:
    """If the engine cannot read the state at the moment, the program repeats the request."""
    with asking(Busy({})) as monitor:
        assert _read_state(monitor, "org/iamcreds/busy") == StackState({}, None)


def test_two_of_one_name() -> None:
    """If two resources of different users share a name, neither counts for a third user."""
    state = StackState({("jane", CODECOMMIT): {"ACCA1": "x"}, ("joe", CODECOMMIT): {"ACCA2": "x"}}, None)
    assert state.describe("x", "kim", "codecommit")["owned"] == {}
    assert state.describe("x", "joe", "codecommit")["owned"] == {"ACCA2": "x"}
    one = StackState({("jane", CODECOMMIT): {"ACCA1": "x"}}, None)
    assert one.describe("x", "kim", "codecommit")["owned"] == {"ACCA1": "x"}


@pytest.mark.parametrize("rotation", [float("inf"), float("nan"), "x"])
def test_wrong_rotation(rotation: float | str) -> None:
    """A credential whose number is not valid is in the state, but cannot be read."""
    urn = f"urn:pulumi:dev::iamcreds::{CREDENTIAL_TYPE}::"
    id_ = "ACCAEXAMPLE1234567890"
    right = resource("jane", id_.replace("0", "1"), rotation=1.0)
    engine = Engine({f"{urn}a": resource("jane", id_, rotation=rotation), f"{urn}b": right})
    with asking(engine) as monitor:
        state = _read_state(monitor, "org/iamcreds/wrong")
    assert state is not None
    assert state.has("a")
    with pytest.raises(StateError, match=f"a: the state has properties of credential {id_} that are not valid"):
        state.read("a")
    assert state.read("b").rotation == 1


def test_user_that_is_an_output() -> None:
    """If the user or the service is an output, the run context depends on it."""
    state = StackState({("jane", CODECOMMIT): {"ACCA1": "a"}}, "123456789012", newest={CODECOMMIT: CREATED})
    told: dict[str, Any] = {}

    def program() -> None:
        message = state_context(state, "x", pulumi.Output.from_input("jane"), "codecommit")
        pulumi.Output.all(**message).apply(told.update)

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    assert told == {
        "resource": "x",
        "user": "jane",
        "service": CODECOMMIT,
        "owned": {"ACCA1": "a"},
        "of_user": ["ACCA1"],
        "recorded": 1,
        "newest": CREATED,
        "account": "123456789012",
    }


@pytest.mark.parametrize("wrong", [None, 5, ["jane"], {"name": "jane"}])
def test_no_text(wrong: object) -> None:
    """The run context has no credentials if the user or the service is not a string; check rejects it."""
    state = StackState({("jane", CODECOMMIT): {"ACCA1": "a"}}, None)
    nothing: dict[str, Any] = {"user": None, "service": None, "owned": {}, "of_user": [], "newest": None}
    assert state.describe("x", wrong, "codecommit") == nothing
    assert state.describe("x", "jane", wrong) == nothing
