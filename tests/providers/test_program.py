"""The YAML program from its specs to its outputs: its requests to the engine, and its use of the responses."""

from __future__ import annotations

import asyncio
from inspect import currentframe
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.config import CONFIG
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse, Result
from pulumi.runtime.rpc import UNKNOWN, unwrap_rpc_secret
from pulumi.runtime.settings import Settings, configure, set_root_resource

from dynamic_providers import ServiceSpecificCredential
from iamcreds.pulumi_engine.monitor import send
from iamcreds.pulumi_engine.registration import register
from iamcreds.pulumi_engine.run_progress import RunProgress
from iamcreds.resource_types import ACCESS_KEYS_TYPE, CREDENTIAL_TYPE
from iamcreds.specs import load
from tests.providers.engine import Engine, asking

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from iamcreds.desired import Desired

T = TypeVar("T")
ACCOUNT = "123456789012"
CODECOMMIT = "codecommit.amazonaws.com"
TEAM = """users:
  jane:
    credentials:
      - {service: codecommit, name: new, was: old}
      - {service: codecommit, name: other}
    accessKeys: {max: 1}
"""
LEAD = """users:
  bob: {credentials: [{service: bedrock}], accessKeys: {maxAgeDays: 90}}
"""


@pytest.fixture
def specs(tmp_path: Path) -> Desired:
    """Return the specs of two files."""
    (tmp_path / "team.yaml").write_text(TEAM)
    (tmp_path / "lead.yaml").write_text(LEAD)
    return load(tmp_path)


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Remove the settings of other programs, and of this one."""
    set_root_resource(None)  # type: ignore[arg-type] # as before a program
    yield
    configure(Settings(None, None))


def complete(program: Coroutine[Any, Any, T]) -> T:
    """Run a program and return its result. It needs its own event loop, because `asyncio.run` would end the SDK's."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(program)


def run(engine: Engine, desired: Desired, *, dry_run: bool = False) -> dict[str, dict[str, Any]]:
    """Run the program and return its outputs."""

    async def program() -> Any:  # noqa: ANN401 - the type of the SDK
        return await register(desired).future()

    with asking(engine) as monitor:
        configure(Settings("iamcreds", "dev", monitor, dry_run=dry_run, organization="acme"))
        return dict(complete(program()))


def recorded(name: str, user: str, credential_id: str) -> tuple[str, dict[str, Any]]:
    """Return the URN and the resource of a credential in the state."""
    outputs = {"user": user, "service": CODECOMMIT, "credential_id": credential_id, "account_id": ACCOUNT}
    outputs["create_date"] = "2026-11-24T00:00:00+00:00"
    return f"urn:pulumi:dev::iamcreds::{CREDENTIAL_TYPE}::{name}", {"type": CREDENTIAL_TYPE, "outputs": outputs}


def answer(outputs: dict[str, Any] | None = None, **fields: Any) -> RegisterResourceResponse:  # noqa: ANN401 - the protocol
    """Return a response of the engine for a resource."""
    made = RegisterResourceResponse(**fields)
    made.object.update(outputs or {})
    return made


def sent(request: RegisterResourceRequest) -> dict[str, Any]:
    """Return the registered properties of a resource."""
    return dict(MessageToDict(request.object))


def test_components(specs: Desired) -> None:
    """Each spec file is a component with its credentials and its watcher as children, and it is completed."""
    engine = Engine({})
    run(engine, specs)
    lead, team = specs.files
    assert {key: (request.parent, request.custom) for key, request in engine.requests.items()} == {
        ("iamcreds:index:SpecFile", lead): ("", False),
        ("iamcreds:index:SpecFile", team): ("", False),
        (CREDENTIAL_TYPE, "bob/bedrock"): (f"urn:{lead}", True),
        (CREDENTIAL_TYPE, "jane/codecommit/new"): (f"urn:{team}", True),
        (CREDENTIAL_TYPE, "jane/codecommit/other"): (f"urn:{team}", True),
        (ACCESS_KEYS_TYPE, lead): (f"urn:{lead}", True),
        (ACCESS_KEYS_TYPE, team): (f"urn:{team}", True),
    }
    assert sorted(engine.ended) == [f"urn:{lead}", f"urn:{team}"]


def test_under_the_stack(specs: Desired) -> None:
    """If Pulumi created the stack resource, the components of the files are its children."""

    async def program() -> None:
        set_root_resource(SimpleNamespace(urn=pulumi.Output.from_input("urn:stack")))  # type: ignore[arg-type]
        await register(specs).future()

    engine = Engine({})
    with asking(engine) as monitor:
        configure(Settings("iamcreds", "dev", monitor, dry_run=False, organization="acme"))
        complete(program())
    parents = {name: engine.requests["iamcreds:index:SpecFile", name].parent for name in specs.files}
    assert parents == dict.fromkeys(specs.files, "urn:stack")


def test_protocol(specs: Desired) -> None:
    """Secrets, whole results and unknown values are supported, and every resource has its source location."""
    engine = Engine({})
    run(engine, specs)
    for request in engine.requests.values():
        assert request.acceptSecrets
        assert request.acceptResources
        assert request.supportsPartialValues
        assert request.supportsResultReporting
    lead, team = specs.files
    locations = {
        key: (request.sourcePosition.uri, request.sourcePosition.line, request.sourcePosition.column)
        for key, request in engine.requests.items()
    }
    assert locations["iamcreds:index:SpecFile", lead] == (f"file://{lead}", 1, 1)
    assert locations[CREDENTIAL_TYPE, "jane/codecommit/other"] == (f"file://{team}", 5, 9)
    assert locations[ACCESS_KEYS_TYPE, team] == (f"file://{team}", 2, 3)


def test_messages(specs: Desired) -> None:
    """The run context has the credentials of its group and of removed users, by the present resource names."""
    state = dict(
        [
            recorded("jane/codecommit/old", "jane", "ACCA1"),
            recorded("jane/codecommit/other", "jane", "ACCA2"),
            recorded("john/codecommit", "john", "ACCA3"),
        ]
    )
    engine = Engine(state)
    run(engine, specs)
    assert engine.asked == [("pulumi:pulumi:readStackResourceOutputs", {"stackName": "acme/iamcreds/dev"})]
    messages = {key: sent(request)["run"] for key, request in engine.requests.items() if request.custom}
    owned = {"ACCA1": "jane/codecommit/new", "ACCA2": "jane/codecommit/other", "ACCA3": "john/codecommit"}
    name, sibling = "jane/codecommit/new", "jane/codecommit/other"
    message = messages[CREDENTIAL_TYPE, name]
    assert message == {
        "resource": name,
        "user": "jane",
        "service": CODECOMMIT,
        "group": {name: {"declared": 2}, sibling: {"declared": 2}},
        "options": {"deletes_first": True},
        "owned": owned,
        "strays": {"ACCA3": "john"},
        "of_user": ["ACCA1", "ACCA2"],
        "recorded": 3,
        "account": ACCOUNT,
        "on_rejection": "defer",
        "may_create_users": False,
    }
    assert messages[CREDENTIAL_TYPE, sibling]["owned"] == owned, "including the sibling's present name"
    assert messages[CREDENTIAL_TYPE, sibling]["group"] == message["group"]
    lead = messages[CREDENTIAL_TYPE, "bob/bedrock"]
    assert (lead["owned"], lead["group"], lead["options"]) == ({}, {}, {})
    assert messages[ACCESS_KEYS_TYPE, specs.files[1]] == {"on_rejection": "defer", "may_create_users": False}
    engine = Engine(state)
    run(engine, specs, dry_run=True)
    assert sent(engine.requests[CREDENTIAL_TYPE, name])["run"]["on_rejection"] == "collect"
    assert sent(engine.requests[ACCESS_KEYS_TYPE, specs.files[1]])["run"] == {
        "on_rejection": "collect",
        "may_create_users": False,
    }


def test_counted_for_the_progress(specs: Desired, monkeypatch: pytest.MonkeyPatch) -> None:
    """The progress counts every declared credential, and each failed one."""
    totals: list[int] = []
    counted: list[bool] = []

    class Progress(RunProgress):
        def __init__(self, total: int, tell: Callable[[str], None]) -> None:
            totals.append(total)
            super().__init__(total, tell)

        def count(self, *, failed: bool) -> None:
            counted.append(failed)

    monkeypatch.setattr("iamcreds.pulumi_engine.registration.RunProgress", Progress)
    run(Engine({}, {"bob/bedrock": answer(result=Result.FAIL)}), specs)
    assert totals == [3]
    assert sorted(counted) == [False, False, True]


def test_own_under_another_user(tmp_path: Path) -> None:
    """The run context has the ids of the whole group by resource name, even if IAM has renamed the user."""
    (tmp_path / "a.yaml").write_text(
        "users:\n"
        "  jane: {credentials: [{service: codecommit, name: new, was: old}, {service: codecommit}]}\n"
        "  joan: {credentials: []}\n"
    )
    state = dict([recorded("jane/codecommit/old", "joan", "ACCA1"), recorded("jane/codecommit", "joan", "ACCA2")])
    engine = Engine(state)
    run(engine, load(tmp_path))
    for name in ("jane/codecommit/new", "jane/codecommit"):
        context = sent(engine.requests[CREDENTIAL_TYPE, name])["run"]
        assert context["owned"] == {"ACCA1": "jane/codecommit/new", "ACCA2": "jane/codecommit"}


def test_siblings(tmp_path: Path) -> None:
    """The run context has the inputs of all declared credentials of the user and service, if there are two."""
    credentials = "{service: codecommit, existing: adopt}, {service: codecommit, name: b}, {service: logs}"
    (tmp_path / "a.yaml").write_text(f"users: {{jane: {{credentials: [{credentials}]}}}}")
    engine = Engine({})
    run(engine, load(tmp_path))
    properties = {name: sent(request) for (_, name), request in engine.requests.items() if name.startswith("jane/")}
    told = {
        name: (found.get("existing"), found.get("declared"), found["run"]["group"])
        for name, found in properties.items()
    }
    group = {"jane/codecommit": {"existing": "adopt", "declared": 2}, "jane/codecommit/b": {"declared": 2}}
    assert told == {
        "jane/codecommit": ("adopt", 2, group),
        "jane/codecommit/b": (None, 2, group),
        "jane/logs": (None, None, {}),
    }


ADOPTING = "users: {jane: {credentials: [{service: codecommit, adopt: ACCAEXAMPLE1234567890}, {service: logs}]}}"


def configured(tmp_path: Path, passwords: str) -> Engine:
    """Run ADOPTING with these passwords in the stack's config, and return the engine."""
    (tmp_path / "a.yaml").write_text(ADOPTING)
    engine = Engine({})
    before = CONFIG.set({"iamcreds:passwords": passwords})
    try:
        run(engine, load(tmp_path))
    finally:
        CONFIG.reset(before)
    return engine


def test_passwords(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The password of an imported credential is sent as a secret; any other password is ignored with a warning."""
    engine = configured(tmp_path, '{"jane/codecommit": "hunter2", "jane/logs": "hunter3"}')
    adopted = sent(engine.requests[CREDENTIAL_TYPE, "jane/codecommit"])
    assert adopted["adopt"] == "ACCAEXAMPLE1234567890"
    assert unwrap_rpc_secret(adopted["password"]) == "hunter2"
    assert "password" not in sent(engine.requests[CREDENTIAL_TYPE, "jane/logs"])
    told = capsys.readouterr().err
    assert "config `passwords`: the password of jane/logs is not used" in told
    assert "hunter" not in told


@pytest.mark.parametrize("passwords", ['["hunter2"]', "hunter2"])
def test_passwords_of_another_shape(tmp_path: Path, passwords: str) -> None:
    """A value that is not a map of strings is rejected with the correct command, and never quoted."""
    with pytest.raises(
        pulumi.RunError, match="config `passwords`: the value must be an object that maps resource names to passwords"
    ) as refused:
        configured(tmp_path, passwords)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("passwords", "reason"),
    [
        ('{"jane/codecommit": ""}', "the password of jane/codecommit is empty. Run"),
        ('{"jane/codecommit": 7}', "the password of jane/codecommit is not text. Run"),
        ('{"jane/codecommit": "hunter2", "b\\u001b": null}', r"the password of b\x1b is not text. Run"),
        ('{"b": "", "a": ""}', "the password of a is empty, that of b is empty. Run"),
    ],
)
def test_wrong_password(tmp_path: Path, passwords: str, reason: str) -> None:
    """An empty secret, or one that is not text, is named by its resource, with the command that sets it."""
    with pytest.raises(pulumi.RunError) as rejected:
        configured(tmp_path, passwords)
    assert f"config `passwords`: {reason}" in str(rejected.value)
    assert "pulumi config set --secret --path 'passwords[" in str(rejected.value)
    assert "hunter2" not in str(rejected.value)


def test_policies(specs: Desired) -> None:
    """A watcher receives the policies of its file's users."""
    engine = Engine(None)
    run(engine, specs)
    lead, team = specs.files
    assert {name: sent(engine.requests[ACCESS_KEYS_TYPE, name])["users"] for name in (lead, team)} == {
        lead: {"bob": {"max_age_days": 90}},
        team: {"jane": {"max": 1}},
    }


def test_outputs(specs: Desired) -> None:
    """Outputs have created credentials; failed and untargeted ones are missing, or unknown in a preview."""
    made = {"credential_id": "ACCA1", "service_credential_alias": "bob-at", "status": "Active"}
    answers = {
        "bob/bedrock": answer(made | {"service_credential_secret": "hunter2"}),
        "jane/codecommit/new": answer(result=Result.FAIL),
        "jane/codecommit/other": answer(unknown=True),
    }
    told = run(Engine({}, answers), specs)
    assert told["credentials"] == {"bob/bedrock": {"id": "ACCA1", "user_name": "bob-at", "status": "Active"}}
    assert {name: unwrap_rpc_secret(secret) for name, secret in told["secrets"].items()} == {"bob/bedrock": "hunter2"}
    told = run(Engine({}, answers), specs, dry_run=True)
    assert told["credentials"].keys() == answers.keys()
    assert told["credentials"]["jane/codecommit/new"] == {"id": UNKNOWN, "user_name": UNKNOWN, "status": UNKNOWN}


def test_refused_together(specs: Desired) -> None:
    """A preview lists all rejections with source location and resource, in the order of the specs."""
    lead, team = specs.files
    answers = {
        "jane/codecommit/other": answer({"refused": ["quota exceeded"]}),
        "bob/bedrock": answer({"refused": ["one", "two"]}),
        team: answer({"refused": ["jane: two keys"]}),
    }
    with pytest.raises(pulumi.RunError) as refused:
        run(Engine({}, answers), specs, dry_run=True)
    assert str(refused.value).splitlines() == [
        "`pulumi up` would reject:",
        f"{lead}:2:23: bob/bedrock: one",
        f"{lead}:2:23: bob/bedrock: two",
        f"{team}:2:3: {team}: jane: two keys",
        f"{team}:5:9: jane/codecommit/other: quota exceeded",
    ]


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
def test_engine_shuts_down(code: grpc.StatusCode) -> None:
    """If the engine shuts down, the program ends with an exit code to which Pulumi adds no message."""
    with asking(Engine({}, {"x": code})) as monitor, pytest.raises(SystemExit) as ended:
        complete(send(monitor.RegisterResource, RegisterResourceRequest(name="x")))
    assert ended.value.code == 32


def test_engine_refuses(specs: Desired) -> None:
    """A rejection by the engine is reported in its own words."""
    with pytest.raises(pulumi.RunError, match=r"^the engine rejects it$"):
        run(Engine({}, {"bob/bedrock": grpc.StatusCode.INVALID_ARGUMENT}), specs)


def test_without_an_engine(specs: Desired, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine, the program fails with that message."""
    monkeypatch.setattr("iamcreds.pulumi_engine.registration.read_state", lambda: None)

    async def program() -> None:
        await register(specs).future()

    configure(Settings("iamcreds", "dev"))
    with pytest.raises(
        pulumi.RunError, match=r"the program runs without the Pulumi engine\. Run `pulumi preview` or `pulumi up`"
    ):
        complete(program())


def test_class_with_an_engine() -> None:
    """The run context of the class has the credentials in the state for its user and service."""
    state = dict([recorded("login", "jane", "ACCA1"), recorded("other", "john", "ACCA2")])
    engine = Engine(state)
    line = 0

    async def program() -> None:
        nonlocal line
        line = _line() + 1
        credential = ServiceSpecificCredential("login", user="jane", service="codecommit")
        await credential.urn.future()

    with asking(engine) as monitor:
        configure(Settings("iamcreds", "dev", monitor, dry_run=False, organization="acme"))
        complete(program())
    message = sent(engine.requests[CREDENTIAL_TYPE, "login"])["run"]
    assert message == {
        "resource": "login",
        "user": "jane",
        "service": CODECOMMIT,
        "group": {"login": {}},
        "renamed": {},
        "owned_by_group": {"ACCA1": "login"},
        "options": {},
        "owned": {"ACCA1": "login"},
        "of_user": ["ACCA1"],
        "recorded": 2,
        "newest": "2026-11-24T00:00:00+00:00",
        "account": ACCOUNT,
        "on_rejection": "defer",
    }
    (frame,) = engine.requests[CREDENTIAL_TYPE, "login"].stackTrace.frames
    assert (frame.pc.uri, frame.pc.line) == (Path(__file__).as_uri(), line), "the only frame is the caller's"


def test_siblings_of_the_class() -> None:
    """Each run context has the whole group with its inputs, in any order of registration.

    Members of a group have the same user, by name or as the same output, and the same service, by alias or full name.
    """
    engine = Engine({})

    async def program() -> None:
        joes = pulumi.Output.from_input("joe")
        whole = "urn:pulumi:dev::iamcreds::pulumi-python:dynamic/iam:ServiceSpecificCredential::older"
        told_later = pulumi.Output.from_input(whole)
        options = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old"), whole, pulumi.Alias(type_="x"), told_later])
        made = [
            ServiceSpecificCredential("new", user="jane", service="bedrock", declared=2, opts=options),
            ServiceSpecificCredential("named", user="jane", service="bedrock.amazonaws.com", adopt="ACCA1", declared=2),
            ServiceSpecificCredential("first", user=joes, service="logs", declared=2),
            ServiceSpecificCredential("found", user=joes, service="logs", existing="adopt", age_days=5, declared=2),
            ServiceSpecificCredential("other", user="joe", service="logs", existing="adopt"),
        ]
        for one in made:
            await one.urn.future()

    with asking(engine) as monitor:
        configure(Settings("iamcreds", "dev", monitor, dry_run=False, organization="acme"))
        complete(program())
    messages = {name: sent(request)["run"] for (_, name), request in engine.requests.items()}
    assert messages["named"]["renamed"] == {"old": "new", "older": "new"}
    of_jane = {"new": {"declared": 2}, "named": {"declared": 2, "adopt": "ACCA1"}}
    of_joe = {"first": {"declared": 2}, "found": {"existing": "adopt", "age_days": 5, "declared": 2}}
    assert {name: message["group"] for name, message in messages.items()} == {
        "new": of_jane,
        "named": of_jane,
        "first": of_joe,
        "found": of_joe,
        "other": {"other": {"existing": "adopt"}},
    }


def _line() -> int:
    """Return the line number of the caller."""
    frame = currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno
