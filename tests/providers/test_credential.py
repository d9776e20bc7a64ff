"""`ServiceSpecificCredential` in a program: what the class sends to the engine, by Pulumi's own mocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.runtime.mocks import MockMonitor, Mocks

from dynamic_providers import ServiceSpecificCredential

if TYPE_CHECKING:
    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Given(Mocks):
    """What goes in comes out."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Every resource is made."""
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Nothing may be asked for."""
        raise AssertionError(args.token)


class Monitor(MockMonitor):
    """Keeps the requests, of which the mocks see a part."""

    def __init__(self) -> None:
        super().__init__(Given())
        self.requests: dict[str, RegisterResourceRequest] = {}

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:  # noqa: N802 - gRPC's
        """Every resource is made."""
        self.requests[request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-any-return, no-untyped-call]


def register(**arguments: Any) -> RegisterResourceRequest:  # noqa: ANN401 - the class's own
    """What is sent for a credential of a program."""
    monitor = Monitor()
    pulumi.runtime.set_mocks(Given(), monitor=monitor)
    given = {"user": "jane", "service": "codecommit"} | arguments
    pulumi.runtime.test(lambda: ServiceSpecificCredential("login", **given))()  # type: ignore[no-untyped-call]
    return monitor.requests["login"]


def test_secret_outputs() -> None:
    """The two secrets are marked so, beside those that the program asks for; its options stay as they are."""
    secrets = {"service_password", "service_credential_secret"}
    assert set(register().additionalSecretOutputs) == secrets
    options = pulumi.ResourceOptions(additional_secret_outputs=["service_user_name"])
    assert set(register(opts=options).additionalSecretOutputs) == secrets | {"service_user_name"}
    assert options.additional_secret_outputs == ["service_user_name"]


def test_deleted_first() -> None:
    """Where two are declared the old one makes room for its successor, unless the program says otherwise."""
    assert not register(declared=1).deleteBeforeReplace
    assert register(declared=2).deleteBeforeReplace
    options = pulumi.ResourceOptions(delete_before_replace=False)
    assert not register(declared=2, opts=options).deleteBeforeReplace


def test_what_is_sent() -> None:
    """Inputs go out under their names with the message of the run, and outputs as those that the service can have."""
    inputs = {"user": "jane", "service": "bedrock", "status": "Active", "reset": "x", "age_days": 30}
    more = {"existing": "adopt", "declared": 2, "account": "123456789012"}
    sent = dict(register(**inputs, **more).object.items())
    assert {name: sent[name] for name in (*inputs, *more)} == inputs | more
    assert sent["run"] == {"resource": "login"}


@pytest.mark.parametrize(
    ("service", "others"),
    [
        ("codecommit", ("expiration_date", "service_credential_alias", "service_credential_secret")),
        ("bedrock", ("expiration_date", "service_user_name", "service_password")),
    ],
)
def test_outputs_of_the_other_family(service: str, others: tuple[str, ...]) -> None:
    """An output that a credential of this service has not is None, and one that no credential has is an error."""
    seen: dict[str, Any] = {}

    def program() -> None:
        credential = ServiceSpecificCredential("login", user="jane", service=service)
        for name in others:
            getattr(credential, name).apply(lambda value, name=name: seen.update({name: value}))
        with pytest.raises(AttributeError, match="ServiceSpecificCredential has no passwort"):
            credential.passwort  # noqa: B018 - asking is the point

    pulumi.runtime.set_mocks(Given())
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    assert seen == dict.fromkeys(others)
