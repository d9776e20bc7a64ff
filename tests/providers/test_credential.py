"""The public classes in a program, tested with Pulumi's mocks: their requests and their outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.mocks import MockMonitor, Mocks
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from dynamic_providers import AccessKeys, ServiceSpecificCredential

if TYPE_CHECKING:
    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


MADE = {
    "account_id": "123456789012",
    "credential_id": "ACCA1",
    "status": "Active",
    "issued_at": "2026-11-24T00:00:00+00:00",
    "create_date": "2026-11-24T00:00:00+00:00",
    "expiration_date": "2026-12-24T00:00:00+00:00",
    "service_user_name": "jane-at-123456789012",
    "service_password": "hunter2",
    "service_credential_alias": "jane-at-123456789012",
    "service_credential_secret": "hunter3",
    "keys": {"jane": []},
    "findings": ["so"],
}
PASSWORD = {"service_user_name", "service_password"}
API_KEY = {"service_credential_alias", "service_credential_secret"}
ALWAYS = {"account_id", "credential_id", "status", "create_date", "issued_at"}


class Given(Mocks):
    """Mocks that return the inputs together with generated outputs."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create every resource."""
        return f"{args.name}-id", MADE | dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Fail on every function call."""
        raise AssertionError(args.token)


class Monitor(MockMonitor):
    """A monitor that records whole requests, because mocks receive only a part of them."""

    def __init__(self) -> None:
        super().__init__(Given())
        self.requests: dict[str, RegisterResourceRequest] = {}

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:  # noqa: N802 - gRPC's
        """Create every resource."""
        self.requests[request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-any-return, no-untyped-call]


def register(**arguments: Any) -> RegisterResourceRequest:  # noqa: ANN401 - the class's own arguments
    """Return the request for a credential of a program."""
    monitor = Monitor()
    pulumi.runtime.set_mocks(Given(), monitor=monitor)
    given = {"user": "jane", "service": "codecommit"} | arguments
    pulumi.runtime.test(lambda: ServiceSpecificCredential("login", **given))()  # type: ignore[no-untyped-call]
    return monitor.requests["login"]


def test_secret_outputs() -> None:
    """Both secrets and those that the program adds are marked as secret; the program's options do not change."""
    secrets = {"service_password", "service_credential_secret"}
    assert set(register().additionalSecretOutputs) == secrets
    options = pulumi.ResourceOptions(additional_secret_outputs=["service_user_name"])
    assert set(register(opts=options).additionalSecretOutputs) == secrets | {"service_user_name"}
    assert options.additional_secret_outputs == ["service_user_name"]


def test_deleted_first() -> None:
    """If two are or may be declared, the old one is deleted before its replacement, unless the program forbids it."""
    assert not register().deleteBeforeReplace
    assert not register(declared=1).deleteBeforeReplace
    assert register(declared=2).deleteBeforeReplace
    assert register(declared=pulumi.Output.from_input(2)).deleteBeforeReplace
    options = pulumi.ResourceOptions(delete_before_replace=False)
    assert not register(declared=2, opts=options).deleteBeforeReplace


def test_aliases() -> None:
    """A credential without a parent has an alias below a spec file; aliases of the program stay."""
    below = "iamcreds:index:SpecFile$pulumi-python:dynamic/iam:ServiceSpecificCredential::login"
    request = register(opts=pulumi.ResourceOptions(aliases=["urn:pulumi:a::b::c::d"]))
    urns = [alias.urn for alias in request.aliases]
    assert urns[0] == "urn:pulumi:a::b::c::d"
    assert urns[1].endswith(f"::{below}")


def test_two_of_one_name() -> None:
    """A second credential with the same resource name is rejected in the same program, and accepted in the next."""

    def program() -> None:
        for color in ("Red", "Blue"):
            below = pulumi.ResourceOptions(parent=pulumi.ComponentResource(f"team:index:{color}", "team"))
            ServiceSpecificCredential("login", user=color, service="codecommit", opts=below)

    pulumi.runtime.set_mocks(Given())
    with pytest.raises(pulumi.RunError, match="the program declares two credentials with the resource name 'login'"):
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    assert register().name == register().name == "login"


def test_what_is_sent() -> None:
    """A resource is registered with its inputs, and with a run context that has its group and options."""
    inputs = {"user": "jane", "service": "bedrock", "status": "Active", "reset": "x", "age_days": 30}
    more = {"existing": "adopt", "declared": 2, "account": "123456789012"}
    sent = MessageToDict(register(**inputs, **more).object)
    assert {name: sent[name] for name in (*inputs, *more)} == inputs | more
    member = {"status": "Active", "existing": "adopt", "age_days": 30, "declared": 2}
    assert sent["run"] == {
        "resource": "login",
        "group": {"login": member},
        "renamed": {},
        "owned_by_group": {},
        "options": {"deletes_first": True},
        "on_rejection": "defer",
    }


def test_password() -> None:
    """The password of an imported credential is registered as a secret."""
    assert "password" not in register().object
    sent = MessageToDict(register(adopt="ACCA1", password="hunter2").object)
    assert is_rpc_secret(sent["password"])
    assert unwrap_rpc_secret(sent["password"]) == "hunter2"


def _transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    return pulumi.ResourceTransformationResult(args.props, args.opts)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (pulumi.ResourceOptions(), {}),
        (pulumi.ResourceOptions(protect=False, delete_before_replace=False), {"deletes_first": False}),
        (pulumi.ResourceOptions(protect=True), {"protect": True}),
        (pulumi.ResourceOptions(retain_on_delete=True), {"retain": True}),
        (pulumi.ResourceOptions(delete_before_replace=True), {"deletes_first": True}),
        (pulumi.ResourceOptions(transformations=[_transform]), {"is_certain": False}),
    ],
)
def test_options(options: pulumi.ResourceOptions, expected: dict[str, bool]) -> None:
    """The run context has the resource options that affect a replacement, unless they have their default."""
    assert MessageToDict(register(opts=options).object)["run"]["options"] == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"service": "codecommit"}, ALWAYS | PASSWORD),
        ({"service": "bedrock", "age_days": 30}, ALWAYS | API_KEY | {"expiration_date"}),
        ({"service": pulumi.Output.from_input("bedrock")}, ALWAYS | PASSWORD | API_KEY),
        ({"service": "teapot.amazonaws.com"}, ALWAYS | PASSWORD | API_KEY),
    ],
)
def test_outputs(arguments: dict[str, Any], expected: set[str]) -> None:
    """Outputs of the service's credentials have values, the others are None, and unknown names are errors."""
    seen: dict[str, Any] = {}

    def program() -> None:
        credential = ServiceSpecificCredential("login", user="jane", **arguments)
        for name in ALWAYS | PASSWORD | API_KEY | {"expiration_date"}:
            getattr(credential, name).apply(lambda value, name=name: seen.update({name: value}))
        with pytest.raises(AttributeError, match="ServiceSpecificCredential has no attribute passwort"):
            credential.passwort  # noqa: B018 - the attribute access is the test

    pulumi.runtime.set_mocks(Given())
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    assert {name for name, value in seen.items() if value is not None} == expected
    assert {name: seen[name] for name in expected} == {name: MADE[name] for name in expected}


def test_access_keys() -> None:
    """`AccessKeys` sends users, account and run context, and its outputs are the keys and the findings."""
    monitor = Monitor()
    pulumi.runtime.set_mocks(Given(), monitor=monitor)
    seen: dict[str, Any] = {}
    policies = {"jane": {"max": 1}}

    def program() -> None:
        watcher = AccessKeys("keys", users=policies, account="123456789012", opts=pulumi.ResourceOptions(protect=True))
        pulumi.Output.all(keys=watcher.keys, findings=watcher.findings).apply(seen.update)

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    request = monitor.requests["keys"]
    sent = MessageToDict(request.object)
    del sent["__provider"]
    assert sent == {"users": {"jane": {"max": 1}}, "account": "123456789012", "run": {"on_rejection": "defer"}}
    assert request.protect
    assert seen == {"keys": {"jane": []}, "findings": ["so"]}
